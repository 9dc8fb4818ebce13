"""What tracing finds is what Python imports: over made-up projects with every kind of import, against a real interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import real_imports
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from targets_for_tests import host

from monopack.model import Reach, Trace
from monopack.trace import Scanner, survey, trace

ENTRY = "packs.main"
ROOTS = (".", "src", "libs/one")
TOPS = ("app", "lib")
PARTS = ("a", "b", "c")
Draw = Callable[[st.SearchStrategy[Any]], Any]

# Where an import stands: code with `{}` for it. Those of NOW surely run, those of NEVER cannot run on this machine; those of
# LATER when a function is called. What tracing cannot decide stands in UNTAKEN, which does not run, and TAKEN, which does.
NOW = (
    "{}",
    "class C{n}:\n    {}",
    "try:\n    {}\nfinally:\n    pass",
    "try:\n    {}\nexcept ValueError:\n    pass",
    "try:\n    pass\nfinally:\n    {}",
    "with contextlib.nullcontext():\n    {}",
    "if not TYPE_CHECKING:\n    {}",
    "if typing.TYPE_CHECKING:\n    pass\nelse:\n    {}",
    "if sys.version_info >= (3, 8):\n    {}",
    "if sys.platform != 'nowhere':\n    {}",
    "if os.name == 'nt' or sys.version_info[0] == 3:\n    {}",
    "if platform.system() == 'Nowhere':\n    pass\nelse:\n    {}",
    "if DEBUG{n} or True:\n    class C{n}:\n        with contextlib.nullcontext():\n            {}",
    "if 1:\n    try:\n        {}\n    finally: pass",
)
OUTSIDE_CLASSES = tuple(code for code in NOW if "class" not in code)
NEVER = (
    "if TYPE_CHECKING:\n    {}",
    "if typing.TYPE_CHECKING and sys.flags:\n    {}",
    "if t.TYPE_CHECKING:\n    class C{n}:\n        {}",
    "if sys.version_info < (3, 8):\n    {}",
    "if sys.platform == 'nowhere':\n    {}",
    "if os.name == 'nowhere':\n    {}",
    "if platform.system() == 'Nowhere':\n    {}",
    "if sys.implementation.name == 'nothing':\n    {}",
    "while False:\n    {}",
    "if NO:\n    {}",
    "def f{n}():\n    if TYPE_CHECKING:\n        {}",
    "if not CHECKING:\n    pass\nelse:\n    {}",
)
LATER = (
    "def f{n}():\n    {}",
    "async def f{n}():\n    {}",
    "class C{n}:\n    def method(self=None):\n        {}",
    "def f{n}():\n    def inner():\n        {}\n    inner()",
    "def f{n}():\n    class Inner:\n        {}",
    "def f{n}():\n    with contextlib.nullcontext():\n        for _ in [1]:\n            {}",
    "def f{n}(x=1):\n    match x:\n        case 1:\n            {}",
    "def f{n}():\n    try:\n        {}\n    except ImportError:\n        pass",
    "def f{n}():\n    yield_ = 1\n    if yield_:\n        {}",
    "def f{n}():\n    try:\n        raise ValueError\n    except ValueError:\n        {}",
    "@contextlib.contextmanager\ndef g{n}():\n    {}\n    yield\ndef f{n}():\n    with g{n}(): pass",
)
UNTAKEN = (
    "if os.environ.get('NOT_SET'):\n    {}",
    "for _ in ():\n    {}",
    "try:\n    pass\nexcept ValueError:\n    {}",
    "match sys.platform:\n    case 'nowhere':\n        {}",
    "while os.environ.get('NOT_SET'):\n    {}",
    "if os.environ.get('NOT_SET') and not TYPE_CHECKING:\n    {}",
    "with contextlib.suppress(ImportError):\n    raise ImportError\n    {}",
)
TAKEN = (
    "if os.sep:\n    {}",
    "for _ in (1,):\n    {}",
    "try:\n    {}\nexcept ImportError:\n    pass",
    "try:\n    import nothing_there\nexcept ImportError:\n    {}",
    "match sys.maxsize:\n    case _:\n        {}",
    "with contextlib.suppress(Exception):\n    {}",
    "try:\n    pass\nexcept ImportError:\n    pass\nelse:\n    {}",
    "while True:\n    {}\n    break",
    "if importlib.util.find_spec('os'):\n    {}",
    "for _ in ():\n    pass\nelse:\n    {}",
)
HEADER = """\
import contextlib, importlib, importlib.util, os, pkgutil, platform, runpy, sys, typing
import importlib as il, typing as t
from importlib import import_module as load
from typing import TYPE_CHECKING
from typing import TYPE_CHECKING as CHECKING
NO = False
VALUE = 1
"""


class Made:
    """A project that is made up.

    `files` are the paths of its modules, by dotted name, an empty one for a folder without `__init__`. `code` and `leads` are
    what stands in each, and to which modules that may lead; `exported` is its `__all__`, `late` the names that it
    imports when asked for them, each with its module.
    """

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.others: list[str] = []
        self.code: dict[str, str] = {}
        self.leads: dict[str, set[str]] = {}
        self.exported: dict[str, list[str]] = {}
        self.late: dict[str, dict[str, str]] = {}

    def __repr__(self) -> str:
        return "".join(f"\n# {path}\n{self.code[name].replace(HEADER, '')}" for name, path in self.files.items() if path)

    def below(self, name: str, *, at_once: bool = False) -> list[str]:
        """The modules below a name; `at_once`: those that lie in it itself."""
        return [each for each in self.files if each.startswith(f"{name}.") and not (at_once and "." in each[len(name) + 1 :])]

    def package(self, name: str) -> str:
        """The package that dots in a module start from."""
        return name if self.files[name].endswith("__init__.py") else name.rpartition(".")[0]

    def write(self, folder: Path) -> None:
        """Write it to disk."""
        for name, path in self.files.items():
            if path:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(self.code[name])
        for path in self.others:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text("raise SystemExit('nobody imports this file')\n")

    def reach(self) -> set[str]:
        """The files to which anything leads that stands in the text and may run."""
        reached: set[str] = set()
        waiting = [ENTRY]
        while waiting:
            name = waiting.pop()
            if name in self.files and name not in reached:
                reached.add(name)
                waiting += [*self.leads.get(name, ()), *filter(None, [name.rpartition(".")[0]])]
        return {self.files[name] for name in reached} - {""}


# ---------------------------------------------------------------- making up a project


@st.composite
def projects(draw: Draw, *, doubtful: bool) -> Made:
    """Projects; `doubtful` ones also import what Python imports at once and tracing cannot be sure of."""
    made = Made()
    _make_files(draw, made)
    for name in [name for name, path in made.files.items() if path]:
        _make_exports(draw, made, name, doubtful=doubtful)
    for name in [name for name, path in made.files.items() if path]:
        _make_code(draw, made, name, doubtful=doubtful)
    return made


def _make_files(draw: Draw, made: Made) -> None:
    """Modules, packages and folders without `__init__`, beside others that Python passes over."""
    made.files[ENTRY] = "packs/main.py"
    part = st.sampled_from(PARTS)
    names = draw(
        st.sets(
            st.tuples(st.sampled_from(TOPS))
            | st.tuples(st.sampled_from(TOPS), part)
            | st.tuples(st.sampled_from(TOPS), part, part),
            min_size=2,
            max_size=9,
        )
    )
    roots = {top: draw(st.sampled_from(ROOTS)) for top in TOPS}
    every = sorted({name[: end + 1] for name in names for end in range(len(name))})
    for name in every:
        root = roots[name[0]]
        path = "/".join(name if root == "." else (root, *name))
        has_more = any(other[: len(name)] == name and other != name for other in every)
        kind = draw(st.sampled_from(["package", "package", "package", "folder"] if has_more else ["module", "module", "package"]))
        made.files[".".join(name)] = {"package": f"{path}/__init__.py", "module": f"{path}.py", "folder": ""}[kind]
        if kind == "package" and draw(st.booleans()):
            made.others.append(f"{path}.py")
        if kind == "module" and draw(st.integers(0, 5)) == 0:
            made.others.append(f"{path}/nobody.py")


def _make_exports(draw: Draw, made: Made, name: str, *, doubtful: bool) -> None:
    """What a module exports, the names that it has in the place of submodules, and those that it imports late."""
    children = [each.rpartition(".")[2] for each in made.below(name, at_once=True)]
    is_package = made.package(name) == name
    shadowing = draw(st.sets(st.sampled_from(children))) if children and draw(st.integers(0, 3)) == 0 else set()
    code = "".join(f"{each} = 'no module'\n" for each in sorted(shadowing)) + HEADER
    if draw(st.booleans()):
        made.exported[name] = ["VALUE", *(draw(st.lists(st.sampled_from(children), unique=True)) if children else [])]
        code += f"__all__ = {made.exported[name]}\n"
    left = sorted(set(children) - shadowing)
    if doubtful and is_package and left and draw(st.integers(0, 2)) == 0:
        made.late[name] = {f"Late{each}": each for each in left}
        code += draw(st.sampled_from(LATE)).format(table=made.late[name], package=name)
    made.code[name] = code
    made.leads[name] = set(made.below(name)) if name in made.late else set()


LATE = (
    """TABLE = {table}
def __getattr__(name):
    if name in TABLE:
        return importlib.import_module('.' + TABLE[name], __name__)
    raise AttributeError(name)
""",
    """TABLE = {table}
def __getattr__(name):
    if name not in TABLE:
        raise AttributeError(name)
    return il.import_module(f'{{__name__}}.{{TABLE[name]}}')
""",
    """TABLE = {table}
def __getattr__(name):
    try:
        return load('{package}.' + TABLE[name])
    except KeyError:
        raise AttributeError(name) from None
""",
)


def _make_code(draw: Draw, made: Made, name: str, *, doubtful: bool) -> None:
    """The imports of a module."""
    targets = [each for each in made.files if each != ENTRY]
    for number in range(draw(st.integers(1 if name == ENTRY else 0, 5))):
        target = draw(st.sampled_from(targets))
        make = draw(st.sampled_from(WAYS if doubtful else STATEMENTS))
        way = make(draw, made, name, target)
        if way is None:
            continue
        place = draw(st.sampled_from(_places(way, doubtful=doubtful)))
        template = draw(st.sampled_from(place))
        made.code[name] += _placed(template, way.code, number)
        if place is not NEVER or "if NO" in template:  # a star import may bring another NO
            made.leads[name] |= way.leads


def _places(way: Way, *, doubtful: bool) -> list[Sequence[str]]:
    """Where code may stand."""
    if way.dynamic:
        return [LATER, *([TAKEN, NOW] if doubtful else [])]
    if "import *" in way.code:
        return [OUTSIDE_CLASSES, OUTSIDE_CLASSES, UNTAKEN]
    return [NOW, NOW, NEVER, UNTAKEN, LATER, *([TAKEN] if doubtful else [])]


def _placed(template: str, code: str, number: int) -> str:
    """Code at its place, as far to the right as it has to stand there."""
    lines = []
    for line in template.replace("{n}", str(number)).replace("DEBUG", "CHECKING or t.TYPE_CHECKING or 0 and ").splitlines():
        space = line[: len(line) - len(line.lstrip())]
        lines.append(indent(code, space) if line.strip() == "{}" else line)
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Way:
    """Code that imports, and what it may lead to; `dynamic`: by a call."""

    code: str
    leads: set[str]
    dynamic: bool = False


def _spelled(draw: Draw, made: Made, name: str, module: str) -> str:
    """A module as a `from` statement spells it: absolute, or with dots."""
    package = made.package(name).split(".") if made.package(name) else []
    parts = module.split(".")
    shared = next((n for n in range(len(package), 0, -1) if parts[:n] == package[:n]), 0)
    if not shared or draw(st.booleans()):
        return module
    kept: int = draw(st.integers(1, shared))
    return f"{'.' * (len(package) - kept + 1)}{'.'.join(parts[kept:])}"


def _alias(made: Made, name: str, bound: str, *, sure: bool) -> str:
    """An `as` that keeps what is imported from standing in the place of a submodule."""
    taken = {each.rpartition(".")[2] for each in made.below(name)} | {"VALUE"}
    return f" as {bound}_" if sure or bound in taken else ""


def plain(draw: Draw, made: Made, name: str, target: str) -> Way:
    """`import a.b`, `import a.b as c`, `import a, b.c`."""
    more = draw(st.sampled_from([each for each in made.files if each != ENTRY]))
    code = draw(
        st.sampled_from(
            [
                f"import {target}",
                f"import {target} as alias",
                f"import {target}, {more}",
                f"import json, {target} as one, {more} as two",
            ]
        )
    )
    taken = {each.rpartition(".")[2] for each in made.below(name)}
    if taken & {target.partition(".")[0], more.partition(".")[0]}:
        code = f"import {target} as one, {more} as two"
    leads = {target, more} if more in code.replace(f"import {target}", "", 1) else {target}
    return Way(code, _all_the_way(made, *leads))


def from_parent(draw: Draw, made: Made, name: str, target: str) -> Way | None:
    """`from a import b` and `from .. import b`, perhaps with others."""
    parent, _, last = target.rpartition(".")
    if not parent:
        return None
    alias = _alias(made, name, last, sure=draw(st.booleans()))
    other = ", VALUE as value" if made.files[parent] and draw(st.booleans()) else ""
    return Way(f"from {_spelled(draw, made, name, parent)} import {last}{alias}{other}", _all_the_way(made, target))


def from_module(draw: Draw, made: Made, name: str, target: str) -> Way | None:
    """`from a.b import VALUE`, in brackets too."""
    if not made.files[target]:
        return None
    names = draw(st.sampled_from(["VALUE as value", "(VALUE as value)", "(\n    VALUE as value,\n    NO as no,\n)"]))
    return Way(f"from {_spelled(draw, made, name, target)} import {names}", _all_the_way(made, target))


def star(draw: Draw, made: Made, name: str, target: str) -> Way | None:
    """`from a import *`."""
    exported = made.exported.get(target)
    taken = {each.rpartition(".")[2] for each in made.below(name)}
    if exported is None or taken & set(exported):
        return None
    submodules = {f"{target}.{each}" for each in exported} & made.files.keys()
    return Way(f"from {_spelled(draw, made, name, target)} import *", _all_the_way(made, target, *submodules))


def late(draw: Draw, made: Made, name: str, target: str) -> Way | None:
    """`from a import Late`, which `a` imports when it is asked for it."""
    if target not in made.late:
        return None
    wanted, module = draw(st.sampled_from(sorted(made.late[target].items())))
    leads = _all_the_way(made, f"{target}.{module}", target)
    choices = [f"from {_spelled(draw, made, name, target)} import {wanted} as wanted"]
    if target.count(".") == 0 and not made.below(name):
        choices.append(f"import {target}\n{target}.{wanted}")
    return Way(draw(st.sampled_from(choices)), leads, dynamic=True)


def by_name(draw: Draw, made: Made, _name: str, target: str) -> Way:
    """Calls that import by a name that can be told."""
    parent, _, last = target.rpartition(".")
    choices = [
        f"importlib.import_module({target!r})",
        f"il.import_module(name={target!r})",
        f"load({target!r})",
        f"NAME = {target!r}\nload(NAME)",
        f"PREFIX = {target[:2]!r}\nload(PREFIX + {target[2:]!r})",
        f"for each in ({target!r}, 'json'):\n    load(each)",
        f"[load(each) for each in [{target!r}]]",
        f"TABLE = {{'one': {target!r}}}\nfor key, each in TABLE.items():\n    il.import_module(each)",
        f"for each in {{{target!r}: 1}}:\n    load(each)",
        f"__import__({target!r})",
        f"__import__({target!r}, fromlist=['VALUE'])",
        f"load('%s' % {target!r})",
        f"load('{{}}'.format({target!r}))",
        f"list(map(load, [{target!r}]))",
        f"(lambda: load({target!r}))()",
        f"name = {target!r} if os.sep else 'json'\nload(name)",
        f"getattr(importlib, 'import_module')({target!r})",
        f"pkgutil.resolve_name({target!r})",
        f"pkgutil.resolve_name({target + ':VALUE'!r})" if made.files[target] else f"load({target!r})",
    ]
    if parent:
        choices += [
            f"load({'.' + last!r}, {parent!r})",
            f"load({'.' + last!r}, package={parent!r})",
            f"load({parent + '.'!r} + {last!r})",
            f"for each in [{last!r}]:\n    load(f'{parent}.{{each}}')",
            f"importlib.util.find_spec({target!r})\nload({target!r})",
            f"__import__({parent!r}, fromlist=[{last!r}])",
        ]
    return Way(draw(st.sampled_from(choices)), _all_the_way(made, target), dynamic=True)


def by_prefix(draw: Draw, made: Made, _name: str, target: str) -> Way | None:
    """Calls that import by a name of which only the beginning can be told, or by listing a package."""
    parent, _, last = target.rpartition(".")
    if not parent:
        return None
    letter = f"chr({ord(last)})"
    choices = [
        f"load(f'{parent}.{{{letter}}}')",
        f"load('{parent}.' + {letter})",
        f"load('{parent}.%s' % {letter})",
        f"load('{parent}.{{}}'.format({letter}))",
        f"load('.' + {letter}, {parent!r})",
    ]
    leads = made.below(parent)
    if made.files[parent]:
        begin = f"import {parent} as listed\nfor info in pkgutil."
        choices += [
            f"{begin}iter_modules(listed.__path__):\n    load(f'{parent}.{{info.name}}')",
            f"{begin}walk_packages(listed.__path__, '{parent}.'):\n    load(info.name)",
        ]
    return Way(draw(st.sampled_from(choices)), _all_the_way(made, *leads), dynamic=True)


def _all_the_way(made: Made, *names: str) -> set[str]:
    """Modules, the packages above them, and what lies nearest in folders without `__init__`."""
    found = {name.rsplit(".", up)[0] for name in names for up in range(name.count(".") + 1)}
    return found | {each for name in names if not made.files[name] for each in made.below(name)}


STATEMENTS = (plain, from_parent, from_parent, from_module, star)
WAYS = (*STATEMENTS, late, late, by_name, by_name, by_prefix)


# ---------------------------------------------------------------- the laws


class Python:
    """An interpreter that says what it imports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        argv = [sys.executable, "-I", "-S", "-B", real_imports.__file__]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def imports(self, project: Path) -> Mapping[str, Any]:
        """What importing the entry of a project opens, and what calling every function opens after that."""
        assert self._process.stdin
        assert self._process.stdout
        order = {"roots": [str(project / root) if root != "." else str(project) for root in ROOTS], "module": ENTRY}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answered: Mapping[str, Any] = json.loads(self._process.stdout.readline())
        names = {key: {str(Path(path).relative_to(project)) for path in answered[key]} for key in ("imported", "later")}
        return {**names, "failed": answered["failed"]}

    def end(self) -> None:
        """Let it go."""
        self._process.communicate()


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Python]:
    running = Python(tmp_path_factory.mktemp("projects"))
    yield running
    running.end()


def told(made: Made, python: Python) -> tuple[Trace, Mapping[str, Any]]:
    """What tracing and Python say of a project."""
    folder = Path(tempfile.mkdtemp(dir=python.folder))
    made.write(folder)
    found = trace(ENTRY, (), (), Scanner(survey(folder, ROOTS), host()), host())
    return found, python.imports(folder)


MANY = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))


@MANY
@given(made=projects(doubtful=False))
def test_the_eager_part_is_what_python_imports(made: Made, python: Python) -> None:
    found, real = told(made, python)
    assume(not real["failed"])  # a star import in the middle of a circle
    assert {f.source.path for f in found.files if f.reach is Reach.EAGER} == real["imported"]
    assert {f.source.path for f in found.files} >= real["later"]
    assert {f.source.path for f in found.files} <= made.reach()
    assert not [i for i in found.missing if i.reach is Reach.EAGER]


@MANY
@given(made=projects(doubtful=True))
def test_the_whole_trace_has_all_that_python_imports(made: Made, python: Python) -> None:
    found, real = told(made, python)
    assume(not real["failed"])
    assert {f.source.path for f in found.files if f.reach is Reach.EAGER} <= real["imported"]
    assert {f.source.path for f in found.files} >= real["imported"] | real["later"]
    assert {f.source.path for f in found.files} <= made.reach()
