from app import café
import app.old
import app.windows
import app.page


def lambda_handler(event, context):
    return {}
