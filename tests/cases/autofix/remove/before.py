# monopack-start
# # why
# extra_modules = ["app.a", "app.b"]
# extra_distributions = ["Py.YAML"]
# monopack-end
