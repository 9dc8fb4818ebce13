import app.h as h
from importlib import import_module

TABLE = {"one": "app.a:Thing", "two": ("app.b", "Thing")}
module, _, name = TABLE["one"].partition(":")
import_module(module)
module_of_two, _ = TABLE["two"]
import_module(module_of_two)
for _, (where, what) in {"x": ("app.c", "y")}.items():
    import_module(where)
import_module("app.d.Thing".rpartition(".")[0])
for key, found in zip(["x"], ["app.e"]):
    import_module(found)
TEMPLATE = "app.{}"
import_module(TEMPLATE.format("f"))
FORM = "app.%(name)s"
import_module(FORM % {"name": "g"})


def load(path, package):
    before, _ = path.rsplit(".", 1)
    import_module(before)
    import_module(".x", package)
    import_module(f"{h.__name__}.{path}")
