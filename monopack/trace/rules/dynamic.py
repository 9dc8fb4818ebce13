"""Imports that a call makes."""

from __future__ import annotations

import ast
from dataclasses import replace

from monopack.trace.findings import Finding, Reference
from monopack.trace.names import Names, texts
from monopack.trace.rules.calls import argument, calls, number_of, text_of


def import_module_call(node: ast.AST, names: Names) -> list[Finding]:
    """`importlib.import_module("a.b")`, also relative with a literal `package`; the name has to be a literal."""
    if not isinstance(node, ast.Call) or not calls(node, "import_module", names):
        return []
    name = text_of(argument(node, 0, "name"))
    bare = name.lstrip(".")
    level = len(name) - len(bare)
    anchor = text_of(argument(node, 1, "package")) if level else ""
    return [Reference(name=bare, line=node.lineno, level=level, anchor=anchor, lazy=True, dynamic=True)] if name else []


def import_function_call(node: ast.AST, names: Names) -> list[Finding]:
    """`__import__("a.b")` with literals, also as `__import__("a", fromlist=["b"], level=1)`."""
    if not isinstance(node, ast.Call) or not calls(node, "__import__", names):
        return []
    name = text_of(argument(node, 0, "name"))
    wanted = [text for text in texts(argument(node, 3, "fromlist")) if text]
    level = number_of(argument(node, 4, "level"))
    if not name and not level:
        return []
    found = Reference(name=name, line=node.lineno, level=level, lazy=True, dynamic=True)
    return [replace(found, attribute=attribute) for attribute in wanted] or [found]
