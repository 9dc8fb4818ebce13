import three
import four


def lambda_handler(event, context):
    return {}
