import app.first
from app import (
    second,
)


def lambda_handler(event, context):
    return {}
