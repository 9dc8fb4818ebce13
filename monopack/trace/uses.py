"""What a file uses of other people's code beside importing it: import rules of distributions go by that."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping

from monopack.trace.flow import Seen
from monopack.trace.names import Names
from monopack.trace.spelling import spelled

SCHEME = r"[a-z][a-z0-9]*(?:\+[a-z0-9]+)*"
URL = re.compile(rf"({SCHEME})://")
DRIVER = re.compile(r"[a-z][a-z0-9]*\+[a-z0-9]+")  # `postgresql+psycopg`, as `URL.create` takes it
HINT = re.compile(rf"""["'](?!https?:)(?:{SCHEME}://|{DRIVER.pattern}["'])""")


def uses_of(tree: ast.Module, seen: Seen, names: Names, text: str) -> Mapping[str, int]:
    """The functions that code calls and the beginnings of the URLs in it, each with its first line.

    A function of an imported module has its full name (`pandas.read_csv`), one of any other thing a dot before its own
    (`.to_parquet`); a URL is there as `postgresql+psycopg://`.
    """
    found: dict[str, int] = {}
    modules = {(a.asname or a.name).partition(".")[0] for node, _ in seen.get(ast.Import, ()) for a in node.names}
    for node, _ in seen.get(ast.Call, ()):
        _note(found, _called(node, modules, names), node.lineno)
    if ("://" in text or "+" in text) and HINT.search(text):
        for node in ast.walk(tree):
            if type(node) is ast.Constant and isinstance(node.value, str):
                _note(found, _scheme(node.value), node.lineno)
    return found


def _note(found: dict[str, int], name: str, line: int) -> None:
    if name:
        found[name] = min(line, found.get(name, line))


def _called(call: ast.Call, modules: Collection[str], names: Names) -> str:
    """The function that a call is of; empty for one of the file's own, and for a built-in."""
    name = spelled(call.func)
    head, dot, rest = name.partition(".")
    if head in names.aliases or head in modules:
        return names.origin(call.func)
    return f".{rest.rpartition('.')[2]}" if dot and rest else ""


def _scheme(text: str) -> str:
    """The scheme that a text begins with, or is."""
    if found := URL.match(text):
        return found[0]
    return f"{text}://" if DRIVER.fullmatch(text) else ""
