"""What the code of one file binds names to, function by function."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from monopack.model import value

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@value()
class Binding:
    """What one place binds a name to: an expression, or with `each` its items; `parts` are indexes where it is taken apart.

    Without a `source` it is not known; with `more` it is added to what the name holds already.
    """

    source: ast.expr | None = None
    each: bool = False
    parts: tuple[int, ...] = ()
    more: bool = False


@value()
class Scope:
    """A function, class or module: what it binds, and where its code looks for other names."""

    node: ast.AST
    bound: dict[str, list[Binding]]
    outer: Scope | None = None

    def look_up(self, name: str) -> list[Binding]:
        """The bindings of a name; none when it is not the module's own."""
        scope: Scope | None = self
        while scope:
            if name in scope.bound and not (scope is not self and isinstance(scope.node, ast.ClassDef)):
                return scope.bound[name]
            scope = scope.outer
        return []


@value()
class Site:
    """Where an expression stands, how deep the way to it was, and the names on that way."""

    scope: Scope
    depth: int = 0
    seen: frozenset[str] = frozenset()

    @property
    def deeper(self) -> Site:
        """One step further from where it began."""
        return replace(self, depth=self.depth + 1)

    def within(self, name: str) -> Site:
        """Inside what a name holds."""
        return replace(self, seen=self.seen | {name})


class Bindings:
    """What a file binds: in its functions and classes, at its top level (`module`), and as attributes of whatever object."""

    def __init__(self, tree: ast.Module) -> None:
        self.module = Scope(node=tree, bound={})
        self.attributes: dict[str, list[Binding]] = {}
        self._scopes: dict[ast.AST, Scope] = {}

    @classmethod
    def of(cls, tree: ast.Module) -> Bindings:
        """The bindings of a file."""
        found = cls(tree)
        found._collect(tree)
        return found

    def site(self, node: ast.AST) -> Site:
        """Where a call stands."""
        return Site(scope=self._scopes.get(node, self.module))

    def _collect(self, tree: ast.Module) -> None:
        waiting: deque[tuple[ast.AST, Scope]] = deque([(tree, self.module)])  # outer code first: names are made before they grow
        while waiting:
            node, scope = waiting.popleft()
            if isinstance(node, ast.Call):
                self._scopes[node] = scope
            for target, binding in _bindings(node):
                self._bind(target, binding, scope)
            inner = scope
            if isinstance(node, FUNCTIONS | ast.ClassDef):
                inner = Scope(node=node, bound={}, outer=scope)
                self._parameters(node, inner)
            waiting.extend((child, inner) for child in ast.iter_child_nodes(node))

    def _bind(self, target: ast.expr, binding: Binding, scope: Scope) -> None:
        match target:
            case ast.Name(id=name) if binding.more:
                self._grow(name, binding, scope)
            case ast.Name(id=name):
                scope.bound.setdefault(name, []).append(binding)
                if isinstance(scope.node, ast.ClassDef):
                    self.attributes.setdefault(name, []).append(binding)
            case ast.Attribute(value=ast.Name(), attr=name):
                self.attributes.setdefault(name, []).append(binding)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                for index, each in enumerate(targets):
                    self._bind(each, replace(binding, parts=(*binding.parts, index)), scope)
            case ast.Subscript(value=ast.Name() as whole, slice=key) if binding.source and not binding.each:
                entry = ast.Dict(keys=[key], values=[binding.source])
                self._grow(whole.id, Binding(source=entry), scope)

    def _grow(self, name: str, more: Binding, scope: Scope) -> None:
        """Add to what a name holds already, in whatever scope that is."""
        known = scope.look_up(name)
        (known if known else scope.bound.setdefault(name, [])).append(more)

    def _parameters(self, node: ast.AST, scope: Scope) -> None:
        if not isinstance(node, FUNCTIONS):
            return
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for argument in filter(None, every):
            scope.bound[argument.arg] = [Binding()]
        if getattr(node, "name", "") == "__getattr__" and arguments.args and scope.outer is self.module:
            asked = arguments.args[0].arg
            scope.bound[asked] = list(_asked_for(node, asked)) or [Binding()]
        for argument, default in zip(reversed(arguments.args), reversed(arguments.defaults), strict=False):
            scope.bound[argument.arg].append(Binding(source=default))


def _bindings(node: ast.AST) -> Iterator[tuple[ast.expr, Binding]]:
    """What a node binds, and to what."""
    match node:
        case ast.Assign(targets=targets, value=source):
            for target in targets:
                yield from _assigned(target, source)
        case ast.AnnAssign(target=target, value=ast.expr() as source) | ast.NamedExpr(target=target, value=source):
            yield target, Binding(source=source)
        case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=source):
            yield target, Binding(source=ast.BinOp(left=ast.Name(id=name, ctx=ast.Load()), op=op, right=source))
        case ast.For(target=target, iter=source) | ast.AsyncFor(target=target, iter=source):
            yield target, Binding(source=source, each=True)
        case ast.comprehension(target=target, iter=source):
            yield target, Binding(source=source, each=True)
        case ast.Call(func=ast.Attribute(value=ast.Name() as target, attr="append" | "add"), args=[item]):
            yield target, Binding(source=ast.List(elts=[item], ctx=ast.Load()), more=True)
        case ast.Call(func=ast.Attribute(value=ast.Name() as target, attr="extend" | "update"), args=[source]):
            yield target, Binding(source=source, more=True)
        case ast.withitem(optional_vars=ast.expr() as target):
            yield target, Binding()


def _assigned(target: ast.expr, source: ast.expr) -> Iterator[tuple[ast.expr, Binding]]:
    match target, source:
        case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), (ast.Tuple(elts=parts) | ast.List(elts=parts))) if len(
            targets
        ) == len(parts):
            for one, part in zip(targets, parts, strict=True):
                yield one, Binding(source=part)
        case _:
            yield target, Binding(source=source)


def _asked_for(function: ast.AST, name: str) -> Iterator[Binding]:
    """What a module's `__getattr__` answers for: what it compares the asked name with."""
    for node in ast.walk(function):
        match node:
            case ast.Compare(left=ast.Name(id=asked), ops=[ast.In() | ast.NotIn()], comparators=[many]) if asked == name:
                yield Binding(source=many, each=True)
            case ast.Compare(left=ast.Name(id=asked), ops=[ast.Eq() | ast.NotEq()], comparators=[one]) if asked == name:
                yield Binding(source=one)
