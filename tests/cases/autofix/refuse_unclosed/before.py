import os
# monopack-start
