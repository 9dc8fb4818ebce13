import thing
import yaml
import needs_yaml


def lambda_handler(event, context):
    return {}
