# monopack: include app.a, app.b
import importlib
import orjson  # monopack: ignore
from app import (
    never,  # monopack: ignore
)
text = "# monopack: include app.never"


def load(name):
    importlib.import_module("app.never")  # monopack: ignore
    importlib.import_module(name)  # monopack: include app.c
    importlib.import_module(name)  # monopack: ignore
    importlib.import_module(name)


# monopack: inclde app.never
# monopack: whatever
# monopack: include app/data/*.json
# monopack: include app.not_there
# monopack: include
#monopack:include app.d # why
"""
# monopack: include app.never
"""
# see monopack: include app.never
import app.f
