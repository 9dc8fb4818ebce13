# monopack-start
# extra_distributions = [
#     "boto3",  # for the queue
#     # and
#     "requests"  # for the rest
# ]
# monopack-end
