import top
import second_root


def lambda_handler(event, context):
    return {}
