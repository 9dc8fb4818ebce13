import contextlib as ctx
import os as operating
import platform as machine
import sys as system
import typing as t
from contextlib import suppress as quietly
from platform import system as system_name
from sys import platform as kind, version_info as version
from typing import TYPE_CHECKING as CHECKING

Gone = ImportError

if CHECKING:
    import app.a
if not t.TYPE_CHECKING:
    import app.b
if not CHECKING and version < (3, 8):
    import app.a
if kind == "no_such_platform" or system.platform.startswith(("nothing", "nobody")):
    import app.a
elif operating.name in ("posix", "nt", "java"):
    import app.c
if system_name() == "Amiga" or machine.system().lower() == "amiga":
    import app.a
if (3,) <= version < (4, 0):
    import app.d
else:
    import app.a
if (2, 7) == version[:2] or version.major == 2 or version[0] == 2:
    import app.a
if system.implementation.name == "nonesuch":
    import app.a
if version and operating.environ.get("X"):
    import app.e
if CHECKING and operating.environ.get("X"):
    import app.a
if not CHECKING or operating.environ.get("X"):
    import app.f
with quietly(Gone):
    import orjson
with ctx.suppress(ValueError):
    import app.g
try:
    import ujson
except Gone:
    pass
