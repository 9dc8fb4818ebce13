"""Users."""

# monopack-start
# # the plugin loader needs these
# extra_modules  =  [ 'app.b', "app.a" ]   # loaded by name
#
#handler = 'main'

# [env]
# MODE   = "fast"  # not slow
# monopack-end
import os
