# monopack-start
# monopack-end
