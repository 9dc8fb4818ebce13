"""What the rules ask about calls: of which function, with which arguments."""

from __future__ import annotations

import ast

from monopack.trace.names import Names


def calls(node: ast.Call, function: str, names: Names) -> bool:
    """Whether a call is of a function of that name, whatever it is called here and whatever it belongs to."""
    return names.origin(node.func).rpartition(".")[2] == function


def argument(call: ast.Call, position: int, keyword: str) -> ast.expr | None:
    """An argument by position or keyword; None where it is not given, or `*` hides where it is."""
    before = call.args[: position + 1]
    if len(before) > position and not any(isinstance(argument, ast.Starred) for argument in before):
        return before[position]
    return next((k.value for k in call.keywords if k.arg == keyword), None)


def text_of(node: ast.expr | None) -> str:
    """The text of a literal, else an empty string."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def number_of(node: ast.expr | None) -> int:
    """The number of a literal, else 0."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else 0
