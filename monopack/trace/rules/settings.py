"""Settings that name modules in strings, as Django's do: https://docs.djangoproject.com/en/stable/ref/settings/."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from monopack.trace.findings import Finding, Reference
from monopack.trace.names import Names

APPS = "INSTALLED_APPS"  # the one setting that also names modules at the top
SETTINGS = frozenset({
    APPS, "ASGI_APPLICATION", "AUTHENTICATION_BACKENDS", "CACHES", "CHANNEL_LAYERS", "DATABASES", "DATABASE_ROUTERS",
    "DEFAULT_FILE_STORAGE", "EMAIL_BACKEND", "MIDDLEWARE", "PASSWORD_HASHERS", "REST_FRAMEWORK", "ROOT_URLCONF", "SESSION_ENGINE",
    "STATICFILES_FINDERS", "STATICFILES_STORAGE", "STORAGES", "TEMPLATES", "WSGI_APPLICATION",
})  # fmt: skip
NAMING_KEYS = frozenset({"ENGINE", "BACKEND"})
DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def settings_strings(node: ast.AST, _names: Names) -> list[Finding]:
    """`INSTALLED_APPS = ["rest_framework", "app.users"]` and its like; what is not there is not missed."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=listed) | ast.AugAssign(target=ast.Name(id=name), value=listed):
            found = _strings(listed) if name in SETTINGS else iter(())
            return [_reference(text, line) for text, line in found if DOTTED.fullmatch(text) and ("." in text or name == APPS)]
    return []


def _reference(text: str, line: int) -> Reference:
    base, _, last = text.rpartition(".")
    attribute = last if base else ""
    return Reference(name=base or last, attribute=attribute, line=line, lazy=True, optional=True, dynamic=True)


def _strings(value: ast.expr) -> Iterator[tuple[str, int]]:
    """The strings of a setting with their lines; of its tables those that name something."""
    stack: list[ast.AST] = [value]
    while stack:
        match stack.pop():
            case ast.Constant(value=str(text), lineno=line):
                yield text, line
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                stack.extend(elements)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                stack.extend((left, right))
            case ast.Dict(keys=keys, values=values):
                stack.extend(below for key, below in zip(keys, values, strict=True) if _names(key, below))


def _names(key: ast.expr | None, below: ast.expr) -> bool:
    """Whether an entry of a table names something, or holds what may."""
    return not isinstance(below, ast.Constant) or (isinstance(key, ast.Constant) and key.value in NAMING_KEYS)
