"""Packages that import their modules when somebody asks for a name."""

from __future__ import annotations

import ast

from monopack.trace.findings import Finding, Matching, Reference
from monopack.trace.rules.calls import argument
from monopack.trace.scopes import Site
from monopack.trace.spelling import literals
from monopack.trace.values import ANY, Values

ATTACH = ("lazy_loader.attach", "lazy.attach")
ATTACH_STUB = ("lazy_loader.attach_stub", "lazy.attach_stub")


def lazy_loader_attach(call: ast.Call, values: Values) -> list[Finding]:
    """`lazy_loader.attach(__name__, ["a"], {"b": ["Name"]})`; `attach_stub` reads all that from a stub, so all modules count."""
    origin = values.names.origin(call.func)
    if origin.endswith(ATTACH_STUB):
        return [_all(call)]
    if not origin.endswith(ATTACH):
        return []
    site = values.site(call)
    submodules, attributes = argument(call, 1, "submodules"), argument(call, 2, "submod_attrs")
    names = [text for item in values.items(submodules, site) for text in literals(item)] if submodules else []
    found: list[Finding] = [_behind(call, name, name) for name in names]
    return [*found, *(_table(call, attributes, site, values) if attributes else [])]


def lazy_module_class(call: ast.Call, values: Values) -> list[Finding]:
    """`sys.modules[__name__] = _LazyModule(__name__, __file__, _import_structure)`, where a table maps modules to their names."""
    if not values.names.origin(call.func).rpartition(".")[2].endswith("LazyModule"):
        return []
    site = values.site(call)
    tables = [each for each in (*call.args, *(k.value for k in call.keywords)) if values.entries(each, site)]
    return [each for table in tables for each in _table(call, table, site, values)] or [_all(call)]


def _table(call: ast.Call, table: ast.expr, site: Site, values: Values) -> list[Finding]:
    """What a table of modules and their names stands for; all modules where it cannot be told."""
    entries = [(literals(key), (*literals(names), *_listed(names, site, values))) for key, names in values.entries(table, site)]
    found: list[Finding] = [
        _behind(call, module, name) for modules, names in entries for module in modules for name in (module, *names)
    ]
    return list(dict.fromkeys(found)) or [_all(call)]


def _listed(names: ast.expr | None, site: Site, values: Values) -> list[str]:
    """The texts in a list that has a name."""
    return [text for item in values.items(names, site) for text in literals(item)] if isinstance(names, ast.Name) else []


def _behind(call: ast.Call, module: str, name: str) -> Reference:
    return Reference(name=module, line=call.lineno, level=1, lazy=True, dynamic=True, behind=name)


def _all(call: ast.Call) -> Matching:
    found = Reference(name=ANY, line=call.lineno, level=1, lazy=True, dynamic=True)
    return Matching(reference=found._replace(behind=ANY), line=call.lineno)
