"""What tables and lists hold, as far as the source of one file tells."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from monopack.trace.names import Names
from monopack.trace.scopes import Binding, Bindings, Site

ASKING = ("import_module", "__import__", "run_module", "resolve_name", "find_spec", "iter_modules", "walk_packages", "LazyModule",
          "attach(", "attach_stub(")  # fmt: skip
Entries = list[tuple[ast.expr | None, ast.expr | None]]
DEEPEST = 24  # of names and operators that stand for each other
LISTING = frozenset({"iter_modules", "walk_packages"})
SAME_ITEMS = frozenset({"sorted", "list", "tuple", "set", "frozenset", "reversed", "iter"})


class Tables:
    """The bindings of one file, by which expressions are told; `wanted` says that it has a call which may ask for them."""

    def __init__(self, tree: ast.Module, names: Names, text: str) -> None:
        self.names = names
        self.wanted = any(word in text for word in ASKING)
        self._file = Bindings.of(tree) if self.wanted else Bindings(tree)

    def site(self, node: ast.AST) -> Site:
        """Where a call stands."""
        return self._file.site(node)

    def _bindings(self, name: str, site: Site) -> list[Binding]:
        """What binds a name; inside what it holds itself, only what does not lead there again."""
        bindings = site.scope.look_up(name)
        return [binding for binding in bindings if not _mentions(binding.source, name)] if name in site.seen else bindings

    def _at(self, whole: ast.expr, key: ast.expr, site: Site) -> Entries:
        """The entries of a table that a key may mean."""
        entries = self.entries(whole, site)
        literal = [entry for entry in entries if isinstance(key, ast.Constant) and self._key(entry[0]) == key.value]
        return literal or entries

    def _key(self, key: ast.expr | None) -> Any:
        return key.value if isinstance(key, ast.Constant) else None

    def entries(self, node: ast.expr | None, site: Site) -> Entries:
        """The keys and values of a table, or the places and items of a list; empty when it is neither."""
        if node is None or site.depth > DEEPEST:
            return []
        site = site.deeper
        match node:
            case ast.Dict(keys=keys, values=values):
                return [entry for key, each in zip(keys, values, strict=True) for entry in self._entry(key, each, site)]
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [(ast.Constant(value=index), item) for index, item in enumerate(items)]
            case ast.Name(id=name):
                inner = site.within(name)
                return [entry for binding in self._bindings(name, site) for entry in self._entries_of(binding, inner)]
            case ast.Attribute(value=ast.Name(), attr=name):
                return [entry for binding in self._file.attributes.get(name, ()) for entry in self._entries_of(binding, site)]
        return self._entries_made(node, site)

    def _entries_made(self, node: ast.expr, site: Site) -> Entries:
        """The entries of what an expression makes of others, or takes from them."""
        match node:
            case ast.Subscript(value=whole, slice=key):
                return [entry for _, each in self._at(whole, key, site) for entry in self.entries(each, site)]
            case ast.Call(func=ast.Name(id="dict"), args=args, keywords=keywords):
                named = [(ast.Constant(value=each.arg), each.value) for each in keywords if each.arg]
                return [*(entry for each in args for entry in self.entries(each, site)), *named]
            case ast.BinOp(left=left, right=right):
                return [*self.entries(left, site), *self.entries(right, site)]
        return []

    def _entry(self, key: ast.expr | None, each: ast.expr, site: Site) -> Entries:
        return [(key, each)] if key is not None else self.entries(each, site)  # without a key: `**more`

    def _entries_of(self, binding: Binding, site: Site) -> Entries:
        return self.entries(binding.source, site) if not binding.each and not binding.parts else []

    def items(self, node: ast.expr | None, site: Site) -> list[ast.expr | None]:
        """What a loop over an expression gives, one after the other; None for what is not known."""
        if node is None or site.depth > DEEPEST:
            return [None]
        site = site.deeper
        match node:
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return [one for item in items for one in self._item(item, site)]
            case ast.Dict():
                return [key for key, _ in self.entries(node, site)]
            case ast.Name(id=name):
                return self._items_of(self._bindings(name, site), site.within(name))
            case ast.Attribute(value=ast.Name(), attr=name):
                return self._items_of(self._file.attributes.get(name, ()), site)
        return self._items_made(node, site)

    def _items_made(self, node: ast.expr, site: Site) -> list[ast.expr | None]:
        """The items of what an expression makes of others."""
        match node:
            case ast.BinOp(left=left, op=ast.Add() | ast.BitOr(), right=right):
                return [*self.items(left, site), *self.items(right, site)]
            case ast.ListComp(elt=item) | ast.SetComp(elt=item) | ast.GeneratorExp(elt=item):
                return [item]
            case ast.Call():
                return self._items_called(node, site)
        return [None]

    def _item(self, item: ast.expr, site: Site) -> list[ast.expr | None]:
        return self.items(item.value, site) if isinstance(item, ast.Starred) else [item]

    def _items_of(self, bindings: Iterable[Binding], site: Site) -> list[ast.expr | None]:
        whole = [binding.source if not binding.each and not binding.parts else None for binding in bindings]
        return [item for source in whole for item in self.items(source, site)] or [None]

    def _items_called(self, node: ast.Call, site: Site) -> list[ast.expr | None]:
        match node:
            case ast.Call(func=ast.Attribute(value=table, attr="values"), args=[]):
                return [each for _, each in self.entries(table, site)] or [None]
            case ast.Call(func=ast.Attribute(value=table, attr="keys"), args=[]):
                return [key for key, _ in self.entries(table, site)] or [None]
            case ast.Call(func=ast.Attribute(value=table, attr="items"), args=[]):
                return [_pair(key, each) for key, each in self.entries(table, site)] or [None]
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(words)), attr="split"), args=[]):
                return [ast.Constant(value=word) for word in words.split()]
            case ast.Call(func=ast.Name(id=function), args=[inner, *_]) if function in SAME_ITEMS:
                return self.items(inner, site)
            case ast.Call(func=ast.Name()):
                return self._items_paired(node, site)
        return [node] if self._lists_modules(node) else [None]

    def _items_paired(self, node: ast.Call, site: Site) -> list[ast.expr | None]:
        """The items of `enumerate`, `zip` and `dict`."""
        match node:
            case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *_]):
                return [_pair(None, item) for item in self.items(inner, site)]
            case ast.Call(func=ast.Name(id="zip"), args=[one, other]):
                pairs = zip(self.items(one, site), self.items(other, site), strict=False)
                return [_pair(*pair) for pair in pairs]
            case ast.Call(func=ast.Name(id="dict")):
                return [key for key, _ in self.entries(node, site)] or [None]
        return [node] if self._lists_modules(node) else [None]

    # ------------------------------------------------------------ listed modules

    def _lists_modules(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Call) and self.names.origin(node.func).rpartition(".")[2] in LISTING

    def _is_listed(self, bindings: Iterable[Binding]) -> bool:
        """Whether a name holds what a listing of modules gives."""
        return any(binding.each and binding.source is not None and self._lists_modules(binding.source) for binding in bindings)


def _mentions(node: ast.expr | None, name: str) -> bool:
    parts = ast.walk(node) if node is not None else ()
    return any(isinstance(part, ast.Name) and part.id == name for part in parts)


def _pair(one: ast.expr | None, other: ast.expr | None) -> ast.Tuple:
    nothing = ast.Name(id="", ctx=ast.Load())
    return ast.Tuple(elts=[one or nothing, other or nothing], ctx=ast.Load())
