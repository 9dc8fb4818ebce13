# monopack-start
# extra_modules = "app.a, app.b"
# monopack-end
