import importlib.util
import importlib.util as util
from importlib.util import find_spec as there

import app

HAS_YAML = importlib.util.find_spec("yaml") is not None  # an import


def has(name):
    return there(name) is not None  # an import


HAS_NUMPY = has("numpy")

if there("orjson"):  # an import
    import orjson
else:
    import simplejson
if util.find_spec("uvloop") is None:  # an import
    pass
else:
    import uvloop
if HAS_YAML:
    from yaml import safe_load
if HAS_NUMPY and app:
    import numpy
if app:
    import requests


def later():
    spec = util.find_spec("app.a")  # an import
    if spec:
        import app.not_there
    if (found := there("lxml")) and app:  # an import
        import lxml.etree
    if app:
        import attrs
