import web_kit


def lambda_handler(event, context):
    return web_kit.answer()
