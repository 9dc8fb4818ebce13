"""What can be said of a pack without running it: whether its module binds its handler. Thinks only."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from monopack.model import Failure
from monopack.verify.words import Request

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def unrun(source: bytes, path: str, request: Request) -> tuple[Failure, ...]:
    """A failure when the entry module, the file `path` with these bytes, does not bind the request's handler.

    A module that binds names which cannot be seen (a star import, `__getattr__`) is believed.
    """
    wanted = request.handler.partition(".")[0]
    bound = set(_bound(ast.parse(source)))
    if not wanted or not bound.isdisjoint({wanted, "*", "__getattr__"}):
        return ()
    message, hint = f"defines no {wanted}, which is to be its handler", f"write def {wanted}(event, context): ..."
    return (Failure(kind="handler", message=message, where=path, hint=hint),)


def _bound(node: ast.AST) -> Iterator[str]:
    """The names that running a module binds in it."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=given):
                yield given or name.partition(".")[0]
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
        if not isinstance(child, SCOPES):
            yield from _bound(child)
