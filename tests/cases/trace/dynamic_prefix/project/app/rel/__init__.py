from importlib import import_module


def load(name):
    return import_module("." + name, package=__name__)
