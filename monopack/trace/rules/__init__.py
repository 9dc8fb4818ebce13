"""How Python code names what it imports and reads: one function for each way, listed in `RULES`.

A rule looks at one syntax node and at the names of its file, and returns what the node names; `findings` brings every node that
can run to the rules, and adds what is known about when it runs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import replace

from monopack.trace.findings import Finding
from monopack.trace.flow import Context, Step
from monopack.trace.names import Names
from monopack.trace.rules.dynamic import import_function_call, import_module_call
from monopack.trace.rules.statements import from_statement, import_statement

Rule = Callable[[ast.AST, Names], list[Finding]]

RULES: tuple[Rule, ...] = (import_statement, from_statement, import_module_call, import_function_call)
NAMING = frozenset({ast.Import, ast.ImportFrom, ast.Call})  # what a rule looks at


def findings(steps: Iterable[Step], names: Names) -> tuple[Finding, ...]:
    """All that the nodes of a module name, in source order; `names` is what the module's source tells about names."""
    found = [
        _in_context(finding, context, rule)
        for node, context in steps
        if type(node) in NAMING
        for rule in RULES
        for finding in rule(node, names)
    ]
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: finding.line))


def _in_context(finding: Finding, context: Context, rule: Rule) -> Finding:
    lazy, optional = finding.lazy or context.lazy, finding.optional or context.optional
    return replace(finding, lazy=lazy, optional=optional, rule=rule.__name__)
