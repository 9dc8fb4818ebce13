# monopack-start
# # loaded by name
# extra_modules = [
#   "app.plugins.one",
#   "app.plugins.two",
# ]
# extra_distributions: driver
# monopack-end
import picture
import app.core


def lambda_handler(event, context):
    return {}
