import importlib

TABLE = {"One": "one", "Two": "two"}


def __getattr__(name):
    if name in TABLE:
        return importlib.import_module("." + TABLE[name], __name__)
    raise AttributeError(name)


def first():
    from . import One

    return One
