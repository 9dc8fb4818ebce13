# monopack-start
# extra_modules = ["app.a"]
# monopack-end
