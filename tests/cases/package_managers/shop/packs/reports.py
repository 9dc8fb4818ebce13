import chart_thing
from yaml import loader


def lambda_handler(event, context):
    return loader.load(chart_thing.name)
