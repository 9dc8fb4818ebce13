import importlib
import os
import pkgutil

for _, name, _ in pkgutil.iter_modules([os.path.dirname(__file__)]):
    importlib.import_module(f"{__name__}.{name}")
