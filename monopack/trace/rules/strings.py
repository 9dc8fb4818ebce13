"""Strings that name modules for others to import: `INSTALLED_APPS`, `mock.patch("app.x.Y")`, `"app.x:handler"`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from monopack.trace.findings import Finding, Mention
from monopack.trace.names import Names
from monopack.trace.spelling import spelled

DOTTED_NAME = re.compile(r"[^\W\d]\w*(?:(?:\.[^\W\d]\w*)+(?::[^\W\d]\w*(?:\.[^\W\d]\w*)*)?|:[^\W\d]\w*(?:\.[^\W\d]\w*)*)")
# A string, or one of several side by side, that may be (a part of) such a name; escapes may stand for anything.
PLAIN = re.compile(r"""["']\w*+[.:][\w.:]*+["']""")
ESCAPED = re.compile(r"""["'][^"'\n\\]*+\\[^"']*+["']""")
PATCHING = frozenset({"patch", "setattr", "delattr"})  # those of unittest.mock, pytest-mock, and pytest's monkeypatch
# What is told a text, or a name that it does not import: messages, text as such, tasks that run elsewhere, files.
TOLD = frozenset({
    "debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "print", "echo", "write",
    "fail", "skip", "startswith", "endswith", "split", "rsplit", "partition", "rpartition", "replace", "strip",
    "lstrip", "rstrip", "find", "index", "count", "removeprefix", "removesuffix", "encode", "format", "join",
    "send_task", "open", "Path", "exists", "cast", "TypeVar", "NewType", "ForwardRef", "hasattr", "getattr",
    "namedtuple", "set_level", "at_level", "assertLogs", "assertNoLogs", "ModuleType", "ModuleSpec", "find_spec",
    "version", "entry_points", "import_module", "__import__",
})  # fmt: skip


def may_hold_names(text: str) -> bool:
    """Whether a file's text may have a string that names a module; most have none."""
    return PLAIN.search(text) is not None or ("\\" in text and ESCAPED.search(text) is not None)


def patched_name(node: ast.AST, names: Names) -> list[Finding]:
    """`mock.patch("app.x.Y")`, `monkeypatch.setattr("app.x.Y", ...)`: what is patched gets imported."""
    if not isinstance(node, ast.Call) or not node.args or _called(node, names) not in PATCHING:
        return []
    return [*map(_mention, _literals(node.args[0]))] if isinstance(node.args[0], ast.Constant) else []


def dotted_string(node: ast.AST, names: Names) -> list[Finding]:
    """A whole string that looks like `app.x`, `app.x.Y` or `app.x:y`: an argument, a value, a default, an element of such."""
    return [_mention(literal) for value in _values(node, names) for literal in _literals(value)]


def _mention(literal: ast.Constant) -> Mention:
    return Mention(name=str(literal.value), line=literal.lineno)


def _values(node: ast.AST, names: Names) -> list[ast.expr]:
    """The values that a node hands on."""
    match node:
        case ast.Call():
            return _arguments(node, names)
        case ast.Assign(targets=targets, value=value):
            return [] if any(_names_itself(target, value) for target in targets) else [value]
        case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.AugAssign(target=target, value=value):
            return [] if _names_itself(target, value) else [value]
        case ast.Return(value=ast.expr() as value) | ast.For(iter=value):
            return [value]
        case ast.arguments(defaults=defaults, kw_defaults=kw_defaults):
            return [*defaults, *filter(None, kw_defaults)]
    return []


def _arguments(call: ast.Call, names: Names) -> list[ast.expr]:
    """The arguments of a call that may have them imported."""
    called = _called(call, names)
    about_text = called in TOLD or called in PATCHING or "logger" in called.lower() or called.endswith(("Error", "Exception"))
    origin = names.origin(call.func)
    if about_text or origin.startswith(("re.", "sys.modules.", "warnings.")):
        return []
    asks = origin.startswith(("os.environ.", "os.getenv")) and call.args and isinstance(call.args[0], ast.Constant)
    given = call.args[1:] if asks else call.args  # the name of a variable is none of a module
    return [*given, *(k.value for k in call.keywords if k.arg not in ("logger", "logger_name"))]


def _called(call: ast.Call, names: Names) -> str:
    return names.origin(call.func).rpartition(".")[2]


def _names_itself(target: ast.expr, value: ast.expr) -> bool:
    """Whether an assignment tells what a module is or exports, or how a logger is called."""
    word = spelled(target).rpartition(".")[2]
    dunder = word.startswith("__") and word.endswith("__")
    plain = isinstance(value, ast.Constant) and ":" not in str(value.value)  # the name of a logger has no colon
    return dunder or (plain and "log" in word.lower()) or _keeps_loggers(target)


def _keeps_loggers(target: ast.expr) -> bool:
    """Whether a target is `...["loggers"]`, or lies in it."""
    while isinstance(target, ast.Subscript):
        if isinstance(target.slice, ast.Constant) and target.slice.value == "loggers":
            return True
        target = target.value
    return False


def _literals(value: ast.expr) -> Iterator[ast.Constant]:
    """The whole strings in a value that look like dotted names; loggers, and parts of longer strings, are none."""
    stack: list[ast.expr | None] = [value]
    while stack:
        part = stack.pop()
        if not isinstance(part, ast.Constant):
            stack.extend(_parts(part))
        elif isinstance(part.value, str) and DOTTED_NAME.fullmatch(part.value):
            yield part


def _parts(value: ast.expr | None) -> Iterable[ast.expr | None]:
    """What a value holds, or is one of."""
    match value:
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements) | ast.BoolOp(values=elements):
            return elements
        case ast.Dict(keys=keys, values=values):
            held = [value for key, value in zip(keys, values, strict=True) if not _is_loggers(key)]
            return [*keys, *held]
        case ast.IfExp(body=one, orelse=other):
            return [one, other]
        case ast.Starred(value=inner):
            return [inner]
        case ast.BinOp(op=ast.Add() | ast.BitOr(), left=left, right=right):
            return [part for part in (left, right) if not isinstance(part, ast.Constant)]
    return []


def _is_loggers(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value == "loggers"
