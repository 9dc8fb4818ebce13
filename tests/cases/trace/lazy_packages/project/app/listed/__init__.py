import importlib

__all__ = ["a", "b"]


def __getattr__(name):
    if name in __all__:
        return importlib.import_module(f".{name}", __name__)
