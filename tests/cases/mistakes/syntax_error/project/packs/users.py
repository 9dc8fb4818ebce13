from app import storage


def lambda_handler(event, context):
    return {"statusCode": 200}
