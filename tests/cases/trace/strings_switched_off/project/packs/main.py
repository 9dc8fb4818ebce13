from importlib import import_module

INSTALLED = ["app.named"]
import_module("app.called")


def lambda_handler(event, context):
    return INSTALLED
