# monopack-start
#
# extra_modules = ["app.a", "app.hidden"]
# extra_distributions = []
# monopack-end

import app
