"""Users."""
# monopack-start
# # why
# extra_modules = ["app.a", "app.b", "app.hidden"]
# extra_distributions = []
# handler = "main"
# monopack-end
