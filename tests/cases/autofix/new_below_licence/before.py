# Copyright: the authors
# Licence: MIT

# what this is for
import os
