# monopack-start
# extra_distributions = ["pyyaml"]
# monopack-end
