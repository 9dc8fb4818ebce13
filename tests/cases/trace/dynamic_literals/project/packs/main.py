import importlib
from importlib import import_module

import_module("app.one")
__import__("app.two")
importlib.import_module(".three", package="app.plugins")
importlib.import_module("boto3")
importlib.import_module(name_from_somewhere)
import app
