from datasette.app import Datasette

app = Datasette([]).app()


def lambda_handler(event, context):
    return {"statusCode": 200, "body": type(app).__name__}
