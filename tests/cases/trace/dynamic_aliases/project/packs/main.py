import builtins
import importlib
import importlib as il
from builtins import __import__ as load
from importlib import import_module as im

import app

bring = importlib.import_module
fetch = il.import_module

importlib.import_module(name="app.a")
il.import_module("app.b")
im("app.c")  # an import
importlib.__import__("app.d")
__import__("app.e", fromlist=["f"])
__import__("app.e", globals(), locals(), ("g", "not_a_module"), 0)
load("app.h")  # an import
__import__("google.cloud", fromlist=["storage"])
[bring("app.i") for _ in range(3)]  # an import
print({"j": fetch(package="app", name=".j")})  # an import
builtins.__import__("app.builtin")
importlib.import_module(".k", "app")
__import__("app", None, None, ["l"])


def found_elsewhere(self):
    self.loader.import_module("app.m")
    importlib.import_module(*["app.n"])
    im("app." + "n")  # an import
    im
    __import__(name_from_somewhere, fromlist=["n"])
getattr(importlib, "import_module")("app.o")
