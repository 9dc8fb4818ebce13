# monopack-start
# extra_modules: app.hidden
# extra_distributions: Py_YAML
# monopack-end
