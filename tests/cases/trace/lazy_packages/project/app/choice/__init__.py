import importlib

_MODULES = {"One": ".one", "Kept": ".kept"}


def __getattr__(name):
    return getattr(importlib.import_module(_MODULES[name], __name__), name)
