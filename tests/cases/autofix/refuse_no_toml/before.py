# monopack-start
# handler = main
# monopack-end
