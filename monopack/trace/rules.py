"""How Python code names what it imports: one function for each way, listed in `RULES`.

A rule looks at one syntax node and at the names of its file, and returns the references that the node makes; `references`
brings every node that can run to the rules, and adds what is known about when it runs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import replace

from monopack.model import value
from monopack.trace.flow import Context, Step
from monopack.trace.names import Names, texts


@value()
class Reference:
    """One name that a file imports, as written.

    `name` is dotted and may be empty (`from . import x`); `level` counts leading dots, from the package `anchor` where one is
    named, else from the file's own; `attribute` is what follows `from X import` (`*` for a star). `lazy` says that it does not
    (surely) run when the module is imported, `optional` that the code copes when it fails, `dynamic` that a call makes it.
    """

    name: str
    line: int
    level: int = 0
    anchor: str = ""
    attribute: str = ""
    lazy: bool = False
    optional: bool = False
    dynamic: bool = False

    @property
    def written(self) -> str:
        """The name with its dots."""
        return "." * self.level + self.name


Rule = Callable[[ast.AST, Names], list[Reference]]


# ---------------------------------------------------------------- the rules


def import_statement(node: ast.AST, _names: Names) -> list[Reference]:
    """`import a.b, c`."""
    if not isinstance(node, ast.Import):
        return []
    return [Reference(name=alias.name, line=node.lineno) for alias in node.names]


def from_statement(node: ast.AST, _names: Names) -> list[Reference]:
    """`from .a import b, c` and `from a import *`."""
    if not isinstance(node, ast.ImportFrom):
        return []
    name = node.module or ""
    return [Reference(name=name, line=node.lineno, level=node.level, attribute=alias.name) for alias in node.names]


def import_module_call(node: ast.AST, names: Names) -> list[Reference]:
    """`importlib.import_module("a.b")`, also relative with a literal `package`; the name has to be a literal."""
    if not isinstance(node, ast.Call) or not _calls(node, "import_module", names):
        return []
    name = _text(_argument(node, 0, "name"))
    bare = name.lstrip(".")
    level = len(name) - len(bare)
    anchor = _text(_argument(node, 1, "package")) if level else ""
    return [Reference(name=bare, line=node.lineno, level=level, anchor=anchor, lazy=True, dynamic=True)] if name else []


def import_function_call(node: ast.AST, names: Names) -> list[Reference]:
    """`__import__("a.b")` with literals, also as `__import__("a", fromlist=["b"], level=1)`."""
    if not isinstance(node, ast.Call) or not _calls(node, "__import__", names):
        return []
    name = _text(_argument(node, 0, "name"))
    wanted = [text for text in texts(_argument(node, 3, "fromlist")) if text]
    level = _number(_argument(node, 4, "level"))
    if not name and not level:
        return []
    found = Reference(name=name, line=node.lineno, level=level, lazy=True, dynamic=True)
    return [replace(found, attribute=attribute) for attribute in wanted] or [found]


RULES: tuple[Rule, ...] = (import_statement, from_statement, import_module_call, import_function_call)


def _calls(node: ast.Call, function: str, names: Names) -> bool:
    """Whether a call is of a function of that name, whatever it is called here and whatever it belongs to."""
    return names.origin(node.func).rpartition(".")[2] == function


def _argument(call: ast.Call, position: int, keyword: str) -> ast.expr | None:
    """An argument by position or keyword; None where it is not given, or `*` hides where it is."""
    before = call.args[: position + 1]
    if len(before) > position and not any(isinstance(argument, ast.Starred) for argument in before):
        return before[position]
    return next((k.value for k in call.keywords if k.arg == keyword), None)


def _text(node: ast.expr | None) -> str:
    """The text of a literal, else an empty string."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _number(node: ast.expr | None) -> int:
    """The number of a literal, else 0."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else 0


def references(steps: Iterable[Step], names: Names) -> tuple[Reference, ...]:
    """Every reference that the nodes of a module make, in source order; `names` is what the module's source tells about names."""
    found = [
        _in_context(reference, context)
        for node, context in steps
        if type(node) in NAMING
        for rule in RULES
        for reference in rule(node, names)
    ]
    return tuple(sorted(dict.fromkeys(found), key=lambda r: r.line))


NAMING = frozenset({ast.Import, ast.ImportFrom, ast.Call})  # what a rule looks at


def _in_context(reference: Reference, context: Context) -> Reference:
    return replace(reference, lazy=reference.lazy or context.lazy, optional=reference.optional or context.optional)
