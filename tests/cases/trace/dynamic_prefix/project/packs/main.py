import sys
from importlib import import_module

import app.own
import app.rel
from app import core


def load(kind, name=sys):
    import_module(f"app.plugins.{kind}")
    import_module("app.kinds.%s.handler" % kind)
    import_module("app.job_" + kind)
    import_module("app.fmt.{}".format(kind))
    import_module(f"google.cloud.{kind}")
    import_module(f"encodings.{kind}")
    import_module(f"{core.__name__}.{kind}")
    import_module(f"{kind}.handler")
    import_module(f"no_such_{kind}")
