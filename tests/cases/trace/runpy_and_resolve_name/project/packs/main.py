import pkgutil
import runpy
from importlib.util import find_spec as look
from pkgutil import resolve_name as by_name
from runpy import run_module as run

runpy.run_module("app.tool")
run(mod_name="app.a", run_name="__main__")  # an import
pkgutil.resolve_name("app.b:Thing.method")
by_name("app.c.thing")  # an import
look("app.not_there")  # no import
pkgutil.resolve_name("yaml:safe_load")  # an import
run(pkgutil)
