from app.orders import total


def price(name):
    return 1
