import app.both


def go():
    import app.far
