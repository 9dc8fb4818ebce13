def lambda_handler(event, context):
    # monopack-start
    # handler = "lambda_handler"
    # extra_modules = ["app.hidden"]
    # monopack-end
    return event
