# monopack-start
# # why
# extra_modules = ["app.b"]
# monopack-end
