"""Imports that a call makes."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from monopack.trace.findings import Finding, Matching, Reference, Remark
from monopack.trace.names import texts
from monopack.trace.rules.calls import argument, calls, number_of
from monopack.trace.scopes import Site
from monopack.trace.spelling import literals, spelled
from monopack.trace.values import ANY, ONE, OWN, Values

LONGEST_SHOWN = 60  # characters of a call in a remark
FILE_FOLDERS = frozenset({"dirname", "parent"})
MOST_NAMES = 3  # that lead from one to the next


def import_module_call(call: ast.Call, values: Values) -> list[Finding]:
    """`importlib.import_module("a.b")`, also relative with a `package`; the name is any expression that can be told."""
    if not calls(call, "import_module", values.names):
        return []
    site = values.site(call)
    package = argument(call, 1, "package")
    packages = values.texts(package, site) if package is not None else ("",)
    names = [_placed(name, anchor) for name in values.texts(argument(call, 0, "name"), site) for anchor in packages]
    found = _behind([each for name in names for each in _named(name, call)], site, values)
    return [*found, *_unknown(call, names, values, {"importlib.import_module"})]


def import_function_call(call: ast.Call, values: Values) -> list[Finding]:
    """`__import__("a.b")`, also as `__import__("a", fromlist=["b"], level=1)`."""
    if not calls(call, "__import__", values.names):
        return []
    site = values.site(call)
    level = number_of(argument(call, 4, "level"))
    wanted = [text for text in texts(argument(call, 3, "fromlist")) if text]
    names = values.texts(argument(call, 0, "name"), site)
    found: list[Finding] = []
    for each in (each for name in names for each in _named(_placed(name, ""), call)):
        if isinstance(each, Reference) and wanted:
            found += [each._replace(level=each.level or level, attribute=attribute) for attribute in wanted]
        elif isinstance(each, Reference):
            found.append(each._replace(level=each.level or level))
        else:
            found.append(each)
    if names == ("",) and level:
        found = [Reference(name="", line=call.lineno, level=level, attribute=each, lazy=True, dynamic=True) for each in wanted]
    return [*_behind(found, site, values), *_unknown(call, names, values, {"__import__", "builtins.__import__"})]


def passed_function(call: ast.Call, values: Values) -> list[Finding]:
    """`map(import_module, NAMES)` and `partial(import_module, "a.b")`: the function is handed on with its argument."""
    origins = [values.names.origin(each) for each in call.args[:-1]]
    position = next((index for index, origin in enumerate(origins) if origin == "importlib.import_module"), None)
    if position is None:
        return []
    site, given = values.site(call), call.args[position + 1]
    sources = values.items(given, site) if values.names.origin(call.func) == "map" else [given]
    names = [name for each in sources for name in values.texts(each, site)]
    return [each for name in names for each in _named(_placed(name, ""), call)]


def run_module_call(call: ast.Call, values: Values) -> list[Finding]:
    """`runpy.run_module("a.b")`: the module, or the `__main__` of a package."""
    if not calls(call, "run_module", values.names):
        return []
    names = values.texts(argument(call, 0, "mod_name"), values.site(call))
    found = [each for name in names for each in _named(_placed(name, ""), call)]
    as_main = [each._replace(attribute="__main__") for each in found if isinstance(each, Reference)]
    others = [each for each in found if not isinstance(each, Reference)]
    return [*as_main, *others, *_unknown(call, names, values, {"runpy.run_module"})]


def resolve_name_call(call: ast.Call, values: Values) -> list[Finding]:
    """`pkgutil.resolve_name("a.b:c")` and `"a.b.c"`: a module, or something in one."""
    if values.names.origin(call.func) != "pkgutil.resolve_name":
        return []
    names = values.texts(argument(call, 0, "name"), values.site(call))
    found: list[Finding] = []
    for name in names:
        module, colon, inside = name.partition(":")
        if not colon and ANY not in module and ONE not in module:
            module, _, inside = name.rpartition(".")
        attribute = inside.partition(".")[0]
        found += [_with_attribute(each, attribute) for each in _named(_placed(module or inside, ""), call)]
    return [*found, *_unknown(call, names, values, {"pkgutil.resolve_name"})]


def find_spec_call(call: ast.Call, values: Values) -> list[Finding]:
    """`importlib.util.find_spec("a.b")`: it asks whether a module is there, so it has to be there for that, if it can."""
    if not calls(call, "find_spec", values.names):
        return []
    site, package = values.site(call), argument(call, 1, "package")
    packages = values.texts(package, site) if package is not None else ("",)
    names = values.texts(argument(call, 0, "name"), site)
    found = [each for name in names for anchor in packages for each in _named(_placed(name, anchor), call)]
    return [each._replace(optional=True) for each in found]


def listed_modules(call: ast.Call, values: Values) -> list[Finding]:
    """`pkgutil.iter_modules(package.__path__)`: the modules of the package; `walk_packages`: those of its packages too."""
    kind = next((kind for kind in ("iter_modules", "walk_packages") if calls(call, kind, values.names)), "")
    path = argument(call, 0, "path")
    if not kind or path is None:
        return []
    package = _package_at(path, values.site(call), values)
    if not package:
        return _unknown(call, (ANY,), values, {f"pkgutil.{kind}"})
    return _named(f"{package}.{ONE if kind == 'iter_modules' else ANY}", call)


def _shown(call: ast.Call) -> str:
    """A call as one short line."""
    try:
        shown = " ".join(ast.unparse(call).split())
    except RecursionError:  # an argument is nested very deeply
        shown = f"{spelled(call.func)}(...)"
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[: LONGEST_SHOWN - 3]}..."


# ---------------------------------------------------------------- names


def _placed(name: str, anchor: str) -> str:
    """A name with leading dots, placed in a package that is told by a text: `.x` in `a.b` is `a.b.x`."""
    bare = name.lstrip(".")
    level = len(name) - len(bare)
    if not level or not anchor:
        return name
    if ANY in anchor:
        return ANY
    above = anchor.count(OWN) if anchor.startswith(OWN) else 0
    parts = [part for part in anchor.strip(OWN).split(".") if part]
    if above and level - 1 > len(parts):
        return OWN * (above + level - 1 - len(parts)) + f".{bare}"
    if not above:
        return f"{anchor}{OWN}{name}"
    kept = parts[: len(parts) - (level - 1)]
    return OWN * above + "".join(f".{part}" for part in (*kept, bare) if part)


def _named(name: str, call: ast.Call) -> list[Finding]:
    """What a name with its signs means; none for one that cannot be told."""
    anchor, _, rest = name.rpartition(OWN) if not name.startswith(OWN) else ("", "", name)
    bare = rest.lstrip(OWN + ".")
    level = rest.count(OWN) or len(rest) - len(bare)
    if rest.startswith(OWN) and bare and not rest.lstrip(OWN).startswith("."):
        return []
    found = Reference(name=bare, line=call.lineno, level=level, anchor=anchor, lazy=True, dynamic=True)
    if ANY not in bare and ONE not in bare:
        return [found] if bare or level else []
    known = level or bare[0] not in (ANY, ONE)
    return [Matching(reference=found, line=call.lineno)] if known else []


def _with_attribute(finding: Finding, attribute: str) -> Finding:
    return finding._replace(attribute=attribute) if isinstance(finding, Reference) else finding


def _behind(found: Iterable[Finding], site: Site, values: Values) -> list[Finding]:
    """Imports in a module's `__getattr__`, each with the names that stand for it there, as far as that can be told."""
    pairs = values.lazy_names(site)
    if pairs is None:
        return list(found)
    placed: list[Finding] = []
    for each in found:
        if isinstance(each, Matching):
            placed.append(each._replace(reference=each.reference._replace(behind=ANY)))
        elif isinstance(each, Reference):
            names = {name for text, others in pairs.items() if _is_about(text, each.name) for name in (text, *others)}
            placed += [each._replace(behind=name) for name in sorted(names) if name.isidentifier()] or [each]
    return placed


def _is_about(text: str, module: str) -> bool:
    """Whether a text in a table is about a module: its name, the end of it, or something in it."""
    bare = text.replace(":", ".").lstrip(".")
    return bool(bare) and (module == bare or module.endswith(f".{bare}") or bare.startswith(f"{module}."))


def _unknown(call: ast.Call, names: Iterable[str], values: Values, functions: Iterable[str]) -> list[Finding]:
    """A remark on a call of one of some functions that may import what cannot be told."""
    if values.names.origin(call.func) not in functions or not any(name.startswith(ANY) for name in names):
        return []
    remedy = "name it in extra_modules, or on that line: # monopack: include MODULE"
    return [Remark(text=f"{_shown(call)}: what it imports cannot be told; {remedy}", line=call.lineno)]


# ---------------------------------------------------------------- packages by their paths


def _package_at(path: ast.expr, site: Site, values: Values) -> str:
    """The package whose folders a path expression gives; empty when that cannot be told."""
    match path:
        case ast.Name(id="__path__"):
            return OWN
        case ast.Attribute(value=ast.Name() | ast.Attribute() as package, attr="__path__"):
            return values.module(package, site).replace(ANY, "")
        case ast.Attribute(value=ast.Subscript(slice=ast.Name(id="__name__")), attr="__path__"):
            return OWN
        case ast.Attribute(value=ast.Call() as call, attr="__path__") if calls(call, "import_module", values.names):
            names = values.texts(argument(call, 0, "name"), site)
            return names[0] if len(names) == 1 and not names[0].startswith((ANY, ".")) else ""
    return _folder_of(path, site)


def _folder_of(path: ast.expr, site: Site) -> str:
    """The package at a path that begins with the folder of `__file__`, and goes on with literals."""
    parts = list(ast.walk(path))
    words = {part.id for part in parts if isinstance(part, ast.Name)}
    held = [binding.source for word in sorted(words) for binding in site.scope.look_up(word)]
    if "__file__" not in words:
        return _folder_of(held[0], site.deeper) if len(held) == 1 and held[0] is not None and site.depth < MOST_NAMES else ""
    above = [part for part in parts if isinstance(part, ast.Name | ast.Attribute) and _last(part) in FILE_FOLDERS]
    names = [text for text in literals(path) if text]
    return ".".join((OWN, *names)) if len(above) == 1 and all(name.isidentifier() for name in names) else ""


def _last(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr
