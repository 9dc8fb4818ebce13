# Copyright: the authors
# Licence: MIT

# monopack-start
# extra_modules = ["app.hidden"]
# monopack-end

# what this is for
import os
