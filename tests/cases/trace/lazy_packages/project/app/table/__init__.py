import importlib

_MODULES = {"Client": "app.table.client", "Server": "app.table.server", "yaml": "yaml"}


def __getattr__(name):
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(name)
