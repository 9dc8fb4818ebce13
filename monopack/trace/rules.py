"""How Python code names what it imports: one function for each way, listed in `RULES`.

A rule looks at one syntax node and returns the references it makes; `references` brings every node that can run on the target
to the rules, with what is known about when it runs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from monopack.model import value
from monopack.trace.guards import decide


@value()
class Reference:
    """One name that a file imports, as written.

    `name` is dotted and may be empty (`from . import x`); `level` counts leading dots; `attribute` is what follows
    `from X import` (`*` for a star). `lazy` says that it does not (surely) run when the module is imported, `optional` that
    the code copes when it fails.
    """

    name: str
    line: int
    level: int = 0
    attribute: str = ""
    lazy: bool = False
    optional: bool = False


@value()
class Context:
    """What is known about when a piece of code runs."""

    lazy: bool = False
    optional: bool = False


Rule = Callable[[ast.AST], list[Reference]]
Step = tuple[ast.AST, Context]

CATCHES_IMPORT_ERROR = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


# ---------------------------------------------------------------- the rules


def import_statement(node: ast.AST) -> list[Reference]:
    """`import a.b, c`."""
    if not isinstance(node, ast.Import):
        return []
    return [Reference(name=alias.name, line=node.lineno) for alias in node.names]


def from_statement(node: ast.AST) -> list[Reference]:
    """`from .a import b, c` and `from a import *`."""
    if not isinstance(node, ast.ImportFrom):
        return []
    name = node.module or ""
    return [Reference(name=name, line=node.lineno, level=node.level, attribute=alias.name) for alias in node.names]


def import_call(node: ast.AST) -> list[Reference]:
    """`importlib.import_module("a.b")`, also relative with a literal `package`, and `__import__("a")`, with a literal name."""
    match node:
        case ast.Call(
            func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__"),
            args=[ast.Constant(value=str(name)), *rest],
        ) if name.strip("."):
            package = _package(rest, node.keywords)
            return [_dynamic(name, package, node.lineno)]
    return []


RULES: tuple[Rule, ...] = (import_statement, from_statement, import_call)


def _package(positional: list[ast.expr], keywords: list[ast.keyword]) -> str:
    """The literal `package` argument of `import_module`, else an empty string (the importing module's own package)."""
    for argument in (*positional[:1], *(k.value for k in keywords if k.arg == "package")):
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            return argument.value
    return ""


def _dynamic(name: str, package: str, line: int) -> Reference:
    """A reference for a name that is imported by a call: leading dots are levels, made absolute when the package is known."""
    bare = name.lstrip(".")
    level = len(name) - len(bare)
    if level and package:
        parts = package.split(".")
        return Reference(name=".".join((*parts[: len(parts) - level + 1], bare)), line=line, lazy=True)
    return Reference(name=bare, line=line, level=level, lazy=True)


# ---------------------------------------------------------------- when code runs


def references(tree: ast.Module, markers: Mapping[str, str]) -> tuple[Reference, ...]:
    """Every reference of a module that can run on a target, in source order.

    `markers` is the target's PEP 508 environment. The syntax tree is walked with a stack: deep nesting costs no recursion.
    """
    found: list[Reference] = []
    stack: list[Step] = [(tree, Context())]
    while stack:
        node, context = stack.pop()
        kind = type(node)
        if kind in NAMING:
            for rule in RULES:
                found.extend(_in_context(reference, context) for reference in rule(node))
        parts = PARTS.get(kind)
        if parts:
            stack.extend(parts(node, context, markers))
        else:
            stack.extend([(child, context) for child in ast.iter_child_nodes(node) if type(child) not in LEAVES])
    return tuple(sorted(dict.fromkeys(found), key=lambda r: r.line))


def _in_context(reference: Reference, context: Context) -> Reference:
    return replace(reference, lazy=reference.lazy or context.lazy, optional=reference.optional or context.optional)


def _each(nodes: Iterable[ast.AST | None], context: Context) -> Iterator[Step]:
    """A step for each node; absent ones (None) are left out."""
    return ((node, context) for node in nodes if node is not None)


def _function(node: Any, context: Context, _markers: Mapping[str, str]) -> Iterator[Step]:
    """`def` and `lambda`: defaults, decorators and annotations run with the code around, the body when it is called."""
    around = [*getattr(node, "decorator_list", ()), node.args, getattr(node, "returns", None)]
    body = node.body if isinstance(node.body, list) else [node.body]
    yield from _each(around, context)
    yield from _each(body, replace(context, lazy=True))


def _condition(node: Any, context: Context, markers: Mapping[str, str]) -> Iterator[Step]:
    """`if`: the branch that is decided, or both, neither of them surely."""
    holds = decide(node.test, markers)
    inner = replace(context, lazy=True) if holds is None else context
    yield from _each([node.test], context)
    if holds is not False:
        yield from _each(node.body, inner)
    if holds is not True:
        yield from _each(node.orelse, inner)


def _attempt(node: Any, context: Context, _markers: Mapping[str, str]) -> Iterator[Step]:
    """`try`: where a failing import is caught, neither the attempt nor its fallback has to succeed."""
    if any(_catches(handler.type) for handler in node.handlers):
        yield from _each([*node.body, *node.handlers, *node.orelse], Context(lazy=True, optional=True))
    else:
        yield from _each([*node.body, *node.orelse], context)
        yield from _each(node.handlers, replace(context, lazy=True))
    yield from _each(node.finalbody, context)


def _with(node: Any, context: Context, _markers: Mapping[str, str]) -> Iterator[Step]:
    """`with`: `contextlib.suppress(ImportError)` is a `try` by another name."""
    yield from _each(node.items, context)
    yield from _each(node.body, Context(lazy=True, optional=True) if any(_suppresses(i) for i in node.items) else context)


def _match(node: Any, context: Context, _markers: Mapping[str, str]) -> Iterator[Step]:
    """`match`: no case runs surely."""
    yield from _each([node.subject], context)
    yield from _each(node.cases, replace(context, lazy=True))


# What a rule looks at, what has parts that run at different times, and what holds nothing of interest.
NAMING = frozenset({ast.Import, ast.ImportFrom, ast.Call})
PARTS: Mapping[type[ast.AST], Callable[[Any, Context, Mapping[str, str]], Iterator[Step]]] = {
    ast.FunctionDef: _function, ast.AsyncFunctionDef: _function, ast.Lambda: _function, ast.If: _condition,
    ast.Try: _attempt, ast.TryStar: _attempt, ast.With: _with, ast.AsyncWith: _with, ast.Match: _match,
}  # fmt: skip
LEAVES = frozenset({ast.Name, ast.Constant, ast.Load, ast.Store, ast.Del, ast.alias, ast.Pass, ast.Global, ast.Nonlocal})


def _catches(caught: ast.expr | None) -> bool:
    """Whether an `except` clause catches a failing import."""
    match caught:
        case None:
            return True
        case ast.Tuple(elts=elements):
            return any(_catches(e) for e in elements)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in CATCHES_IMPORT_ERROR
    return False


def _suppresses(item: ast.withitem) -> bool:
    """Whether a `with` item is `contextlib.suppress` of a failing import."""
    match item.context_expr:
        case ast.Call(func=ast.Name(id="suppress") | ast.Attribute(attr="suppress"), args=args):
            return any(_catches(a) for a in args)
    return False
