from importlib import import_module

_LAZY = {"One": (".one", "One"), "Two": (".two", "Two")}


def __getattr__(name):
    try:
        module, attribute = _LAZY[name]
    except KeyError:
        raise AttributeError(name) from None
    return getattr(import_module(module, __name__), attribute)
