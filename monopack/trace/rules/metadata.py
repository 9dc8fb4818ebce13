"""Calls that read the metadata of distributions: which of them have to be there, a module that is imported or not."""

from __future__ import annotations

import ast

from monopack.trace.findings import Finding, Needed
from monopack.trace.names import Names
from monopack.trace.rules.calls import argument, text_of

BACKPORT = "importlib_metadata"
OF_ONE = frozenset({
    "importlib.metadata.version", "importlib.metadata.distribution", "importlib.metadata.metadata",
    "importlib.metadata.requires", "importlib.metadata.files", "importlib.metadata.Distribution.from_name",
    "pkg_resources.get_distribution", "pkg_resources.require",
})  # fmt: skip
ENTRY_POINTS = "importlib.metadata.entry_points"


def mentions_metadata(text: str) -> bool:
    """Whether a file's text has the name of a module that reads metadata."""
    return "metadata" in text or "pkg_resources" in text


def metadata_call(node: ast.AST, names: Names) -> list[Finding]:
    """`importlib.metadata.version("x")` and its siblings; the name has to be a literal."""
    if not isinstance(node, ast.Call) or _function(node, names) not in OF_ONE:
        return []
    given = argument(node, 0, "distribution_name")
    name = text_of(given if given is not None else argument(node, 0, "name"))
    return [Needed(distribution=name, line=node.lineno)] if name else []


def entry_points_call(node: ast.AST, names: Names) -> list[Finding]:
    """`entry_points(group="g")`, its older forms `entry_points().select(group="g")` and `.get("g")`, `iter_entry_points("g")`."""
    if not isinstance(node, ast.Call):
        return []
    function = _function(node, names)
    method = node.func.attr if isinstance(node.func, ast.Attribute) and _are_entry_points(node.func.value, names) else ""
    positional = function == "pkg_resources.iter_entry_points" or method == "get"
    if not positional and function != ENTRY_POINTS and method != "select":
        return []
    group = text_of(argument(node, 0 if positional else len(node.args), "group"))
    return [Needed(group=group, line=node.lineno)] if group else []


def entry_points_subscript(node: ast.AST, names: Names) -> list[Finding]:
    """`entry_points()["g"]`."""
    if not isinstance(node, ast.Subscript) or not _are_entry_points(node.value, names):
        return []
    group = text_of(node.slice)
    return [Needed(group=group, line=node.lineno)] if group else []


def _are_entry_points(node: ast.expr, names: Names) -> bool:
    return isinstance(node, ast.Call) and _function(node, names) == ENTRY_POINTS


def _function(call: ast.Call, names: Names) -> str:
    """The function that a call is of, by its full name; the backport of `importlib.metadata` is called like the original."""
    name = names.origin(call.func)
    return f"importlib.metadata{name.removeprefix(BACKPORT)}" if name.startswith(f"{BACKPORT}.") else name
