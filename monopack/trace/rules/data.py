"""Files and folders that code reads."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator

from monopack.trace.findings import Data, Spot
from monopack.trace.paths import JOINING, PATH_METHODS, RESOURCES, SAME, Scope, anchored, extended, leads_on, spine, spots
from monopack.trace.rules.calls import argument

READING = frozenset({"read_text", "read_binary", "open_text", "open_binary", "path", "is_resource"})
GET_DATA = frozenset({
    "pkgutil.get_data", "pkg_resources.resource_string", "pkg_resources.resource_stream", "pkg_resources.resource_filename",
    "pkg_resources.resource_listdir",
})  # fmt: skip
LISTING = frozenset({"os.listdir", "os.scandir", "os.walk", "jinja2.FileSystemLoader", "jinja2.loaders.FileSystemLoader"})
LISTING_METHODS = frozenset({"iterdir", "glob", "rglob", "walk"})
LOADERS = frozenset({"jinja2.PackageLoader", "jinja2.loaders.PackageLoader"})
FLASK = {"flask.Flask": 0, "flask.Blueprint": 1}  # where the import name stands


def built_path(node: ast.AST, scope: Scope) -> list[Data]:
    """`Path(__file__).parent / "x.json"`, `os.path.join(os.path.dirname(__file__), "x")`, `files("app") / "x"` and their like."""
    if not isinstance(node, ast.BinOp | ast.JoinedStr | ast.Call):
        return []
    return _at(node, [spot for spot in spots(node, scope) if leads_on(spot)])


def listed_folder(node: ast.AST, scope: Scope) -> list[Data]:
    """`Path(__file__).parent.glob("*.sql")`, `os.listdir(HERE)`, `FileSystemLoader(HERE)`: the folder itself is read."""
    if not isinstance(node, ast.Call):
        return []
    if scope.called(node) in LISTING:
        folder = argument(node, 0, "searchpath")
    elif isinstance(node.func, ast.Attribute) and node.func.attr in LISTING_METHODS:
        folder = node.func.value
    else:
        return []
    folders = folder.elts if isinstance(folder, ast.List | ast.Tuple) else [folder]
    places = [spot for each in folders for spot in spots(each, scope)]
    return _at(node, [spot if leads_on(spot) else spot._replace(computed=True) for spot in places])


def resource_call(node: ast.AST, scope: Scope) -> list[Data]:
    """`importlib.resources.read_text("app", "x.txt")` and its siblings; `contents("app")` is the whole folder."""
    if not isinstance(node, ast.Call) or not (called := scope.called(node)).startswith(RESOURCES):
        return []
    kind = called.rpartition(".")[2]
    anchor = next((found for name in ("anchor", "package") if (found := argument(node, 0, name))), None)
    if anchor is None or kind not in READING | {"contents"}:
        return []
    name = next((keyword.value for keyword in node.keywords if keyword.arg == "resource"), None)
    places = extended(anchored(anchor, scope), [*node.args[1:], *([name] if name else [])], scope)
    if kind == "contents":
        return _at(node, [spot._replace(computed=True) for spot in places])
    return _at(node, [spot for spot in places if leads_on(spot)])


def get_data_call(node: ast.AST, scope: Scope) -> list[Data]:
    """`pkgutil.get_data("app", "x.bin")`, and what `pkg_resources` has of that kind."""
    if not isinstance(node, ast.Call) or scope.called(node) not in GET_DATA:
        return []
    anchor, name = argument(node, 0, "package"), argument(node, 1, "resource")
    return _at(node, extended(anchored(anchor, scope), [name], scope)) if anchor and name else []


def package_loader(node: ast.AST, scope: Scope) -> list[Data]:
    """`jinja2.PackageLoader("app", "views")`; without a folder it is `templates`."""
    if not isinstance(node, ast.Call) or scope.called(node) not in LOADERS:
        return []
    anchor = argument(node, 0, "package_name")
    folder = argument(node, 1, "package_path") or ast.Constant(value="templates")
    return _at(node, extended(anchored(anchor, scope), [folder], scope)) if anchor else []


def flask_folders(node: ast.AST, scope: Scope) -> list[Data]:
    """`Flask(__name__)` reads `templates` and `static` beside its module, a `Blueprint` those that it names."""
    if not isinstance(node, ast.Call) or (called := scope.called(node)) not in FLASK:
        return []
    anchor = argument(node, FLASK[called], "import_name")
    named = {keyword.arg: keyword.value for keyword in node.keywords}
    usual = {"template_folder": "templates", "static_folder": "static"} if called == "flask.Flask" else {}
    folders = [named.get(option) or ast.Constant(value=usual[option]) for option in ("template_folder", "static_folder")
               if option in named or option in usual]  # fmt: skip
    starts = anchored(anchor, scope) if anchor else []
    return [found for folder in folders for found in _at(node, [s for s in extended(starts, [folder], scope) if leads_on(s)])]


DATA_RULES = (listed_folder, resource_call, get_data_call, package_loader, flask_folders, built_path)
DATA_NODES = frozenset({ast.BinOp, ast.JoinedStr, ast.Call})
FUNCTIONS = SAME | JOINING | GET_DATA | LISTING | LOADERS | FLASK.keys() | {"os.path.dirname"}
METHODS = PATH_METHODS | LISTING_METHODS
# A separator of paths, or a function or method that joins, lists or takes them apart.
HINTS = (
    "/", "path", "Path", "__file__", "join", "dir", "resource", "pkgutil", "Loader", "Flask", "Blueprint", "with_", "walk",
    "glob",
)  # fmt: skip


def may_read(text: str) -> bool:
    """Whether the text of a file has anything that leads to data."""
    return any(hint in text for hint in HINTS)


def data_findings(nodes: Iterable[ast.AST], scope: Scope, tree: ast.Module) -> Iterator[Data]:
    """What the nodes of a module read; `nodes` has every node before those inside it.

    Of `DATA / "x.json"` the file counts, not the folder `DATA`: neither there, nor where `DATA` gets its value, unless the name
    is used for itself as well.
    """
    inner: set[int] = set()
    found: dict[int, list[Data]] = {}
    begins: Counter[str] = Counter()
    for node in nodes:
        if type(node) in DATA_NODES and id(node) not in inner and _may_read(node, scope):
            data = next((data for rule in DATA_RULES if (data := _by(rule(node, scope), rule.__name__))), [])
            if data and isinstance(node, ast.expr):
                found[id(node)] = data
                parts = list(spine(node))
                inner.update(map(id, parts))
                begins.update(part.id for part in parts[-1:] if isinstance(part, ast.Name))
    if found:
        _leave_out_folders(found, begins, scope, tree)
    for data in found.values():
        yield from data


def _may_read(node: ast.AST, scope: Scope) -> bool:
    """Whether a node is of a kind in which a rule may find something; most are not."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            return True
        called = scope.called(node)
        return called in FUNCTIONS or called.startswith(RESOURCES)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add))


def _leave_out_folders(found: dict[int, list[Data]], begins: Counter[str], scope: Scope, tree: ast.Module) -> None:
    """Forget the value of every name that only longer paths begin with."""
    begun = {name: [id(value) for each, value in scope.assigned() if each == name] for name in begins}
    if any(value in found for values in begun.values() for value in values):
        uses = Counter(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id in begins)
        for name, values in begun.items():
            if uses[name] <= begins[name]:
                for value in values:
                    found.pop(value, None)


def _by(found: list[Data], rule: str) -> list[Data]:
    return [data._replace(rule=rule) for data in found]


def _at(node: ast.expr, places: Iterable[Spot]) -> list[Data]:
    return [Data(spot=spot, line=node.lineno) for spot in dict.fromkeys(places)]
