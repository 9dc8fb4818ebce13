"""Conditions that are decided before anything runs: what is true on the target, false, or only known at run time."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from monopack.model import value
from monopack.trace.spelling import given_names, meant, spelled, without_circles

Decision = bool | None

COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.In: lambda one, many: one in many, ast.NotIn: lambda one, many: one not in many,
}  # fmt: skip
MARKERS = {
    "sys.platform": "sys_platform", "os.name": "os_name", "sys.implementation.name": "implementation_name",
    "platform.system()": "platform_system", "platform.machine()": "platform_machine",
    "platform.python_implementation()": "platform_python_implementation",
}  # fmt: skip
DECIDING = (*MARKERS.values(), "python_full_version")  # all that conditions are decided by
ALWAYS = {"six.PY2": False, "six.PY3": True}
VERSION_PARTS = ("major", "minor", "micro")
CONDITION = re.compile(r"\b(?:if|elif|while)\b(.*)")
WORD = re.compile(r"[^\W\d]\w*")
DEFINITIONS = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef})
BLOCKS = frozenset({ast.If, ast.Try, ast.TryStar, ast.With, ast.For, ast.While, ast.ExceptHandler})
FINDERS = frozenset({"find_spec", "find_loader"})


@value()
class Known:
    """What is known of a module before its code runs.

    `markers` is the target's PEP 508 environment; `aliases` are what names stand for by imports at the top level; `constants`
    what names in conditions are set to, of which those count that nothing else binds: `once` finds them, in a walk over the
    whole module that few need. `probes` are the names that tell whether a module can be found.
    """

    markers: Mapping[str, str]
    aliases: Mapping[str, str]
    constants: Mapping[str, ast.expr]
    once: Callable[[], frozenset[str]]
    probes: frozenset[str] = frozenset()

    def origin(self, node: ast.expr) -> str:
        """What a dotted expression stands for; that of a call ends in `()`."""
        if isinstance(node, ast.Call) and not node.args and not node.keywords:
            return f"{self.origin(node.func)}()"
        return meant(spelled(node), self.aliases)


def known_of(tree: ast.Module, text: str, markers: Mapping[str, str]) -> Known:
    """What a module's syntax tree and source text tell before its code runs on a target."""
    statements = [statement for statement in _at_the_top(tree) if type(statement) not in DEFINITIONS]
    aliases: dict[str, str] = {}
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name() | ast.Attribute() as meaning):
                aliases[name] = spelled(meaning)
            case ast.Import() | ast.ImportFrom():
                aliases |= given_names(statement)
    aliases = without_circles(aliases)
    probes = _probes(tree, aliases) if any(finder in text for finder in FINDERS) else frozenset[str]()
    constants = _constants(statements, text)

    @cache
    def once() -> frozenset[str]:
        return frozenset(_bound_once(tree, constants))

    return Known(markers=markers, aliases=aliases, constants=constants, once=once, probes=probes)


def decide(test: ast.expr, known: Known) -> Decision:
    """Whether a condition holds on a target: True, False, or None when it cannot be told.

    `TYPE_CHECKING` is false: type checkers alone take that branch.
    """
    try:
        decision = _decide(test, known)
        if decision is None or not any(_is_constant(node, known) for node in ast.walk(test)):
            return decision
        once = known.once()
        return _decide(test, replace(known, constants={name: known.constants[name] for name in known.constants if name in once}))
    except RecursionError:  # nobody nests conditions so deeply to have them decided
        return None


def probes(test: ast.expr, known: Known) -> bool:
    """Whether a condition asks if a module can be found, by `find_spec` or by a name that holds its answer."""
    return bool(known.probes) and any(_finds(node, known.probes) for node in ast.walk(test))


def _is_constant(node: ast.AST, known: Known) -> bool:
    return isinstance(node, ast.Name) and node.id in known.constants


# ---------------------------------------------------------------- what a module sets once and for all


def _at_the_top(tree: ast.Module) -> Iterator[ast.AST]:
    """The statements that run when a module is imported, other than those of classes."""
    stack: list[ast.AST] = [*tree.body]
    while stack:
        statement = stack.pop()
        yield statement
        if type(statement) in BLOCKS:
            for part in ("body", "orelse", "finalbody", "handlers"):
                stack.extend(getattr(statement, part, ()))


def _constants(statements: Iterable[ast.AST], text: str) -> dict[str, ast.expr]:
    """What the names in conditions are by assignments at the top level, and the names in that.

    A plain literal counts where the name is in capitals, as constants are; others may be set from outside.
    """
    found: dict[str, ast.expr] = {}
    for statement in statements:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as meaning)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as meaning)
            ) if name.isupper() or not isinstance(meaning, ast.Constant):
                found[name] = meaning
            case ast.ImportFrom(names=[ast.alias(name="*")]):
                return {}
    tested = {word for condition in CONDITION.findall(text) for word in WORD.findall(condition)} if found else set()
    return {name: found[name] for name in _with_their_parts(tested & found.keys(), found)}


def _with_their_parts(names: Iterable[str], found: Mapping[str, ast.expr]) -> set[str]:
    """Names, and the names that their values are made of."""
    needed: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found and name not in needed:
            needed.add(name)
            waiting.extend(node.id for node in ast.walk(found[name]) if isinstance(node, ast.Name))
    return needed


def _bound_once(tree: ast.Module, names: Iterable[str]) -> list[str]:
    """Those of some names that a module binds in one place only."""
    times = dict.fromkeys(names, 0)
    for node in ast.walk(tree):
        for name in _binds(node):
            if name in times:
                times[name] += 1
    return [name for name, count in times.items() if count == 1]


def _binds(node: ast.AST) -> Iterable[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            return (name,)
        case ast.Global(names=names):
            return names
        case ast.alias(name=name, asname=other):
            return (other or name,)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            return (name,)
    return ()


def _probes(tree: ast.Module, aliases: Mapping[str, str]) -> frozenset[str]:
    """The names of what asks whether a module can be found, and of the answers."""
    probes = {*FINDERS, *(name for name, meaning in aliases.items() if meaning.rpartition(".")[2] in FINDERS)}
    for _ in range(2):  # a function first, then what is set by calling it
        for node in ast.walk(tree):
            for name, answer in _answers(node):
                if any(_finds(part, probes) for part in ast.walk(answer)):
                    probes.add(name)
    return frozenset(probes)


def _answers(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The names that hold what an expression gives, or that give it when they are called."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=answer) | ast.NamedExpr(target=ast.Name(id=name), value=answer):
            yield name, answer
        case ast.FunctionDef(name=name, body=body):
            yield from ((name, statement) for statement in body if isinstance(statement, ast.Return))


def _finds(node: ast.AST, probes: Iterable[str]) -> bool:
    match node:
        case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
            return name in probes
    return False


# ---------------------------------------------------------------- three values


def _decide(test: ast.expr, known: Known) -> Decision:
    match test:
        case ast.Constant(value=constant):
            return bool(constant)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _decide(operand, known)
            return None if inner is None else not inner
        case ast.BoolOp(op=op, values=values):
            return _combine(isinstance(op, ast.And), [_decide(v, known) for v in values])
        case ast.Compare(left=left, ops=ops, comparators=others):
            pairs = zip([left, *others], ops, others, strict=False)
            return _combine(True, [_compare(one, op, other, known) for one, op, other in pairs])
        case ast.Call(func=ast.Attribute(value=subject, attr="startswith"), args=[prefix]):
            return _begins(_worth(subject, known), _worth(prefix, known))
        case ast.Name() | ast.Attribute():
            return _named(test, known)
    return None


def _named(test: ast.Name | ast.Attribute, known: Known) -> Decision:
    """What a name alone decides."""
    origin = known.origin(test)
    if origin in known.constants:
        return _decide(known.constants[origin], known)
    return False if origin.rpartition(".")[2] == "TYPE_CHECKING" else ALWAYS.get(origin)


def _combine(conjunction: bool, parts: list[Decision]) -> Decision:
    """Three-valued `and` / `or`."""
    if conjunction:
        return False if False in parts else None if None in parts else True
    return True if True in parts else None if None in parts else False


def _compare(left: ast.expr, op: ast.cmpop, right: ast.expr, known: Known) -> Decision:
    """A comparison of what the target determines with a literal, either way round."""
    compare = COMPARE.get(type(op))
    one = _worth(left, known) if compare else None
    other = _worth(right, known) if one is not None else None
    if compare is None or other is None:
        return None
    try:
        return compare(one, other)
    except TypeError:
        return None


def _begins(text: object, prefix: object) -> Decision:
    return text.startswith(prefix) if isinstance(text, str) and isinstance(prefix, str | tuple) else None


def _worth(node: ast.expr, known: Known) -> object:
    """The value of an expression that is a literal or that the target determines, else None."""
    match node:
        case ast.Name(id=name) if name in known.constants:
            return _worth(known.constants[name], known)
        case ast.Subscript(value=whole, slice=index):
            return _part(_worth(whole, known), index)
        case ast.Call(func=ast.Attribute(value=text, attr="lower" | "upper" as change), args=[]):
            worth = _worth(text, known)
            return getattr(worth, change)() if isinstance(worth, str) else None
        case ast.Name() | ast.Attribute() | ast.Call():
            return _of_target(known.origin(node), known.markers)
    try:
        literal: object = ast.literal_eval(node)
    except (ValueError, TypeError):
        return None
    return literal


def _of_target(origin: str, markers: Mapping[str, str]) -> object:
    """What an attribute of `sys`, `os` or `platform` is on a target, None for all others."""
    if origin in MARKERS:
        return markers.get(MARKERS[origin])
    if not origin.startswith("sys.version_info"):
        return None
    version = tuple(int(part) for part in re.findall(r"\d+", markers["python_full_version"])[:3])
    whole, _, part = origin.rpartition(".")
    if origin == "sys.version_info":
        return (*version, "final", 0)
    return version[VERSION_PARTS.index(part)] if whole == "sys.version_info" and part in VERSION_PARTS else None


def _part(whole: object, index: ast.expr) -> object:
    """An item or a slice of a tuple or text, as `sys.version_info[:2]`; None where it cannot be told."""
    if not isinstance(whole, tuple | str):
        return None
    try:
        match index:
            case ast.Slice(lower=lower, upper=upper, step=None):
                start, end = (None if bound is None else ast.literal_eval(bound) for bound in (lower, upper))
                part: object = whole[start:end]
            case _:
                part = whole[ast.literal_eval(index)]
    except (ValueError, TypeError, IndexError):
        return None
    return part
