from app.orders import total


def lambda_handler(event, context):
    return {"statusCode": 200}
