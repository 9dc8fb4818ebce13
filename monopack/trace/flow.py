"""When code runs: the syntax nodes of a module that can run on the target, each with what is known about when."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from monopack.model import value
from monopack.trace.guards import Known, decide, probes
from monopack.trace.spelling import literals

CATCHES_IMPORT_ERROR = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


@value()
class Context:
    """What is known about a piece of code.

    `lazy` says that it does not (surely) run when the module is imported, `optional` that the code copes when it fails, `local`
    that the names it binds are those of a function or class. In a module's `__getattr__` (PEP 562) `parameter` holds the name
    that the module is asked for, and `behind` are the names for which the code runs, where it says so.
    """

    lazy: bool = False
    optional: bool = False
    local: bool = False
    parameter: str = ""
    behind: tuple[str, ...] = ()

    @property
    def later(self) -> Context:
        """The same for code that does not surely run."""
        return self if self.lazy else replace(self, lazy=True)

    @property
    def coping(self) -> Context:
        """The same for code that may fail."""
        return self if self.lazy and self.optional else replace(self, lazy=True, optional=True)

    @property
    def inside(self) -> Context:
        """The same for the code of a class."""
        return self if self.local else replace(self, local=True)

    @property
    def called(self) -> Context:
        """The same for the code of a function."""
        if self.lazy and self.local:
            return self
        if not (self.optional or self.parameter or self.behind):
            return CALLED
        return Context(lazy=True, optional=self.optional, local=True, parameter=self.parameter, behind=self.behind)


CALLED = Context(lazy=True, local=True)

Step = tuple[ast.AST, Context]
Seen = Mapping[type[ast.AST], list[tuple[Any, Context]]]
Parts = Callable[[Any, Context, Known], list[Step]]


def reachable(tree: ast.Module, known: Known) -> list[Step]:
    """Every node that names, binds or imports something (`TELLING`) and can run on a target, a node before those inside it.

    `known` is what is known before it runs (`guards.known_of`). The syntax tree is walked with a stack: deep nesting costs no
    recursion.
    """
    found: list[Step] = []
    stack: list[Step] = [(tree, Context())]
    push = stack.append
    while stack:
        node, context = step = stack.pop()
        tells, parts, fields = PLAN[type(node)]
        if tells:
            found.append(step)
        if parts:
            stack += parts(node, context, known)
            continue
        silent = SILENT_INSIDE if context.local else SILENT
        for name in fields:  # as `_children`, in line and in plain loops: this is where tracing spends its time
            part: Any = getattr(node, name, None)
            if type(part) is list:
                for child in part:
                    if type(child) not in silent:
                        push((child, context))
            elif type(part) not in silent:
                push((part, context))
    return found


def by_kind(steps: Iterable[Step]) -> Seen:
    """The nodes of each kind, with what is known about them."""
    seen: dict[type[ast.AST], list[tuple[Any, Context]]] = {}
    for step in steps:
        kind = type(step[0])
        if kind in seen:
            seen[kind].append(step)
        else:
            seen[kind] = [step]
    return seen


def import_statements(tree: ast.Module, known: Known) -> Iterator[Step]:
    """The import statements of a module alone, as `reachable` gives them; no expression is looked at."""
    stack: list[Step] = [(tree, Context())]
    while stack:
        node, context = step = stack.pop()
        kind = type(node)
        if kind in (ast.Import, ast.ImportFrom):
            yield step
        elif not isinstance(node, ast.expr):
            parts = PARTS.get(kind)
            inner = parts(node, context, known) if parts else _each(_children(node, kind), context)
            stack.extend(step for step in inner if isinstance(step[0], ast.AST))


def _children(node: ast.AST, kind: type[ast.AST]) -> list[Any]:
    """What `ast.iter_child_nodes` gives for a node of a kind, in less time: without operators, and with a plain text or None."""
    children: list[Any] = []
    for name in FIELDS[kind]:
        part = getattr(node, name, None)
        if type(part) is list:
            children += part
        else:
            children.append(part)
    return children


def _each(nodes: Iterable[ast.AST | None], context: Context) -> list[Step]:
    """A step for each node; absent ones (None) are left out."""
    return [(node, context) for node in nodes if node is not None]


def _function(node: Any, context: Context, _known: Known) -> list[Step]:
    """`def` and `lambda`: defaults, decorators and annotations run with the code around, the body when it is called."""
    around = [*getattr(node, "decorator_list", ()), node.args, getattr(node, "returns", None)]
    body = node.body if isinstance(node.body, list) else [node.body]
    inner = context.called
    if getattr(node, "name", "") == "__getattr__" and node.args.args and not context.local:
        inner = replace(inner, parameter=node.args.args[0].arg)
    return _each(around, context) + _each(body, inner)


def _arguments(node: Any, context: Context, _known: Known) -> list[Step]:
    """The parameters of a function: annotations and defaults."""
    named = [*node.posonlyargs, *node.args, node.vararg, *node.kwonlyargs, node.kwarg]
    return _each([arg.annotation for arg in named if arg] + node.kw_defaults + node.defaults, context)


def _class(node: Any, context: Context, _known: Known) -> list[Step]:
    """`class`: all of it runs with the code around."""
    return _each([*node.decorator_list, *node.bases, *node.keywords], context) + _each(node.body, context.inside)


def _condition(node: Any, context: Context, known: Known) -> list[Step]:
    """`if`, `while` and `a if b else c`: the branch that is decided, or both, neither of them surely.

    Where the condition asks whether a module can be found, the code copes without it.
    """
    holds = decide(node.test, known)
    inner = context.coping if probes(node.test, known) else context.later if holds is None else context
    steps: list[Step] = [(node.test, context)]
    if holds is not False:
        body = node.body if isinstance(node.body, list) else [node.body]
        behind = _compared(node.test, context.parameter) if context.parameter else ()
        steps += _each(body, replace(inner, behind=behind) if behind else inner)
    if holds is not True:
        steps += _each(node.orelse if isinstance(node.orelse, list) else [node.orelse], inner)
    return steps


def _loop(node: Any, context: Context, _known: Known) -> list[Step]:
    """`for`: there may be nothing to loop over, and a `break` before its `else`."""
    return _each([node.target, node.iter], context) + _each([*node.body, *node.orelse], context.later)


def _attempt(node: Any, context: Context, known: Known) -> list[Step]:
    """`try`: where a failing import is caught, neither the attempt nor its fallback has to succeed."""
    if any(_catches(handler.type, known) for handler in node.handlers):
        steps = _each([*node.body, *node.handlers, *node.orelse], context.coping)
    else:
        steps = _each([*node.body, *node.orelse], context) + _each(node.handlers, context.later)
    return steps + _each(node.finalbody, context)


def _with(node: Any, context: Context, known: Known) -> list[Step]:
    """`with`: `contextlib.suppress(ImportError)` is a `try` by another name."""
    suppressed = any(_suppresses(item, known) for item in node.items)
    return _each(node.items, context) + _each(node.body, context.coping if suppressed else context)


def _match(node: Any, context: Context, _known: Known) -> list[Step]:
    """`match`: no case runs surely."""
    steps = _each([node.subject], context)
    for case in node.cases:
        asked = literals(case.pattern) if _is(node.subject, context.parameter) else ()
        steps.append((case, replace(context.later, behind=asked or context.behind)))
    return steps


# The fields of each kind of node that may hold nodes which tell something.
PLAIN = frozenset({"ctx", "op", "ops", "id", "attr", "arg", "kind", "type_comment", "type_ignores", "is_async", "conversion"})
NODES = [kind for kind in vars(ast).values() if hasattr(kind, "_fields") and kind is not ast.Constant]
FIELDS: Mapping[type[ast.AST], list[str]] = {
    **{kind: [name for name in kind._fields if name not in PLAIN] for kind in NODES}, ast.Constant: [],
}  # fmt: skip

# What has parts that run at different times, what tells something, and what tells nothing and has no parts that do.
PARTS: Mapping[type[ast.AST], Parts] = {
    ast.FunctionDef: _function, ast.AsyncFunctionDef: _function, ast.Lambda: _function, ast.arguments: _arguments,
    ast.ClassDef: _class,
    ast.If: _condition, ast.IfExp: _condition, ast.While: _condition, ast.For: _loop, ast.AsyncFor: _loop,
    ast.Try: _attempt, ast.TryStar: _attempt, ast.With: _with, ast.AsyncWith: _with, ast.Match: _match,
}  # fmt: skip
TELLING = frozenset({
    ast.Import, ast.ImportFrom, ast.Call, ast.Subscript, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.FunctionDef,
    ast.AsyncFunctionDef, ast.ClassDef, ast.Name, ast.Global, ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping,
    ast.BinOp, ast.JoinedStr, ast.Return, ast.For, ast.arguments,
})  # fmt: skip
PLAN: Mapping[type[ast.AST], tuple[bool, Parts | None, list[str]]] = {
    kind: (kind in TELLING, PARTS.get(kind), fields) for kind, fields in FIELDS.items()
}
SILENT = frozenset({ast.Constant, ast.alias, ast.Pass, ast.Nonlocal, str, int, bool, type(None)})
SILENT_INSIDE = SILENT | {ast.Name}  # names that are local, or only read


def _catches(caught: ast.expr | None, known: Known) -> bool:
    """Whether an `except` clause catches a failing import."""
    match caught:
        case None:
            return True
        case ast.Tuple(elts=elements):
            return any(_catches(e, known) for e in elements)
        case ast.Name() | ast.Attribute():
            return known.origin(caught).rpartition(".")[2] in CATCHES_IMPORT_ERROR
    return False


def _compared(test: ast.expr, parameter: str) -> tuple[str, ...]:
    """The texts that a condition compares a parameter with: `name == "a"`, `name in ("a", "b")`; none for any other condition."""
    match test:
        case ast.Compare(left=left, ops=[ast.Eq() | ast.In()], comparators=[others]) if _is(left, parameter):
            return literals(others)
    return ()


def _is(node: ast.expr, name: str) -> bool:
    return bool(name) and isinstance(node, ast.Name) and node.id == name


def _suppresses(item: ast.withitem, known: Known) -> bool:
    """Whether a `with` item is `contextlib.suppress` of a failing import."""
    match item.context_expr:
        case ast.Call(func=function, args=args) if known.origin(function).rpartition(".")[2] == "suppress":
            return any(_catches(a, known) for a in args)
    return False
