# monopack-start
# extra_modules = { a = 1 }
# monopack-end
