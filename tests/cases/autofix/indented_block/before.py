def lambda_handler(event, context):
    # monopack-start
    # handler = "lambda_handler"
    # monopack-end
    return event
