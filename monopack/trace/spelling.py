"""How code spells names, and what these stand for under the names that imports give them."""

from __future__ import annotations

import ast
from collections.abc import Mapping

LONGEST_CHAIN = 8  # of names that stand for each other; a longer one is a circle


def spelled(node: ast.AST) -> str:
    """`a.b.c` as text, also where it is `getattr(a.b, "c")`; what is no name at its beginning is left out."""
    if isinstance(node, ast.Name):
        return node.id
    parts: list[str] = []
    while True:
        match node:
            case ast.Attribute(value=inner, attr=name):
                pass
            case ast.Call(func=ast.Name(id="getattr"), args=[inner, ast.Constant(value=str(name)), *_]):
                pass
            case _:
                break
        parts.append(name)
        node = inner
    parts.append(node.id if isinstance(node, ast.Name) else "")
    return ".".join(reversed(parts))


def meant(name: str, aliases: Mapping[str, str]) -> str:
    """What a dotted name stands for: `importlib.import_module` for `il.import_module` where `il` is `importlib`."""
    for _ in range(LONGEST_CHAIN):
        head, dot, rest = name.partition(".")
        if head not in aliases:
            break
        name = f"{aliases[head]}{dot}{rest}"
    return name


def given_names(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """What the names that an import statement binds stand for; dots of a relative import stay in front."""
    if isinstance(node, ast.Import):
        return {alias.asname or alias.name: alias.name for alias in node.names}
    prefix = "." * node.level + (f"{node.module}." if node.module else "")
    return {alias.asname or alias.name: f"{prefix}{alias.name}" for alias in node.names}


def without_circles(aliases: Mapping[str, str]) -> dict[str, str]:
    """Aliases without those that stand for something of themselves (`import a.b` binds `a`)."""
    return {name: meaning for name, meaning in aliases.items() if meaning.partition(".")[0] != name}


def literals(node: ast.AST | None) -> tuple[str, ...]:
    """The literal texts in a piece of code."""
    parts = ast.walk(node) if node is not None else ()
    return tuple(part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))
