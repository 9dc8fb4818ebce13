import app


def lambda_handler(event, context):
    return {}
