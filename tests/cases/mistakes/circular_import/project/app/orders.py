from app.prices import price


def total(names):
    return sum(map(price, names))
