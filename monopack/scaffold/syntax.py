"""What a Python file's syntax tree says: which functions look like handlers, and what it imports."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator
from enum import IntEnum

from monopack.model import value

EVENT = ("event", "evt")
CONTEXT = ("context", "ctx")
ADAPTERS = ("Mangum", "make_lambda_handler")  # what they return is a handler, whatever it wraps


class Likeness(IntEnum):
    """How much something looks like a handler, the surest first."""

    NAMED = 0  # lambda_handler
    USUAL = 1  # handler, main
    LIKELY = 2  # any(event, context)
    CALLABLE = 3  # whatever takes two arguments; for templates to name


@value()
class Function:
    """Something callable at the top of a module."""

    name: str
    line: int
    likeness: Likeness


def parse(source: bytes) -> ast.Module | None:
    """The tree of a Python file, decoded by PEP 263; None for what Python cannot read."""
    with warnings.catch_warnings():  # `"\d"` is for the user's own linter
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError):
            return None


def handlers(tree: ast.Module, named: Collection[str]) -> tuple[Function, ...]:
    """The functions of a module that are handlers: those `named` by a template, else those that look most like one."""
    found = {function.name: function for node in tree.body for function in _functions(node)}
    chosen = [function for name, function in found.items() if name in named]
    best = min((function.likeness for function in found.values()), default=Likeness.CALLABLE)
    if not chosen and best < Likeness.CALLABLE:
        chosen = [function for function in found.values() if function.likeness == best]
    return tuple(chosen)


def _functions(node: ast.stmt) -> Iterator[Function]:
    """The function that a statement at the top of a module defines, if any."""
    match node:
        case ast.FunctionDef(name=name, args=args) if _takes_two(args):
            yield Function(name=name, line=node.lineno, likeness=_likeness(name, args))
        case ast.Assign(targets=[ast.Name(id=name)], value=given) | ast.AnnAssign(target=ast.Name(id=name), value=given):
            if name == "lambda_handler" and isinstance(given, ast.Name | ast.Attribute | ast.Call | ast.Lambda):
                yield Function(name=name, line=node.lineno, likeness=Likeness.NAMED)
            elif isinstance(given, ast.Call):
                likeness = Likeness.USUAL if _called(given) in ADAPTERS else Likeness.CALLABLE
                yield Function(name=name, line=node.lineno, likeness=likeness)


def _takes_two(args: ast.arguments) -> bool:
    """Whether a function can be called with two positional arguments, and names both."""
    positional = [*args.posonlyargs, *args.args]
    needed_by_name = any(default is None for default in args.kw_defaults)
    return len(positional) - len(args.defaults) <= 2 <= len(positional) and not needed_by_name


def _likeness(name: str, args: ast.arguments) -> Likeness:
    first, second = ([*args.posonlyargs, *args.args][place].arg.strip("_") for place in (0, 1))
    if name == "lambda_handler":
        return Likeness.NAMED
    if name == "handler" and (first in ("", *EVENT) or second in ("", *CONTEXT)):  # not one of signals, or of errors
        return Likeness.USUAL
    if name.startswith("_") or first not in EVENT or second not in CONTEXT:
        return Likeness.CALLABLE
    return Likeness.USUAL if name == "main" else Likeness.LIKELY


def _called(call: ast.Call) -> str:
    """The last part of the name that is called."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def imported(tree: ast.Module) -> frozenset[str]:
    """Every dotted name that a module may import, `from a import b` as `a` and `a.b`; relative ones begin with a dot."""
    return frozenset(name for node in ast.walk(tree) for name in _imported(node))


def _imported(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            base = "." * level + (module or "")
            yield base
            yield from (f"{base}.{alias.name}" for alias in names)
