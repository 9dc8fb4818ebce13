"""How Python code names what it imports and reads: one function for each way, listed in `RULES` and `CALL_RULES`.

A rule looks at one syntax node and at the names of its file, and returns what the node names; `findings` brings every node that
can run to the rules that look at such nodes, and adds what is known about when it runs. Rules about calls are told what
expressions may be worth as well.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping

from monopack.trace.findings import Finding, Mention, Reference
from monopack.trace.flow import Context, Seen, Step
from monopack.trace.names import Names
from monopack.trace.rules.dynamic import (
    find_spec_call,
    import_function_call,
    import_module_call,
    listed_modules,
    passed_function,
    resolve_name_call,
    run_module_call,
)
from monopack.trace.rules.lazy import lazy_loader_attach, lazy_module_class
from monopack.trace.rules.metadata import entry_points_call, entry_points_subscript, mentions_metadata, metadata_call
from monopack.trace.rules.settings import app_config, installed_apps, may_configure_app, may_install_apps, settings_strings
from monopack.trace.rules.statements import from_statement, import_statement
from monopack.trace.rules.strings import dotted_string, may_hold_names, patched_name
from monopack.trace.values import Values

SETTING_NODES = (ast.Assign, ast.AnnAssign, ast.AugAssign)

Rule = Callable[[ast.AST, Names], list[Finding]]
CallRule = Callable[[ast.Call, Values], list[Finding]]

RULES: Mapping[Rule, tuple[type[ast.AST], ...]] = {
    import_statement: (ast.Import,),
    from_statement: (ast.ImportFrom,),
    metadata_call: (ast.Call,),
    entry_points_call: (ast.Call,),
    entry_points_subscript: (ast.Subscript,),
    settings_strings: SETTING_NODES,
    installed_apps: (*SETTING_NODES, ast.Call),
    app_config: (ast.ClassDef,),
    patched_name: (ast.Call,),
    dotted_string: (ast.Call, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.For, ast.arguments),
}  # each with the nodes that it looks at
# What a rule needs to find in a file's text, to find anything in its nodes.
HINTS: Mapping[Rule, Callable[[str], bool]] = {
    metadata_call: mentions_metadata, entry_points_call: mentions_metadata, entry_points_subscript: mentions_metadata,
    settings_strings: may_hold_names, installed_apps: may_install_apps, app_config: may_configure_app,
    patched_name: may_hold_names, dotted_string: may_hold_names,
}  # fmt: skip
CALL_RULES: tuple[CallRule, ...] = (
    import_module_call, import_function_call, passed_function, run_module_call, resolve_name_call, find_spec_call, listed_modules,
    lazy_loader_attach, lazy_module_class,
)  # fmt: skip


def findings(seen: Seen, names: Names, values: Values, text: str) -> tuple[Finding, ...]:
    """All that the nodes of a module name, by the lines where they do.

    `names` is what the module's source text tells about names, `values` what expressions in it may be worth.
    """
    found: list[Finding] = []
    hinted = {hint: hint(text) for hint in dict.fromkeys(HINTS.values())}
    for rule, kinds in RULES.items():
        for kind in kinds if rule not in HINTS or hinted[HINTS[rule]] else ():
            for node, context in seen.get(kind, ()):
                for each in rule(node, names):
                    found += _behind(_in_context(each, context, rule.__name__), context)
    for node, context in seen.get(ast.Call, ()) if values.wanted else ():
        found += [_in_context(each, context, rule.__name__) for rule in CALL_RULES for each in rule(node, values)]
    return tuple(sorted(dict.fromkeys(_without_late(found)), key=lambda finding: finding.line))


def statement_findings(steps: Iterable[Step]) -> tuple[Finding, ...]:
    """What the import statements among the nodes of a module name."""
    names = Names()
    found = [
        _in_context(each, context, rule.__name__)
        for node, context in steps
        for rule in (import_statement, from_statement)
        for each in rule(node, names)
    ]
    return tuple(sorted(found, key=lambda finding: finding.line))


def _without_late(found: list[Finding]) -> list[Finding]:
    """Leave out strings that name what is imported when it is asked for: to list it in a table does not ask for it."""
    late = {each.name for each in found if isinstance(each, Reference) and each.behind}
    return [each for each in found if not (isinstance(each, Mention) and each.name in late)]


def _behind(finding: Finding, context: Context) -> list[Finding]:
    """An import statement that runs only when a module is asked for some names, once for each of them."""
    if not context.behind or not isinstance(finding, Reference):
        return [finding]
    return [finding._replace(behind=name) for name in context.behind]


def _in_context(finding: Finding, context: Context, rule: str) -> Finding:
    lazy, optional = finding.lazy or context.lazy, finding.optional or context.optional
    return finding._replace(lazy=lazy, optional=optional, rule=rule)
