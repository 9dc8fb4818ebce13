"""Users."""; text = """
"""; other = (
    1,
) \

# monopack-start
# extra_modules = ["app.hidden"]
# monopack-end

import os
