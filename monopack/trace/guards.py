"""Conditions that are decided before anything runs: what is true on the target, false, or only known at run time."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

Decision = bool | None
Version = tuple[int, ...]

COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip


def decide(test: ast.expr, markers: Mapping[str, str]) -> Decision:
    """Whether a condition holds on a target: True, False, or None when it cannot be told.

    `markers` is the target's PEP 508 environment. `TYPE_CHECKING` is false: type checkers alone take that branch.
    """
    try:
        return _decide(test, markers)
    except RecursionError:  # nobody nests conditions so deeply to have them decided
        return None


def _decide(test: ast.expr, markers: Mapping[str, str]) -> Decision:
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _decide(operand, markers)
            return None if inner is None else not inner
        case ast.BoolOp(op=op, values=values):
            return _combine(isinstance(op, ast.And), [_decide(v, markers) for v in values])
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return False
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compare(left, op, right, markers)
        case ast.Call(func=ast.Attribute(value=subject, attr="startswith"), args=[ast.Constant(value=str(prefix))]):
            known = _known(subject, markers)
            return known.startswith(prefix) if isinstance(known, str) else None
    return None


def _combine(conjunction: bool, parts: list[Decision]) -> Decision:
    """Three-valued `and` / `or`."""
    if conjunction:
        return False if False in parts else None if None in parts else True
    return True if True in parts else None if None in parts else False


def _compare(left: ast.expr, op: ast.cmpop, right: ast.expr, markers: Mapping[str, str]) -> Decision:
    """A comparison of what the target determines with a literal."""
    known, compare = _known(left, markers), COMPARE.get(type(op))
    if known is None or compare is None:
        return None
    try:
        return compare(known, ast.literal_eval(right))
    except (ValueError, TypeError):
        return None


def _known(node: ast.expr, markers: Mapping[str, str]) -> object:
    """The value of an expression that the target determines, else None."""
    match node:
        case ast.Attribute(value=ast.Name(id="sys"), attr="version_info"):
            return _version(markers)
        case ast.Subscript(value=ast.Attribute(value=ast.Name(id="sys"), attr="version_info"), slice=index):
            return _part(_version(markers), index)
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="sys"), attr="version_info"), attr="major"):
            return _version(markers)[0]
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="sys"), attr="version_info"), attr="minor"):
            return _version(markers)[1]
        case ast.Attribute(value=ast.Name(id="sys"), attr="platform"):
            return markers["sys_platform"]
        case ast.Attribute(value=ast.Name(id="os"), attr="name"):
            return markers["os_name"]
    return None


def _version(markers: Mapping[str, str]) -> Version:
    """`sys.version_info` up to its third part; compared with shorter tuples exactly as Python does."""
    return tuple(int(part) for part in markers["python_full_version"].split(".")[:3] if part.isdigit())


def _part(version: Version, index: ast.expr) -> object:
    """`sys.version_info[0]` or `sys.version_info[:2]`, else None."""
    match index:
        case ast.Constant(value=int(position)) if -len(version) <= position < len(version):
            return version[position]
        case ast.Slice(lower=None, upper=ast.Constant(value=int(end)), step=None):
            return version[:end]
    return None
