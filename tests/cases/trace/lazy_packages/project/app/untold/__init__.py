import importlib


def __getattr__(name):
    return importlib.import_module(f".{name.lower()}", __name__)
