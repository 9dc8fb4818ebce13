try:
    import speedups
except ImportError:
    speedups = None
from app import missing_part
import app.nothere
import teapot.lid
import json.decoder


def f():
    import teapot
    import app.later
    try:
        import app.perhaps
    except ImportError:
        pass
