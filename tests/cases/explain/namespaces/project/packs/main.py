import corp.billing.invoice
import corp.mail
from cloud.store import bucket
import cloud.queue.send


def lambda_handler(event, context):
    return {}
