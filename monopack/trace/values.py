"""What expressions may be worth as texts, as far as the source of one file tells.

A text may hold `ANY` for what only running the code would tell, and `ONE` for the name of a module that code finds by listing
a package; it begins with `OWN` where it continues the file's own package, once more for each package above.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from string import Formatter

from monopack.trace.scopes import Binding, Site
from monopack.trace.spelling import literals, spelled
from monopack.trace.tables import DEEPEST, Tables

ANY = "*"
ONE = "?"
OWN = "\0"
SIGNS = (ANY, ONE, OWN)
UNKNOWN = (ANY,)
MOST = 200  # texts that one expression may be
SPLITTING = frozenset({"split", "rsplit", "partition", "rpartition"})
PLAIN_METHODS = frozenset({"lower", "upper", "strip", "lstrip", "rstrip", "replace", "removeprefix", "removesuffix", "title"})
PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[-#0 +]*[\d*]*(?:\.\d+)?([a-zA-Z%])")


class Values(Tables):
    """What the expressions of one file may be worth as texts."""

    def texts(self, node: ast.expr | None, site: Site) -> tuple[str, ...]:
        """All texts that an expression may be."""
        if node is None or site.depth > DEEPEST:
            return UNKNOWN
        found = tuple(dict.fromkeys(self._texts(node, site.deeper)))
        return found if len(found) <= MOST else UNKNOWN

    def _texts(self, node: ast.expr, site: Site) -> Iterable[str]:
        match node:
            case ast.Constant(value=constant):
                literal = str(constant)
                known = isinstance(constant, str | int) and not any(sign in literal for sign in SIGNS)
                return (literal,) if known else UNKNOWN
            case ast.Name(id="__name__" | "__package__"):
                return (OWN,)
            case ast.Name(id=name):
                return self._held(self._bindings(name, site), site.within(name))
            case ast.JoinedStr(values=parts):
                return self._joined([self._formatted(part, site) for part in parts])
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._joined([self.texts(left, site), self.texts(right, site)])
            case ast.BinOp(left=template, op=ast.Mod(), right=right):
                return [text for each in self.texts(template, site) for text in self._joined(self._percent(each, right, site))]
        return self._chosen(node, site)

    def _chosen(self, node: ast.expr, site: Site) -> Iterable[str]:
        """The texts of an expression that chooses among others, or asks something else."""
        match node:
            case ast.IfExp(body=one, orelse=other):
                return (*self.texts(one, site), *self.texts(other, site))
            case ast.BoolOp(values=values):
                return [text for each in values for text in self.texts(each, site)]
            case ast.NamedExpr(value=inner) | ast.Await(value=inner):
                return self.texts(inner, site)
            case ast.Subscript(value=whole, slice=key):
                return self._picked(whole, key, site)
            case ast.Attribute():
                return self._attribute(node, site)
            case ast.Call():
                return self._called(node, site)
        return UNKNOWN

    def _held(self, bindings: Iterable[Binding], site: Site) -> Iterable[str]:
        """What a name may hold."""
        found = [text for binding in bindings for text in self._bound(binding, site)]
        return found or UNKNOWN

    def _bound(self, binding: Binding, site: Site) -> Iterable[str]:
        sources = [binding.source] if not binding.each else self.items(binding.source, site)
        for source in sources:
            if not binding.parts:
                yield from self.texts(source, site)
            else:
                yield from self._part(source, binding.parts, site)

    def _part(self, source: ast.expr | None, parts: tuple[int, ...], site: Site) -> Iterable[str]:
        """One part of what is taken apart: of a pair, of a text that is split, or of what a table holds."""
        if not parts:
            return self.texts(source, site)
        if site.depth > DEEPEST:
            return UNKNOWN
        first, *rest = parts
        match source:
            case ast.Tuple(elts=items) | ast.List(elts=items):
                return self._part(items[first], tuple(rest), site.deeper) if first < len(items) else UNKNOWN
            case ast.Call() if self._lists_modules(source):
                return (ONE,)
            case ast.Call(func=ast.Attribute(value=text, attr=method), args=args) if method in SPLITTING:
                return [_split(each, method, args, first) for each in self.texts(text, site)]
            case ast.Subscript(value=whole, slice=key) | ast.Call(func=ast.Attribute(value=whole, attr="get"), args=[key]):
                values = [each for _, each in self._at(whole, key, site.deeper)]
                return [text for each in values for text in self._part(each, parts, site.deeper)] or UNKNOWN
        return UNKNOWN

    def _joined(self, parts: Iterable[Iterable[str]]) -> Iterable[str]:
        """Every way to put parts together."""
        choices = [list(part) for part in parts]
        ways = 1
        for choice in choices:
            ways *= len(choice)
        if ways > MOST:
            choices = [choice if len(choice) == 1 else [ANY] for choice in choices]
        return ["".join(way) for way in product(*choices)]

    def _formatted(self, part: ast.expr, site: Site) -> Iterable[str]:
        match part:
            case ast.FormattedValue(value=inner, conversion=-1 | 115, format_spec=None):
                return self.texts(inner, site)
            case ast.Constant():
                return self.texts(part, site)
        return UNKNOWN

    def _percent(self, template: str, right: ast.expr, site: Site) -> Iterator[Iterable[str]]:
        """The parts of `"app.%s" % name`."""
        given = iter(right.elts if isinstance(right, ast.Tuple) else [right])
        keyed = {self._key(key): each for key, each in self.entries(right, site)} if isinstance(right, ast.Dict) else {}
        end = 0
        for found in PLACEHOLDER.finditer(template):
            yield (template[end : found.start()],)
            end = found.end()
            if found[2] == "%":
                yield ("%",)
            else:
                yield self.texts(keyed.get(found[1]) if found[1] else next(given, None), site)
        yield (template[end:],)

    def _format(self, template: str, call: ast.Call, site: Site) -> Iterable[str]:
        """The parts of `"app.{}".format(name)`."""
        keyed = {keyword.arg: keyword.value for keyword in call.keywords}
        parts: list[Iterable[str]] = []
        try:
            fields = list(Formatter().parse(template))
        except ValueError:
            return UNKNOWN
        for number, (before, field, _, _) in enumerate(fields):
            parts.append((before,))
            if field is not None:
                index = int(field) if field.isdigit() else number if not field else len(call.args)
                given = call.args[index] if index < len(call.args) else keyed.get(field)
                parts.append(self.texts(given, site))
        return self._joined(parts)

    def _attribute(self, node: ast.Attribute, site: Site) -> Iterable[str]:
        match node:
            case ast.Attribute(value=ast.Name(id="__spec__"), attr="name" | "parent"):
                return (OWN,)
            case ast.Attribute(value=ast.Name() | ast.Attribute() as module, attr="__name__" | "__package__"):
                return (self.module(module, site),)
            case ast.Attribute(value=ast.Name(id=name), attr="name") if self._is_listed(site.scope.look_up(name)):
                return self._held(site.scope.look_up(name), site)
            case ast.Attribute(value=ast.Name(), attr=name):
                return self._held(self._file.attributes.get(name, ()), site)
        return UNKNOWN

    def module(self, node: ast.expr, site: Site) -> str:
        """The name of the module that an expression is; `ANY` when it is none that is imported here."""
        origin, head = self.names.origin(node), spelled(node).partition(".")[0]
        if head not in self.names.aliases and (not head or site.scope.look_up(head)):
            return ANY
        bare = origin.lstrip(".")
        return OWN * (len(origin) - len(bare)) + "." + bare if len(bare) < len(origin) else origin

    def _called(self, node: ast.Call, site: Site) -> Iterable[str]:
        match node:
            case ast.Call(func=ast.Attribute(value=template, attr="format")):
                return [text for each in self.texts(template, site) for text in self._format(each, node, site)]
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(between)), attr="join"), args=[parts]):
                return self._with_between(between, parts, site)
            case ast.Call(func=ast.Attribute(attr="get" | "getenv" | "pop"), args=[_, default]):
                return (*self._looked_up(node.func, site), *self.texts(default, site))
            case ast.Call(func=ast.Attribute(attr="get"), args=[_]):
                return self._looked_up(node.func, site)
            case ast.Call(func=ast.Name(id="str"), args=[inner]):
                return self.texts(inner, site)
            case ast.Call(func=ast.Attribute(value=text, attr=method), args=args) if method in PLAIN_METHODS:
                return self._changed(self.texts(text, site), method, args)
            case ast.Call() if self._lists_modules(node):
                return (ONE,)
        return UNKNOWN

    def _looked_up(self, function: ast.expr, site: Site) -> Iterable[str]:
        """What `TABLE.get(...)` may give."""
        entries = self.entries(function.value, site) if isinstance(function, ast.Attribute) else []
        return [text for _, each in entries for text in self.texts(each, site)] or UNKNOWN

    def _with_between(self, between: str, parts: ast.expr, site: Site) -> Iterable[str]:
        if not isinstance(parts, ast.List | ast.Tuple):
            return UNKNOWN
        pieces: list[Iterable[str]] = [self.texts(part, site) for part in parts.elts]
        return self._joined([piece for part in pieces for piece in ((between,), part)][1:])

    def _changed(self, texts: Iterable[str], method: str, args: list[ast.expr]) -> Iterable[str]:
        given = [arg.value for arg in args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if len(given) != len(args) or any(sign in text for text in texts for sign in SIGNS):
            return UNKNOWN
        try:
            return [getattr(text, method)(*given) for text in texts]
        except TypeError:
            return UNKNOWN

    def _picked(self, whole: ast.expr, key: ast.expr, site: Site) -> Iterable[str]:
        """What `TABLE[key]` may be: the entry of a literal key, else any."""
        if isinstance(whole, ast.Call) and isinstance(key, ast.Constant) and isinstance(key.value, int):
            return self._part(whole, (key.value,), site)
        if isinstance(whole, ast.Name) and self._is_listed(site.scope.look_up(whole.id)):
            return self._held(site.scope.look_up(whole.id), site)
        return [text for _, each in self._at(whole, key, site) for text in self.texts(each, site)] or UNKNOWN

    # ------------------------------------------------------------ lazy packages

    def lazy_names(self, site: Site) -> Mapping[str, frozenset[str]] | None:
        """Of code in a module's `__getattr__` (PEP 562): the texts that stand with each other in its tables and lists.

        A key stands with the texts in its value, and each of these with the key; an item of a list with itself. None elsewhere.
        """
        function = site.scope.node
        if getattr(function, "name", "") != "__getattr__" or site.scope.outer is not self._file.module:
            return None
        pairs: dict[str, set[str]] = {}
        used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        for name in sorted(used & self._file.module.bound.keys()):
            for key, each in self.entries(ast.Name(id=name, ctx=ast.Load()), Site(scope=self._file.module)):
                texts = literals(each)
                keys = literals(key) or texts
                for one, other in [*product(keys, texts), *product(texts, keys)]:
                    pairs.setdefault(one, set()).add(other)
        return {text: frozenset(others) for text, others in pairs.items()}


def _split(text: str, method: str, args: list[ast.expr], index: int) -> str:
    """One part of a text that is split by a method; `ANY` where it cannot be told."""
    if text == OWN:
        return OWN if method.startswith("r") and index == 0 else ANY  # `__name__.rpartition(".")[0]` of a module
    given = [arg.value for arg in args if isinstance(arg, ast.Constant)]
    if len(given) != len(args) or any(sign in text for sign in SIGNS):
        return ANY
    try:
        part: str = getattr(text, method)(*given)[index]
    except (TypeError, ValueError, IndexError):
        return ANY
    return part
