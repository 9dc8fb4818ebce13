import app.tool


def go():
    import app.later
