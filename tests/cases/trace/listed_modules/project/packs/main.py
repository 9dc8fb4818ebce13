import importlib
import pkgutil
from pathlib import Path
from pkgutil import walk_packages as walk

import app.near
import app.one
import app.own
from app import all as every

for info in pkgutil.iter_modules(app.one.__path__, app.one.__name__ + "."):
    importlib.import_module(info.name)
for info in walk(every.__path__, prefix="app.all."):
    __import__(info.name)
list(pkgutil.iter_modules(importlib.import_module("app.far").__path__))
for found in pkgutil.iter_modules(app.near.__path__):
    importlib.import_module(f"app.near.{found.name}.handler")
list(pkgutil.iter_modules([str(Path(info) / "x")]))
