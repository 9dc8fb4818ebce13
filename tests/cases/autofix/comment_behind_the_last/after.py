# monopack-start
# extra_modules = [ "app.b", "app.c", 'app.a' ,  # the first
#   ]
# extra_distributions = ["PyYAML","boto3"
#  # no comma
# ]
# monopack-end
