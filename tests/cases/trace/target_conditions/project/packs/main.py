import os
import sys

if sys.version_info >= (3, 8):
    import app.modern
else:
    import tomli

if sys.platform == "win32" or os.name == "nt":
    import winsound_extra
elif sys.version_info[0] == 3 and not sys.platform.startswith("win"):
    import app.posix

if os.environ.get("DEBUG"):
    import app.maybe
