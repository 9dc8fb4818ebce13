"""What the source of a module tells about names: those it binds, those it exports, and what they stand for."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any

from monopack.model import value
from monopack.trace.flow import Seen
from monopack.trace.spelling import given_names, meant, spelled, without_circles

# Words by which code reaches a namespace that it does not spell out: names may be in it that the source does not show.
HIDING = frozenset({
    "globals", "locals", "vars", "exec", "modules", "meta_path", "__dict__", "__path__", "f_globals", "global_enum", "_convert_",
})  # fmt: skip
HINTS = ("global", "locals", "vars", "exec", "modules", "_path", "__dict__", "_convert_")  # parts of these words
ANYTHING = "*"
OWN = frozenset({"self", "cls"})
UPDATING = (".modules.setdefault", ".modules.update", ".__dict__.setdefault", ".__dict__.update")
DOTTED = frozenset({ast.Name, ast.Attribute})


@value()
class Names:
    """What a module's source tells about names; by default nothing.

    `bound` are the names that it has, or may have, at its top level; `first` are those of them that it surely has before it runs
    code of others, and keeps. `exported` are those that its `__all__` lists literally, each with whether it surely does.
    `aliases` maps names to what they stand for (`il` to `importlib`). `given` are attributes that it sets on objects of others
    (`*`: any). `open` says that there may be names, and modules below it, that no source shows.
    """

    bound: frozenset[str] = frozenset()
    exported: Mapping[str, bool] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    first: frozenset[str] = frozenset()
    open: bool = True

    def origin(self, node: ast.expr) -> str:
        """What an expression such as `il.import_module` stands for: `importlib.import_module`."""
        return meant(spelled(node), self.aliases)


def names_of(tree: ast.Module, seen: Seen, text: str) -> Names:
    """The names of a module: its syntax tree, the nodes of it that can run (`flow.by_kind`), and its source text."""
    return Names(
        bound=frozenset(_bound(seen)), exported=_exported(seen), aliases=_aliases(seen), given=frozenset(_given(seen, text)),
        first=frozenset(_first(tree, text)), open=_hides(tree, text),
    )  # fmt: skip


def texts(node: ast.expr | None) -> list[str]:
    """The literal strings in a list, a tuple, a set, or a sum of such."""
    found: list[str] = []
    stack: list[ast.expr | None] = [node] if not isinstance(node, ast.Constant) else []
    while stack:
        match stack.pop():
            case ast.Constant(value=str(text)):
                found.append(text)
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                stack.extend(reversed(elements))
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                stack.extend((right, left))
            case ast.Starred(value=inner):
                stack.append(inner)
    return found


# ---------------------------------------------------------------- bound at the top level


def _imported(node: Any) -> Iterator[str]:
    """The names that an import statement binds."""
    for alias in node.names:
        yield alias.asname or (alias.name.partition(".")[0] if isinstance(node, ast.Import) else alias.name)


def _defined(node: Any) -> tuple[str, ...]:
    return (node.name,) if node.name else ()


BINDING: Mapping[type[ast.AST], Callable[[Any], Iterable[str]]] = {
    ast.Import: _imported, ast.ImportFrom: _imported,
    ast.FunctionDef: _defined, ast.AsyncFunctionDef: _defined, ast.ClassDef: _defined,
    ast.ExceptHandler: _defined, ast.MatchAs: _defined, ast.MatchStar: _defined,
    ast.MatchMapping: lambda node: (node.rest,) if node.rest else (),
    ast.Name: lambda node: (node.id,) if isinstance(node.ctx, ast.Store) else (),
    ast.Global: lambda node: node.names,
}  # fmt: skip


def _bound(seen: Seen) -> Iterator[str]:
    for kind, binds in BINDING.items():
        for node, context in seen.get(kind, ()):
            if not context.local or kind is ast.Global:
                yield from binds(node)


def _first(tree: ast.Module, text: str) -> Iterator[str]:
    """The names that the beginning of a module binds to literals and functions, and that nothing takes away."""
    if "del " in text:
        return
    for statement in tree.body:
        match statement:
            case ast.ImportFrom(module="__future__") | ast.Expr(value=ast.Constant()):
                pass
            case ast.Assign(targets=targets, value=ast.Constant()):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant()):
                yield name
            case ast.FunctionDef(name=name, decorator_list=[], args=ast.arguments(defaults=[], kw_defaults=[])):
                yield name
            case _:
                return


# ---------------------------------------------------------------- exported


def _exported(seen: Seen) -> dict[str, bool]:
    """What `__all__` lists, by assignments, `+=`, `extend` and `append` at the top level."""
    exported: dict[str, bool] = {}
    for kind in (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Call):
        for node, context in seen.get(kind, ()):
            if not context.local:
                for name in filter(None, _listed(node)):
                    exported[name] = exported.get(name, False) or not context.lazy
    return exported


def _listed(node: ast.AST) -> list[str]:
    """The names that a statement or call puts into `__all__`."""
    match node:
        case ast.Assign(targets=targets, value=listed) if "__all__" in map(_word, targets):
            return texts(listed)
        case ast.AnnAssign(target=ast.Name(id="__all__"), value=listed):
            return texts(listed)
        case ast.AugAssign(target=ast.Name(id="__all__"), value=listed):
            return texts(listed)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="__all__"), attr="extend" | "append"), args=[listed]):
            return texts(ast.Tuple(elts=[listed], ctx=ast.Load()))
    return []


# ---------------------------------------------------------------- aliases


def _aliases(seen: Seen) -> dict[str, str]:
    """What names stand for by imports (`import importlib as il`), else by plain assignments (`load = il.import_module`)."""
    aliases: dict[str, str] = {}
    for node, _ in seen.get(ast.Assign, ()):
        if type(node.value) in DOTTED and type(node.targets[0]) is ast.Name:
            aliases[node.targets[0].id] = spelled(node.value)
    for kind in (ast.Import, ast.ImportFrom):
        for node, _ in seen.get(kind, ()):
            aliases |= given_names(node)
    return without_circles(aliases)


# ---------------------------------------------------------------- what the source does not show


def _given(seen: Seen, text: str) -> Iterator[str]:
    """Attributes that code sets on what is not its own: modules may get names from elsewhere."""
    for kind in (ast.Assign, ast.AnnAssign, ast.AugAssign):
        for node, _ in seen.get(kind, ()):
            targets = node.targets if kind is ast.Assign else [node.target]
            if len(targets) > 1 or type(targets[0]) is not ast.Name:  # most are plain names, which are the module's own
                yield from filter(None, map(_set_by, _flat(targets)))
    imported = {name for kind in (ast.Import, ast.ImportFrom) for node, _ in seen.get(kind, ()) for name in _imported(node)}
    for node, _ in seen.get(ast.Call, ()):
        called = spelled(node.func)
        by_name = called in ("setattr", "vars") and node.args and _head(node.args[0]) in imported
        if by_name or (called.endswith(UPDATING) and _head(node.func) not in OWN):
            yield ANYTHING
    if "f_globals" in text:
        yield ANYTHING


def _set_by(target: ast.expr) -> str:
    """The attribute that an assignment to a target sets on what is not the code's own; empty for none."""
    if _head(target) in OWN:
        return ""
    match target:
        case ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=ast.Attribute(attr="modules" | "__dict__")):
            return ANYTHING
    return ""


def _flat(targets: list[ast.expr]) -> Iterator[ast.expr]:
    """The single targets of an assignment."""
    stack = list(targets)
    while stack:
        target = stack.pop()
        if isinstance(target, ast.Tuple | ast.List):
            stack.extend(target.elts)
        else:
            yield target


def _head(node: ast.expr) -> str:
    """The name that an expression such as `sys.modules[x].y` begins with."""
    while not isinstance(node, ast.Name):
        match node:
            case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=inner):
                node = inner
            case _:
                return ""
    return node.id


def _hides(tree: ast.Module, text: str) -> bool:
    """Whether code may bind names that cannot be seen: by a word of `HIDING`, or by a call that is told the module's name."""
    hinted = any(part in text for part in HINTS) and any(word in text and re.search(rf"\b{word}\b", text) for word in HIDING)
    if hinted and any(_word(node) in HIDING for node in ast.walk(tree)):
        return True
    calls = (statement.value for statement in tree.body if isinstance(statement, ast.Expr))
    return any(isinstance(call, ast.Call) and "__name__" in map(_word, call.args) for call in calls)


def _word(node: ast.AST) -> str:
    match node:
        case ast.Name(id=word) | ast.Attribute(attr=word) | ast.alias(name=word):
            return word
    return ""
