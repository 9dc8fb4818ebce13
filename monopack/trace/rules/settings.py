"""Settings that name modules in strings, as Django's do: https://docs.djangoproject.com/en/stable/ref/settings/."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from monopack.trace.findings import App, Finding, Reference, Remark
from monopack.trace.names import Names

INSTALLED = "INSTALLED_APPS"
APPS = "_APPS"  # this, and LOCAL_APPS and its like beside it, which it sums up; they may name modules at the top
SETTINGS = frozenset({
    "ASGI_APPLICATION", "AUTHENTICATION_BACKENDS", "CACHES", "CHANNEL_LAYERS", "DATABASES", "DATABASE_ROUTERS",
    "DEFAULT_FILE_STORAGE", "EMAIL_BACKEND", "MIDDLEWARE", "PASSWORD_HASHERS", "REST_FRAMEWORK", "ROOT_URLCONF", "SESSION_ENGINE",
    "STATICFILES_FINDERS", "STATICFILES_STORAGE", "STORAGES", "TEMPLATES", "WSGI_APPLICATION",
})  # fmt: skip
# What Django takes of an installed app by name, in a pack that imports this: modules, and folders of data. Static files are for
# what collects them. https://docs.djangoproject.com/en/stable/ref/applications/
APP_MODULES = {
    "django": re.compile(r"apps|models|migrations(\.[^.]+)?|management\.commands\.[^.]+|templatetags\..+"),
    "django.contrib.admin": re.compile("admin"),
}
APP_DATA = ("templates", "jinja2", "locale", "fixtures")
NAMING_KEYS = frozenset({"ENGINE", "BACKEND"})
SAME = frozenset({"list", "tuple", "set", "sorted", "fromkeys"})  # calls that give what they are given
COMPUTED = (
    f"not all of {INSTALLED} can be told; name what Django loads of the other apps in extra_modules, or on that line:"
    " # monopack: include MODULE"
)
ADDING = frozenset({"append", "extend", "insert"})
DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def may_install_apps(text: str) -> bool:
    """Whether a file's text may install apps of Django; lists of other apps are called `..._APPS`, too."""
    return INSTALLED in text


def may_configure_app(text: str) -> bool:
    """Whether a file's text may configure an app of Django."""
    return "AppConfig" in text


def settings_strings(node: ast.AST, _names: Names) -> list[Finding]:
    """`ROOT_URLCONF = "app.urls"`, `DATABASES = {...: {"ENGINE": "app.db"}}` and their like; what is not there is not missed."""
    settings = [value for name, value in _set(node) if name in SETTINGS]
    return [_reference(text, line) for value in settings for text, line in _strings(value) if "." in text]


def installed_apps(node: ast.AST, _names: Names) -> list[Finding]:
    """`INSTALLED_APPS = ["rest_framework", "app.users"]`: all of them, and what Django imports of ours by names of its own."""
    settings = [(name, value) for name, value in _set(node) if name.endswith(APPS)]
    named = [each for _, value in settings for each in _strings(value)]
    found: list[Finding] = [found for text, line in named for found in (_reference(text, line), App(name=text, line=line))]
    computed = [value for name, value in settings if name == INSTALLED and not all(map(_is_told, _parts(value)))]
    return [*found, *(Remark(text=COMPUTED, line=value.lineno) for value in computed)]


def app_config(node: ast.AST, names: Names) -> list[Finding]:
    """`class UsersConfig(AppConfig): name = "app.users"`: the package is that, wherever the class is."""
    if not isinstance(node, ast.ClassDef) or not any(names.origin(base).endswith("AppConfig") for base in node.bases):
        return []
    values = [value for statement in node.body for name, value in _set(statement) if name == "name"]
    return [App(name=text, line=line) for value in values for text, line in _strings(value)]


def _set(node: ast.AST) -> list[tuple[str, ast.expr]]:
    """The names that a statement or call gives a value, or adds one to, each with that value."""
    match node:
        case ast.Assign(targets=targets, value=value):
            return [(target.id, value) for target in targets if isinstance(target, ast.Name)]
        case ast.AugAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return [(name, value)]
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return [(name, value)]
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=[*_, value]) if method in ADDING:
            return [(name, value)]
        case ast.Call(keywords=keywords):  # settings.configure(INSTALLED_APPS=[...])
            return [(keyword.arg, keyword.value) for keyword in keywords if keyword.arg]
    return []


def _reference(text: str, line: int) -> Reference:
    base, _, last = text.rpartition(".")
    attribute = last if base else ""
    return Reference(name=base or last, attribute=attribute, line=line, lazy=True, optional=True, dynamic=True)


def _strings(value: ast.expr) -> Iterator[tuple[str, int]]:
    """The dotted names in strings of a setting, with their lines; of its tables those that name something."""
    for part in _parts(value):
        match part:
            case ast.Constant(value=str(text), lineno=line) if DOTTED.fullmatch(text):
                yield text, line


def _is_told(part: ast.AST) -> bool:
    """Whether a part of a list of apps is one, or another list that is looked at by itself."""
    match part:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.endswith(APPS)
    return isinstance(part, ast.Constant)


def _parts(value: ast.expr) -> Iterator[ast.AST]:
    """What a setting is put together from; of its tables what names something."""
    stack: list[ast.AST] = [value]
    while stack:
        match stack.pop():
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                stack.extend(elements)
            case ast.BinOp(left=left, right=right):
                stack.extend((left, right))
            case ast.Starred(value=inner):
                stack.append(inner)
            case ast.IfExp(body=one, orelse=other):
                stack.extend((one, other))
            case ast.Dict(keys=keys, values=values):
                stack.extend(below for key, below in zip(keys, values, strict=True) if _names(key, below))
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[inner]) if name in SAME:
                stack.append(inner)
            case part:
                yield part


def _names(key: ast.expr | None, below: ast.expr) -> bool:
    """Whether an entry of a table names something, or holds what may."""
    return not isinstance(below, ast.Constant) or (isinstance(key, ast.Constant) and key.value in NAMING_KEYS)
