"""Users.

# monopack-start
# extra_modules = ["fake"]
# monopack-end
"""
import os  # monopack-start

TEXT = """
# monopack-end
"""
