# monopack-start
# extra_modules = [ 'app.a' ,  # the first
#   ]
# extra_distributions = ["boto3"
#  # no comma
# ]
# monopack-end
