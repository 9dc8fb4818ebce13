"""Places in the project that expressions stand for, such as `Path(__file__).parent / "data"`, and the names of such places."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from monopack.trace.findings import Spot
from monopack.trace.flow import Context, Seen
from monopack.trace.names import Names
from monopack.trace.spelling import spelled

OWN_FILE = "__file__"
OWN_FOLDER = frozenset({"__name__", "__package__", "__spec__.name", "__spec__.parent", "__spec__"})
RESOURCES = ("importlib.resources.", "importlib_resources.")
SAME = frozenset({
    "str", "os.fspath", "os.path.abspath", "os.path.realpath", "os.path.normpath", "importlib.resources.as_file",
    "importlib_resources.as_file",
})  # fmt: skip
JOINING = frozenset({
    "os.path.join", "posixpath.join", "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath",
})  # fmt: skip
SAME_METHODS = frozenset({"resolve", "absolute", "as_posix", "expanduser", "__fspath__"})
PATH_METHODS = SAME_METHODS | {"joinpath", "with_name", "with_suffix"}
DEEPEST = 60  # an expression that is nested deeper spells no path


class Scope:
    """What the names of one module stand for, as far as they are text or places."""

    def __init__(self, seen: Seen, names: Names) -> None:
        self.names = names
        self._assigned: dict[str, list[tuple[ast.expr, Context]]] = {}
        self._known: dict[str, tuple[Spot, ...]] = {}
        plain = (alias.name for node, _ in seen.get(ast.Import, ()) for alias in node.names if not alias.asname)
        self._imported = {name.partition(".")[0] for name in plain}
        for node, context in (*seen.get(ast.Assign, ()), *seen.get(ast.AnnAssign, ())):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if node.value and isinstance(target, ast.Name | ast.Attribute):
                    self._assigned.setdefault(spelled(target), []).append((node.value, context))

    def assigned(self) -> Iterator[tuple[str, ast.expr]]:
        """Every name that gets a value, with that value."""
        return ((name, value) for name, values in self._assigned.items() for value, _ in values)

    def shown(self) -> Mapping[str, tuple[Spot, ...]]:
        """The places that other modules can take from this one by name."""
        top = (name for name, values in self._assigned.items() if not all(context.local for _, context in values))
        return {name: found for name in top if "." not in name and (found := self.named(name, 0))}

    def named(self, name: str, depth: int) -> tuple[Spot, ...]:
        """The places that a name may stand for."""
        if name not in self._known:
            self._known[name] = ()  # while it is asked for: a name may be made from itself
            found = [spot for value, _ in self._assigned.get(name, ()) for spot in spots(value, self, depth + 1)]
            self._known[name] = tuple(dict.fromkeys(found))
        return self._known[name]

    def text(self, node: ast.expr | None) -> str | None:
        """The text that an expression surely is, None where that cannot be told."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        values = self._assigned.get(spelled(node), ()) if isinstance(node, ast.Name | ast.Attribute) else ()
        literal = [value.value for value, _ in values if isinstance(value, ast.Constant)]
        return literal[0] if len(values) == 1 and literal and isinstance(literal[0], str) else None

    def elsewhere(self, node: ast.expr) -> str:
        """The name in another module that an expression stands for, an empty string for none."""
        head = spelled(node).partition(".")[0]
        return self.names.origin(node) if head in self.names.aliases or head in self._imported else ""

    def called(self, call: ast.Call) -> str:
        """What a call calls, by its full name."""
        origin = self.names.origin(call.func)
        return origin.replace("posixpath.", "os.path.") if origin.startswith("posixpath.") else origin


def spots(node: ast.expr | None, scope: Scope, depth: int = 0) -> list[Spot]:
    """The places that an expression may stand for; none where it is no path, or does not begin at a known place."""
    kind = SPELLED.get(type(node))
    return kind(node, scope, depth + 1) if kind and depth < DEEPEST else []


def spine(node: ast.expr) -> Iterator[ast.expr]:
    """The expressions that a path is made from, from the whole to what it begins with."""
    inner: ast.expr | None = node
    while inner is not None:
        yield inner
        match inner:
            case ast.BinOp(left=begin) | ast.JoinedStr(values=[ast.FormattedValue(value=begin), *_]):
                inner = begin
            case ast.Subscript(value=ast.Attribute(attr="parents", value=begin)) | ast.Attribute(attr="parent", value=begin):
                inner = begin
            case ast.Call(func=ast.Attribute(attr=attr, value=begin)) if attr in PATH_METHODS:
                inner = begin
            case ast.Call(args=[begin, *_]):
                inner = begin
            case _:
                inner = None


def anchored(anchor: ast.expr | None, scope: Scope) -> list[Spot]:
    """The folder of a package or module that is named: by text, by itself, or by `__name__` and `__package__`."""
    if anchor is None or (isinstance(anchor, ast.Name | ast.Attribute) and spelled(anchor) in OWN_FOLDER):
        return [Spot()]
    if isinstance(anchor, ast.Attribute) and anchor.attr in ("__name__", "__package__"):
        anchor = anchor.value
    start = scope.text(anchor) or scope.elsewhere(anchor)
    return [Spot(start=start)] if start else []


def leads_on(spot: Spot) -> bool:
    """Whether a place is more than the folder that it begins with, and more than folders above."""
    return spot.computed or spot.path.rpartition("/")[2] not in ("..", ".", OWN_FILE)


# ---------------------------------------------------------------- kinds of expressions


def _name(node: Any, scope: Scope, depth: int) -> list[Spot]:
    """`__file__`, and what names stand for, here or elsewhere."""
    if node.id == OWN_FILE:
        return [Spot(path=OWN_FILE)]
    return _meant(node, scope, depth)


def _attribute(node: Any, scope: Scope, depth: int) -> list[Spot]:
    """`app.__file__`, `path.parent`, `settings.HERE`."""
    start = scope.elsewhere(node.value) if node.attr == OWN_FILE else ""
    if start:
        return [Spot(start=start, path=OWN_FILE)]
    return _up(spots(node.value, scope, depth), 1) if node.attr == "parent" else _meant(node, scope, depth)


def _meant(node: ast.expr, scope: Scope, depth: int) -> list[Spot]:
    """What a name stands for: places that it gets here, else what it is in another module."""
    start = scope.elsewhere(node)
    return [*scope.named(spelled(node), depth)] or ([Spot(start=start)] if start else [])


def _subscript(node: Any, scope: Scope, depth: int) -> list[Spot]:
    """`path.parents[1]`."""
    match node:
        case ast.Subscript(value=ast.Attribute(attr="parents", value=inner), slice=ast.Constant(value=int(count))):
            return _up(spots(inner, scope, depth), count + 1)
    return []


def _operation(node: Any, scope: Scope, depth: int) -> list[Spot]:
    """`path / "x"`, `path + "/x"`."""
    if isinstance(node.op, ast.Div):
        return extended(spots(node.left, scope, depth), [node.right], scope)
    return _glued(spots(node.left, scope, depth), [node.right], scope) if isinstance(node.op, ast.Add) else []


def _formatted(node: Any, scope: Scope, depth: int) -> list[Spot]:
    """`f"{path}/x"`."""
    match node.values:
        case [ast.FormattedValue(value=inner), *rest]:
            return _glued(spots(inner, scope, depth), rest, scope)
    return []


def _choice(node: Any, scope: Scope, depth: int) -> list[Spot]:
    """`path if a else other`, `path or other`."""
    choices = node.values if isinstance(node, ast.BoolOp) else [node.body, node.orelse]
    return [spot for choice in choices for spot in spots(choice, scope, depth)]


def _call(node: Any, scope: Scope, depth: int) -> list[Spot]:
    """What a call gives whose result is a path."""
    called = scope.called(node)
    first = node.args[0] if node.args else None
    if called in SAME:
        return spots(first, scope, depth)
    if called in JOINING or called.endswith("Path"):  # a class of the project that is made from a path is one, whatever it adds
        return extended(spots(first, scope, depth), node.args[1:], scope)
    if called == "os.path.dirname":
        return _up(spots(first, scope, depth), 1)
    if called.startswith(RESOURCES) and called.endswith(".files"):
        return anchored(first or next((k.value for k in node.keywords), None), scope)
    return _method(node, scope, depth) if isinstance(node.func, ast.Attribute) else []


def _method(node: Any, scope: Scope, depth: int) -> list[Spot]:
    """What a method of a path gives."""
    method = node.func.attr
    if method not in PATH_METHODS:
        return []
    found = spots(node.func.value, scope, depth)
    if method == "joinpath":
        return extended(found, node.args, scope)
    if method == "with_name":
        return extended(_up(found, 1), node.args, scope)
    if method == "with_suffix":
        suffix = scope.text(node.args[0]) if node.args else None
        return [] if suffix is None else [s._replace(path=posixpath.splitext(s.path)[0] + suffix) for s in found]
    return found


SPELLED: Mapping[type, Callable[[Any, Scope, int], list[Spot]]] = {
    ast.Name: _name, ast.Attribute: _attribute, ast.Subscript: _subscript, ast.BinOp: _operation, ast.JoinedStr: _formatted,
    ast.IfExp: _choice, ast.BoolOp: _choice, ast.Call: _call,
}  # fmt: skip


# ---------------------------------------------------------------- steps along a path


def extended(starts: list[Spot], tails: Iterable[ast.expr], scope: Scope) -> list[Spot]:
    """Places with each of some parts added; after one that is not known, nothing is."""
    for tail in tails:
        text, folder = scope.text(tail), _beginning([tail]).rpartition("/")[0]
        if isinstance(tail, ast.Constant) and text is None:
            return []  # a number: nothing that divides is a path
        if text is not None and text.startswith("/"):
            return []
        starts = [_joined(spot, text) if text is not None else _joined(spot, folder)._replace(computed=True) for spot in starts]
    return starts


def _glued(starts: list[Spot], tails: list[ast.expr], scope: Scope) -> list[Spot]:
    """Places with text written after them, which has to begin with a slash."""
    text = scope.text(tails[0]) if len(tails) == 1 else None
    beginning = _beginning(tails) if text is None else text
    if not beginning.startswith("/"):
        return []
    if text is not None:
        return [_joined(spot, text[1:]) for spot in starts]
    return [_joined(spot, beginning[1:].rpartition("/")[0])._replace(computed=True) for spot in starts]


def _beginning(parts: list[ast.expr]) -> str:
    """The text that some parts of a string surely begin with."""
    begin: ast.expr | None = parts[0] if parts else None
    for _ in range(DEEPEST):
        match begin:
            case ast.BinOp(left=left):
                begin = left
            case ast.JoinedStr(values=[first, *_]):
                begin = first
            case ast.Call(func=ast.Attribute(attr="format", value=template)):
                begin = template
            case ast.Constant(value=str(text)):
                return text.partition("{")[0].partition("%")[0]
            case _:
                break
    return ""


def _joined(spot: Spot, tail: str) -> Spot:
    """A place further along; below a place that is not known, everything counts as there."""
    return spot if spot.computed else spot._replace(path=posixpath.normpath(posixpath.join(spot.path, tail.replace("\\", "/"))))


def _up(places: list[Spot], count: int) -> list[Spot]:
    """The folders above places."""
    return [_joined(spot, "/".join([".."] * count)) for spot in places]
