import app.typo


def go():
    from app.later import thing
