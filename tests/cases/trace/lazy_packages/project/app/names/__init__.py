import importlib

_SUBMODULES = {"first": ["one", "uno"], "second": ["two"]}
_MODULE_OF = {name: module for module, names in _SUBMODULES.items() for name in names}


def __getattr__(name):
    for module, names in _SUBMODULES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
