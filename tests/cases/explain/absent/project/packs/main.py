import app.core


def lambda_handler(event, context):
    return {}
