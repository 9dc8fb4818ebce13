def __getattr__(name):
    if name == "One":
        from .one import One

        return One
    elif name == "Two":
        from app.branches import two

        return two
    elif name in ("Three", "Four"):
        import app.branches.three
    raise AttributeError(name)
