from importlib import import_module


def load(name):
    return import_module(f"{__package__}.{name}")
