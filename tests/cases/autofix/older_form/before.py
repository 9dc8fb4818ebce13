"""Users."""
# monopack-start
# # why
# extra_modules: app.a, app.b
# extra_distributions:
# handler = "main"
# monopack-end
