"""Import statements."""

from __future__ import annotations

import ast

from monopack.trace.findings import Finding, Reference
from monopack.trace.names import Names


def import_statement(node: ast.AST, _names: Names) -> list[Finding]:
    """`import a.b, c`."""
    if not isinstance(node, ast.Import):
        return []
    return [Reference(name=alias.name, line=node.lineno) for alias in node.names]


def from_statement(node: ast.AST, _names: Names) -> list[Finding]:
    """`from .a import b, c` and `from a import *`."""
    if not isinstance(node, ast.ImportFrom):
        return []
    name = node.module or ""
    return [Reference(name=name, line=node.lineno, level=node.level, attribute=alias.name) for alias in node.names]
