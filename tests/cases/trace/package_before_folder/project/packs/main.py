from importlib import import_module

import lib.core


def go(name):
    import_module(f"lib.plugins.{name}")
