import importlib
from functools import partial
from importlib import import_module

PREFIX = "app."
NAME: str = PREFIX + "a"
TABLE = {"one": "app.c", "two": "app.d"}
DEEP = {"three": {"module": "app.m"}}
PAIRS = [("x", "app.e"), ("y", "app.f")]
MORE = ["app.g"]
MORE += ["app.h"]
MORE.append("app.i")
TABLE["late"] = "app.j"

import_module(NAME)
import_module(f"{PREFIX}b")
for key in TABLE:
    import_module(TABLE[key])
for _, module in PAIRS:
    import_module(module)
loaded = [import_module(name) for name in sorted(MORE)]
import_module("app.%s" % "k")
import_module("{}.{}".format("app", "l"))
import_module(DEEP["three"]["module"])
import_module(".".join(["app", "n"]))
import_module("app.o" if loaded else "app.p")
partial(import_module, "app.q")
list(map(import_module, ("app.r", "app.s")))


class Loader:
    names = {"t": "app.t"}

    def load(self, kind, name):
        for each in self.names.values():
            importlib.import_module(each)
        never = "never"
        return f"app.{never}"
