import app.a, app.b, app.c, app.d, app.e, app.f, app.g


def lambda_handler(event, context):
    return {}
