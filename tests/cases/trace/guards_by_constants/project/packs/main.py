import sys

import app

WINDOWS = sys.platform == "no_such_platform"
PY3 = sys.version_info[0] >= 3
NAME = sys.platform
DEBUG = False
MODERN = sys.version_info >= (3,)
LATER = not DEBUG and MODERN
CHANGED = False
debug = False
TWICE = False
TWICE = True

if WINDOWS:
    import app.a
if PY3:
    import app.b
if NAME == "no_such_platform":
    import app.a
if LATER:
    import app.c
if CHANGED:
    import app.d
if debug:
    import app.e
if TWICE:
    import app.f


def change():
    global CHANGED
    CHANGED = True
    if DEBUG:
        import app.a
    one = app.a if DEBUG else __import__("app.g")  # an import


def parameter(PY3):
    return PY3


def other(WINDOWS_TOO=False):
    if WINDOWS_TOO:
        import app.h
