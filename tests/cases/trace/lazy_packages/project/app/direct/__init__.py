_WHERE = {"Near": "near", "Far": "far"}


def __getattr__(name: str):
    import importlib

    where = _WHERE.get(name)
    if where is None:
        raise AttributeError(name)
    return getattr(importlib.import_module("." + where, __package__), name)
