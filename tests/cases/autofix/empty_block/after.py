# monopack-start
# extra_modules = ["app.hidden"]
# monopack-end
