"""Users.

# monopack-start
# extra_modules = ["fake"]
# monopack-end
"""

# monopack-start
# extra_modules = ["app.hidden"]
# monopack-end

import os  # monopack-start

TEXT = """
# monopack-end
"""
