from app.storage import laod


def lambda_handler(event, context):
    return {"statusCode": 200}
