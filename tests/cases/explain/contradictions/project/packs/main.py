import one
import two


def lambda_handler(event, context):
    return {}
