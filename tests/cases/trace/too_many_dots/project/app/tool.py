from importlib import import_module

try:
    from ...elsewhere import thing
except ImportError:
    thing = None


def go():
    import_module("....deep")
    import_module("..up", package="app")
