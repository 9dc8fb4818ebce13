# monopack-start
# extra_modules = ["app.a", "app.b", "app.hidden"]
# monopack-end
