"""Users."""

# monopack-start
# # the plugin loader needs these
# extra_modules  =  [ 'app.b', "app.a", "app.hidden" ]   # loaded by name
#
#handler = 'main'
# extra_distributions = ["pyyaml"]

# [env]
# MODE   = "fast"  # not slow
# monopack-end
import os
