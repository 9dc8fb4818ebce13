try:
    import orjson as json
except ImportError:
    import simplejson as json

import contextlib

try:
    from app import fast as impl
except (AttributeError, ModuleNotFoundError):
    from app import slow as impl

with contextlib.suppress(ImportError):
    import yaml

try:
    pass
except Exception:
    import numpy

import app
