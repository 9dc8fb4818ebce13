"""Tracing: a folder under `cases/trace` for each way of importing, and what else a trace promises."""

from __future__ import annotations

import os
import sys
import tomllib
from dataclasses import replace
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.tags import parse_tag
from targets_for_tests import host

from monopack.errors import PackError
from monopack.model import Evidence, Import, LeftOut, Reach, SourceFile, Trace
from monopack.trace import Scanner, Start, survey, trace
from monopack.trace import tests_of as choose_tests
from monopack.trace.extensions import suffixes
from monopack.trace.findings import Reference
from monopack.trace.rules.data import DATA_RULES
from monopack.trace.sources import Facts, SourceTree
from monopack.trace.walk import walk

TOUCHING = ("open", "os.listdir", "os.scandir", "subprocess.Popen", "socket.connect")
IMPORTING = (
    b"import",
    b"run_module",
    b"resolve_name",
    b"iter_modules",
    b"walk(",
    b"attach",
    b"LazyModule",
    b"monopack:",
    b"INSTALLED_APPS",
)
CASES = Path(__file__).parent / "cases" / "trace"
READING_AND_NAMING = {
    *(rule.__name__ for rule in DATA_RULES), "patched_name", "dotted_string", "settings_strings", "installed_apps", "app_config",
}  # fmt: skip


def scan(project: Path, *source_roots: str) -> Scanner:
    return Scanner(survey(project, source_roots or (".",)), host())


def traced(project: Path, **options: Any) -> Trace:
    strings = options.get("string_imports", True)
    scanner = scan(project, *options.get("source_roots", ())).narrowed(options.get("exclude", ()), strings=strings)
    because = Evidence(file="extra_modules", line=0)
    extra = tuple(Start(name=name, because=because) for name in options.get("extra_modules", ()))
    return trace("packs.main", extra, tuple(options.get("include", ())), scanner, host())


def write(project: Path, **files: str | bytes) -> Path:
    for name, content in files.items():
        path = project / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return project


def told(wanted: Import) -> str:
    words = [wanted.dotted, str(wanted.reach), "optional" if wanted.optional else "", str(wanted.evidence)]
    return " ".join(word for word in words if word)


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_a_way_of_importing(case: Path) -> None:
    expected = tomllib.loads((case / "expected.toml").read_text("utf-8"))
    found = traced(case / "project", **expected)
    assert sorted(f.ships_as for f in found.files if f.reach is Reach.EAGER) == expected["eager"]
    assert sorted(f.ships_as for f in found.files if f.reach is Reach.LAZY) == expected["lazy"]
    assert sorted(map(told, found.imports)) == sorted(expected["imports"])
    assert sorted(map(told, found.missing)) == sorted(expected.get("missing", []))
    assert sorted(found.notes) == sorted(expected.get("notes", []))
    assert sorted(f"{use.what} ({use.evidence}) {use.reach}" for use in found.metadata) == sorted(expected.get("metadata", []))
    if "uses" in expected:
        assert sorted(f"{name} {place}" for name, place in found.uses.items()) == sorted(expected["uses"])


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_every_edge_has_evidence_that_names_its_import(case: Path) -> None:
    expected = tomllib.loads((case / "expected.toml").read_text("utf-8"))
    found = traced(case / "project", **expected)
    imports = [edge for edge in found.edges if edge.rule not in READING_AND_NAMING]
    for evidence in (*(e.evidence for e in imports), *(i.evidence for i in found.imports)):
        if evidence.line:
            source = (case / "project" / evidence.file).read_bytes().splitlines()[evidence.line - 1]
            assert any(word in source for word in IMPORTING), f"{evidence}: {source!r}"
    led_to = {edge.path for edge in found.edges}
    by_config = ("packs/main.py", *(f.source.path for f in found.files if f.because.file == "include"))
    assert {f.source.path for f in found.files} == led_to | set(by_config)


def test_only_reachable_files_are_read(tmp_path: Path) -> None:
    write(tmp_path, packs__main="import app\n", app="", other=b"\0\0\0", tests__test_x="import other\n")
    opened: list[str] = []
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
    traced(tmp_path)
    assert {Path(p).name for p in opened if str(tmp_path) in p} == {"main.py", "app.py"}


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        (b"x = 1\ndef broken(:\n", 2, "syntax error"),
        (b"x = 1\nprint 'python 2'\n", 2, "syntax error"),
        (b"# -*- coding: nonsense -*-\n", 0, "unknown encoding"),
        (b"name = '\xe9'\n", 0, "invalid or missing encoding"),
        (b"x = 1\0\n", 0, "null bytes"),
        (b"# -*- coding: rot13 -*-\n", 0, "not a text encoding"),
    ],
)
def test_a_reached_file_that_python_cannot_read_is_named(tmp_path: Path, source: bytes, line: int, said: str) -> None:
    write(tmp_path, packs__main="import bad\n", bad=source)
    with pytest.raises(PackError) as refused:
        traced(tmp_path)
    assert refused.value.where == (f"bad.py:{line}" if line else "bad.py")
    assert said in refused.value.what
    assert refused.value.hint


def test_too_many_dots_name_the_line(tmp_path: Path) -> None:
    write(tmp_path, packs__main="\nfrom ...app import x\n", app="")
    with pytest.raises(PackError, match=r"packs/main.py:2: relative import with 3 dots"):
        traced(tmp_path)


def test_dots_count_from_the_package_that_a_call_names(tmp_path: Path) -> None:
    code = "from importlib import import_module\nimport_module('..x', 'app.deep')\nimport_module('...x', 'app.deep')\n"
    write(tmp_path, packs__main=code, app__x="", x="")
    found = traced(tmp_path)
    assert [f.ships_as for f in found.files] == ["app/x.py", "packs/main.py"]
    assert [told(i) for i in found.missing] == ["...x lazy packs/main.py:3"]


@pytest.mark.filterwarnings("error")
def test_what_python_warns_of_is_no_error_and_is_not_shown(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    write(tmp_path, packs__main="pattern = '\\d'\nassert (1, 'always')\nx = 1if pattern is 'a'else 2\nimport yaml\n")
    assert [i.dotted for i in traced(tmp_path).imports] == ["yaml"]
    assert not recwarn.list


def test_a_link_that_leads_out_of_the_project_is_refused_where_it_is_imported(tmp_path: Path) -> None:
    project = write(tmp_path / "project", packs__main="import vendored\n", packs__other="")
    write(tmp_path / "elsewhere", vendored="secret = 1\n")
    (project / "vendored.py").symlink_to(tmp_path / "elsewhere" / "vendored.py")
    with pytest.raises(PackError, match=r"packs/main.py:1: vendored.py is a link that leads out of the project"):
        traced(project)
    assert trace("packs.other", (), (), scan(project), host()).files


def test_a_link_that_leads_out_of_the_project_is_refused_where_it_is_included(tmp_path: Path) -> None:
    write(tmp_path / "project", packs__main="")
    (tmp_path / "secret.txt").write_text("x")
    (tmp_path / "project" / "data.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(PackError, match=r"data.txt: the include patterns match a link that leads out of the project"):
        traced(tmp_path / "project", include=["*.txt"])


def test_links_inside_the_project_are_followed_and_circles_end(tmp_path: Path) -> None:
    write(tmp_path, packs__main="import alias.module\n", real__module="")
    (tmp_path / "alias").symlink_to("real")
    (tmp_path / "real" / "again").symlink_to(tmp_path)
    found = traced(tmp_path)
    assert [f.ships_as for f in found.files] == ["alias/module.py", "packs/main.py"]


def test_folders_that_are_never_source(tmp_path: Path) -> None:
    hidden = {".tox__a": "", "node_modules__b": "", "venv__c": "", "__pycache__": "", "build__d": "", "app": ""}
    for name in hidden:
        path = tmp_path / (name.replace("__", "/", 1) + ".py" if "__" in name[1:] and not name.startswith("__") else f"{name}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (tmp_path / "venv" / "pyvenv.cfg").write_text("")
    tree = survey(tmp_path, (".",), (tmp_path / "build",))
    assert tree.files == {"app.py", "__pycache__.py"}


SECRET = (
    ".env", ".env.local", "prod.env", "server.pem", "server.key", "store.p12", "store.pfx", "store.jks", "x.keystore", "a.ppk",
    "id_rsa", "id_ed25519", "id_ed25519_work", "id_ecdsa", ".netrc", ".pypirc", ".npmrc", ".pgpass", ".htpasswd",
    ".git-credentials", "credentials", "Credentials", "credentials-prod.json", "terraform.tfstate", "a.tfstate.old", "a.tfvars",
)  # fmt: skip
PUBLIC = (
    "data.json", "id_ed25519.pub", "id_rsa.pub", "server.crt", "credentials.txt", "environment", "keystore", "main.tf", "npmrc",
)  # fmt: skip


@pytest.mark.parametrize("name", SECRET)
def test_secrets_match_an_include_only_by_their_own_name(tmp_path: Path, name: str) -> None:
    write(tmp_path, packs__main="")
    for each in (name, *PUBLIC):
        (tmp_path / each).write_text("x")
    everything = traced(tmp_path, include=["*"])
    assert {f.ships_as for f in everything.files} == {*PUBLIC, "packs/main.py"}
    named = traced(tmp_path, include=[name])
    assert {f.ships_as for f in named.files} == {name, "packs/main.py"}


def test_what_may_hold_secrets_ships_with_a_word_about_it(tmp_path: Path) -> None:
    code = "from pathlib import Path\nopen(Path(__file__).with_name('secrets.json'))\nimport packs.secrets\n"
    write(tmp_path, packs__main=code, packs__secrets="")
    (tmp_path / "packs" / "secrets.json").write_text("{}")
    found = traced(tmp_path)
    assert data_of(found) == ["packs/secrets.json"]
    said = "packs/secrets.json ships, and by its name holds secrets; keep it out with exclude, or name it in full with include"
    assert found.notes == (f"packs/main.py:2: {said} if it has to ship",)
    assert traced(tmp_path, include=["packs/secrets.json"]).notes == ()
    assert traced(tmp_path, include=["packs/*.json"]).notes == found.notes
    without = traced(tmp_path, exclude=["packs/secrets.json"])
    assert (data_of(without), without.notes) == ([], ())


def test_an_include_that_matches_nothing_is_noted(tmp_path: Path) -> None:
    write(tmp_path, packs__main="")
    assert traced(tmp_path, include=["templates/**"]).notes == ("include pattern 'templates/**' matches no file",)
    (tmp_path / ".conf").mkdir()
    (tmp_path / ".conf" / "settings.json").write_text("{}")
    (note,) = traced(tmp_path, include=["./.conf/**"]).notes
    why = "monopack reads no folder like .conf, so move what ships out of it"
    assert note == f"include pattern './.conf/**' matches no file: {why}"


@pytest.mark.parametrize(
    "code",
    [
        "x = " + " + ".join(["1"] * 2000), "x = " + "[" * 80 + "]" * 80, "if a: pass\n" + "elif b: pass\n" * 900,
        f"if {'not ' * 900}a: pass", "if a" + " + 1" * 2000 + " > 1: pass", "a" + ".b" * 900 + " = 1",
        "__all__ = " + " + ".join(["['x']"] * 2000), "a" + ".b()" * 450,
    ],
)  # fmt: skip
def test_deep_nesting_is_no_problem(tmp_path: Path, code: str) -> None:
    write(tmp_path, packs__main=f"{code}\nimport yaml\n")
    assert [i.dotted for i in traced(tmp_path).imports] == ["yaml"]


@given(st.dictionaries(st.integers(0, 7), st.sets(st.integers(0, 7)), min_size=1))
def test_reach_is_the_closure_of_imports(graph: dict[int, set[int]]) -> None:
    """The law: exactly what can be reached, whatever the shape, in any order, without touching a file."""

    def facts(path: str) -> Facts:
        number = path.removesuffix(".py").removeprefix("m")
        targets = sorted(graph.get(int(number), ())) if number.isdigit() else sorted(graph)[:1]
        source = SourceFile(path=path, location=path, sha256="", crc=0, size=0, mode=0o644)
        return Facts(source=source, references=tuple(Reference(name=f"m{t}", line=1) for t in targets))

    files = frozenset({"start.py", *(f"m{n}.py" for n in range(8))})
    tree = SourceTree(root="/nowhere", source_roots=(".",), files=files, folders=frozenset())
    steps = walk("start", (Start(name="start", because=Evidence(file="", line=0), reach=Reach.EAGER),), tree, host())
    touched: list[str] = []
    active = [True]
    sys.addaudithook(lambda event, _: touched.append(event) if active[0] and event in TOUCHING else None)
    try:
        wanted = next(steps)
        while True:
            wanted = steps.send({path: facts(path) for path in wanted})
    except StopIteration as done:
        found = done.value
    active[0] = False
    expected, waiting = {"start.py"}, sorted(graph)[:1]
    while waiting:
        number = waiting.pop()
        if f"m{number}.py" not in expected:
            expected.add(f"m{number}.py")
            waiting.extend(graph.get(number, ()))
    assert {f.source.path for f in found.files} == expected
    assert touched == []


# ---------------------------------------------------------------- extension modules


def test_a_source_file_counts_where_the_compiled_one_is_excluded(tmp_path: Path) -> None:
    write(tmp_path, packs__main="import fast\n", fast="import yaml\n")
    (tmp_path / "fast.so").write_bytes(b"")
    assert {f.ships_as for f in traced(tmp_path).files} == {"fast.so", "packs/main.py"}
    found = traced(tmp_path, exclude=["fast.so"])
    assert {f.ships_as for f in found.files} == {"fast.py", "packs/main.py"}
    assert [i.dotted for i in found.imports] == ["yaml"]


def test_an_extension_module_that_is_imported_and_included_ships_once(tmp_path: Path) -> None:
    write(tmp_path, packs__main="import app.fast\n", app__other="")
    (tmp_path / "app" / "fast.so").write_bytes(b"")
    shipped = [(f.ships_as, f.module, str(f.reach)) for f in traced(tmp_path, include=["app/*.so"]).files]
    assert shipped == [("app/fast.so", "app.fast", "eager"), ("packs/main.py", "packs.main", "eager")]


def test_this_python_finds_extension_modules_by_the_same_suffixes() -> None:
    assert list(suffixes(host())) == EXTENSION_SUFFIXES


@pytest.mark.parametrize(
    ("markers", "tags", "expected"),
    [
        (
            {"sys_platform": "linux", "platform_machine": "aarch64"}, "cp312-cp312-linux_aarch64 cp312-abi3-linux_aarch64",
            [".cpython-312-aarch64-linux-gnu.so", ".abi3.so", ".so"],
        ),
        (
            {"sys_platform": "linux", "platform_machine": "x86_64"}, "cp312-cp312-musllinux_1_2_x86_64",
            [".cpython-312-x86_64-linux-musl.so", ".so"],
        ),
        (
            {"sys_platform": "linux", "platform_machine": "i686"}, "cp311-cp311-linux_i686",
            [".cpython-311-i386-linux-gnu.so", ".so"],
        ),
        (
            {"sys_platform": "linux", "platform_machine": "x86_64"}, "cp313-cp313t-linux_x86_64 py3-none-any",
            [".cpython-313t-x86_64-linux-gnu.so", ".so"],
        ),
        ({"sys_platform": "darwin"}, "cp311-cp311-macosx_11_0_arm64 cp311-abi3-macosx_11_0_arm64",
         [".cpython-311-darwin.so", ".abi3.so", ".so"]),
        ({"sys_platform": "win32"}, "cp311-cp311-win_amd64 cp311-abi3-win_amd64", [".cp311-win_amd64.pyd", ".pyd"]),
    ],
)  # fmt: skip
def test_another_target_finds_extension_modules_by_its_own_suffixes(
    markers: dict[str, str], tags: str, expected: list[str]
) -> None:
    wheels = tuple(tag for tag_text in tags.split() for tag in parse_tag(tag_text))
    assert list(suffixes(replace(host(), markers=markers, tags=wheels))) == expected


# ---------------------------------------------------------------- names that calls import


def test_edges_name_the_rule_that_found_them(tmp_path: Path) -> None:
    code = "import app\nfrom app import a\nimport importlib as il\nil.import_module('app.b')\n# monopack: include app.c\n"
    write(tmp_path, packs__main=code, app__a="", app__b="", app__c="")
    rules = {edge.path: edge.rule for edge in traced(tmp_path).edges if edge.rule}
    expected = {"app/a.py": "from_statement", "app/b.py": "import_module_call", "app/c.py": "include_pragma"}
    assert rules == expected


def test_a_lazy_package_that_the_config_names_brings_all_that_it_has(tmp_path: Path) -> None:
    lazy = "import importlib\nT = {'One': 'app.one'}\ndef __getattr__(name):\n    return importlib.import_module(T[name])\n"
    write(tmp_path, packs__main="", app__one="", app=lazy)
    (tmp_path / "app.py").rename(tmp_path / "app" / "__init__.py")
    named = ["app/__init__.py", "app/one.py", "packs/main.py"]
    assert [f.ships_as for f in traced(tmp_path, extra_modules=["app"]).files] == named
    assert [f.ships_as for f in traced(tmp_path, include=["app/__init__.py"]).files] == named
    assert [f.ships_as for f in traced(tmp_path).files] == ["packs/main.py"]


@pytest.mark.parametrize(
    "code",
    [
        "n = n\nimport_module(n)", "a = b\nb = a\nimport_module(a)", "n = ''\n" + "n += 'x'\n" * 60 + "import_module(n)",
        "n = n + n + n\nimport_module(n)", "t = {}\n" + "t['k'] = t\n" * 30 + "import_module(t['k']['k'])",
        "for n in n: import_module(n)", f"import_module({'+'.join(['x'] * 2000)})", "import_module('%s' % ())",
        "import_module('{'.format(1))", "import_module('{9}{a.b}'.format(1))", "import_module('a'.strip(1, 2))",
        "import_module(f'{1!r}')", "import_module(*n)", "import_module()", "import_module(('a', 'b')[7])",
        "import_module('a.b'.split('')[0])", "import_module([n for n in n])", "a, (b, *c) = c\nimport_module(b)",
    ],
)  # fmt: skip
def test_what_no_name_can_be_told_from_is_remarked_or_nothing(tmp_path: Path, code: str) -> None:
    write(tmp_path, packs__main=f"from importlib import import_module\n{code}\nimport yaml\n")
    found = traced(tmp_path)
    assert [f.ships_as for f in found.files] == ["packs/main.py"]
    assert "yaml" in [i.dotted for i in found.imports]


# ---------------------------------------------------------------- which names a module has


@pytest.mark.parametrize(
    "code",
    [
        "x = 1", "import os as x", "def x(): ...", "def f():\n    global x", "[x := 1]", "from os import *", "x: int",
        "def __getattr__(n): ...", "__getattr__, __dir__ = 1, 2", "globals().update(y=1)", "vars()['x'] = 1",
        "exec('x = 1')", "__path__ = []",
        "import sys\nsys.modules[__name__] = 1", "from sys import modules as m\nm[__name__] = 1", "__all__ = ['x']",
        "import far\nfar.fill(__name__)", "try:\n    pass\nexcept ValueError as x:\n    pass",
        "class A:\n    def f(self):\n        self.__dict__['x'] = 1",
    ],
)  # fmt: skip
def test_a_module_may_have_a_name_in_many_ways(tmp_path: Path, code: str) -> None:
    write(tmp_path, packs__main="from app import x\n", app=f"{code}\n", far="")
    assert traced(tmp_path).missing == ()


@pytest.mark.parametrize(
    "code",
    [
        "y = x", "class A:\n    x = 1", "def f(x):\n    x = 1", "lambda x: x", "self.x", "'globals'", "# exec", "__all__ = ['y']",
        "from far import *", "if False:\n    x = 1", "import far as y", "class A:\n    def f(self):\n        self.x = 1",
        "@x\ndef y(): ...",
    ],
)  # fmt: skip
def test_a_name_that_a_module_surely_lacks_is_missing(tmp_path: Path, code: str) -> None:
    write(tmp_path, packs__main="from app import x\n", app=f"{code}\n", far="y = 1\n")
    assert [told(i) for i in traced(tmp_path).missing] == ["app.x eager packs/main.py:1"]


@pytest.mark.parametrize(
    "code",
    [
        "import app\napp.x = 1", "import app\nsetattr(app, name, 1)", "import app\nvars(app)['x'] = 1",
        "def f(module):\n    module.x = 1",
        "import app\napp.__dict__.update(x=1)", "import app\napp.__dict__['x'] = 1", "import sys\nsys.modules['app.x'] = sys",
        "import sys\nsys.modules.update(a=1)", "import sys\nsys._getframe(1).f_globals['x'] = 1",
        "import sys\nsetattr(sys.modules['app'], 'x', 1)", "import app\napp.a, (app.b, app.x) = 1, (2, 3)",
    ],
)  # fmt: skip
def test_another_file_may_give_a_module_its_names(tmp_path: Path, code: str) -> None:
    write(tmp_path, packs__main="import far\nfrom app import x\n", app="", far=f"{code}\n")
    assert traced(tmp_path).missing == ()
    write(tmp_path, far="class A:\n    def f(self):\n        self.x = 1\n        setattr(self, 'x', 1)\n")
    assert [told(i) for i in traced(tmp_path).missing] == ["app.x eager packs/main.py:2"]


def test_a_name_behind_a_link_that_leads_out_of_the_project_is_refused(tmp_path: Path) -> None:
    project = write(tmp_path / "project", packs__main="from app import vendored\n", app__other="")
    package = project / "app" / "__init__.py"
    package.write_text("")
    write(tmp_path / "elsewhere", vendored="secret = 1\n")
    (project / "app" / "vendored.py").symlink_to(tmp_path / "elsewhere" / "vendored.py")
    with pytest.raises(PackError, match=r"packs/main.py:1: app/vendored.py is a link that leads out of the project"):
        traced(project)
    package.write_text("vendored = 1\n")
    assert [f.ships_as for f in traced(project).files] == ["app/__init__.py", "packs/main.py"]


# ---------------------------------------------------------------- which tests belong


def plan(project: Path) -> Any:
    scanner = scan(project)
    return choose_tests(trace("packs.main", (), (), scanner, host()), "tests", scanner, host())


def test_tests_belong_when_their_own_imports_lie_within_the_pack(tmp_path: Path) -> None:
    write(
        tmp_path,
        packs__main="import app.used\n", app__used="", app__other="",
        tests__test_pack="from packs.main import x\n",
        tests__unit__test_module="def test():\n    from app import used\n",
        tests__test_both="import app.used\nimport app.other\n",
        tests__test_elsewhere="import app.other\n",
        tests__test_nothing="import json\n",
    )  # fmt: skip
    found = plan(tmp_path)
    assert found.tests == ("tests/test_pack.py", "tests/unit/test_module.py")
    reason = "it also imports app.other, which is not in the pack"
    assert found.left_out == {"tests/test_both.py": LeftOut(where="tests/test_both.py:2", reason=reason, module="app.other")}


def test_helpers_count_with_the_tests_that_import_them(tmp_path: Path) -> None:
    write(
        tmp_path,
        packs__main="import app.used\n", app__used="", app__other="",
        tests__helpers="import app.used\nimport responses\n", tests__bad_helpers="import app.other\n",
        tests__test_bare="import helpers\n",
        tests__test_dotted="from tests import helpers\n",
        tests__test_relative="from . import helpers\n",
        tests__test_bad="import packs.main\nfrom bad_helpers import x\n",
        tests____init__="",
    )  # fmt: skip
    found = plan(tmp_path)
    assert found.tests == ("tests/test_bare.py", "tests/test_dotted.py", "tests/test_relative.py")
    assert {test: str(why) for test, why in found.left_out.items()} == {
        "tests/test_bad.py": "it also imports app.other, which is not in the pack (tests/bad_helpers.py:1)"
    }
    assert {i.dotted for i in found.imports} == {"responses"}


def test_what_only_conftest_needs_goes_to_the_workspace(tmp_path: Path) -> None:
    write(
        tmp_path,
        packs__main="", app__database="import app.settings\nimport sqlalchemy\n", app__settings="",
        tests__conftest="import app.database\nimport moto\n", tests__test_main="import packs.main\n",
        tests__unrelated__conftest="import nothing\n",
    )  # fmt: skip
    (tmp_path / "tests" / "data.json").write_text("{}")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    found = plan(tmp_path)
    assert found.for_conftest == ("app/database.py", "app/settings.py")
    assert {i.dotted for i in found.imports} == {"moto", "sqlalchemy"}
    assert {f.ships_as for f in found.support} == {
        "app/database.py", "app/settings.py", "pytest.ini", "tests/conftest.py", "tests/data.json", "tests/test_main.py",
        "tests/unrelated/conftest.py",
    }  # fmt: skip


def test_a_test_that_cannot_be_parsed_breaks_nothing(tmp_path: Path) -> None:
    write(tmp_path, packs__main="", tests__test_main="import packs.main\n", tests__test_broken="import packs.main\ndef (:\n")
    found = plan(tmp_path)
    assert found.tests == ("tests/test_main.py",)
    broken = LeftOut(where="tests/test_broken.py:2", reason="syntax error: invalid syntax")
    assert found.left_out == {"tests/test_broken.py": broken}


def test_a_file_that_vanishes_before_it_is_read_is_named(tmp_path: Path) -> None:
    write(tmp_path, packs__main="import app\n", app="")
    scanner = scan(tmp_path)
    (tmp_path / "app.py").unlink()
    with pytest.raises(PackError, match=r"app.py: cannot be read: No such file"):
        trace("packs.main", (), (), scanner, host())


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, packs__main="", tests__test_main="import packs.main\n")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "tests" / ".#editor.py").symlink_to("user@host.1:1")
    os.mkfifo(tmp_path / "tests" / "pipe")
    (tmp_path / "dist" / ".monopack").mkdir(parents=True)
    write(tmp_path, dist__app="")
    assert survey(tmp_path, (".",)).files == {"packs/main.py", "tests/test_main.py"}
    assert plan(tmp_path).tests == ("tests/test_main.py",)


@pytest.mark.parametrize("target", [".env", ".git/config", "keys/server.pem", "node_modules/x.js"])
def test_a_link_is_what_it_leads_to(tmp_path: Path, target: str) -> None:
    (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / target).write_text("secret")
    write(tmp_path, packs__main="", app__x="")
    (tmp_path / "app" / "settings.txt").symlink_to(tmp_path / target)
    (tmp_path / "app" / "folder").symlink_to((tmp_path / target).parent)
    write(tmp_path, shared__credentials__y="")
    (tmp_path / "app" / "login").symlink_to(tmp_path / "shared" / "credentials")
    assert "app/login/y.py" in survey(tmp_path, (".",)).files
    assert not [f for f in traced(tmp_path, include=["app/**"]).files if f.source.path == "app/settings.txt"]
    assert not [f for f in traced(tmp_path, include=["app/**"]).files if "config" in f.ships_as or "x.js" in f.ships_as]


def test_dots_that_lead_nowhere_matter_in_a_test_only_where_they_surely_run(tmp_path: Path) -> None:
    guarded = "try:\n    from ...app import core\nexcept ImportError:\n    core = None\n"
    write(
        tmp_path, packs__main="", tests__test_main=f"import packs.main\n{guarded}",
        tests__test_later="import packs.main\ndef test():\n    from ...app import core\n",
        tests__test_dots="import packs.main\nfrom ...app import core\n",
    )  # fmt: skip
    found = plan(tmp_path)
    assert found.tests == ("tests/test_later.py", "tests/test_main.py")
    assert list(found.left_out) == ["tests/test_dots.py"]
    left_out = found.left_out["tests/test_dots.py"]
    assert left_out.where == "tests/test_dots.py:2"
    assert left_out.reason == "relative import with 3 dots, but its package is 'tests'"
    assert found.imports == ()


def test_a_test_that_cannot_be_understood_leaves_the_others_alone(tmp_path: Path) -> None:
    write(
        tmp_path,
        packs__main="", tests__test_main="import packs.main\n", tests__test_dots="from ...app import core\n",
        tests__test_rot=b"# -*- coding: rot13 -*-\nvzcbeg bf\n",
    )  # fmt: skip
    found = plan(tmp_path)
    assert found.tests == ("tests/test_main.py",)
    assert set(found.left_out) == {"tests/test_dots.py", "tests/test_rot.py"}


# ---------------------------------------------------------------- data, and strings that name modules


def data_of(found: Trace) -> list[str]:
    return sorted(f.ships_as for f in found.files if not f.module)


def test_data_has_its_line_as_evidence(tmp_path: Path) -> None:
    write(tmp_path, packs__main="from pathlib import Path\n\ntext = (Path(__file__).parent / 'x.txt').read_text()\n")
    (tmp_path / "packs" / "x.txt").write_text("x")
    found = traced(tmp_path)
    (data,) = (f for f in found.files if not f.module)
    assert (data.source.path, data.ships_as, str(data.because)) == ("packs/x.txt", "packs/x.txt", "packs/main.py:3")
    assert [(edge.path, edge.rule) for edge in found.edges if edge.path == "packs/x.txt"] == [("packs/x.txt", "built_path")]


def test_data_that_is_excluded_or_included_as_well_is_as_the_config_says(tmp_path: Path) -> None:
    write(tmp_path, packs__main="import pkgutil\npkgutil.get_data('app', 'a.txt')\npkgutil.get_data('app', 'b.txt')\n", app="")
    for name in ("a.txt", "b.txt"):
        (tmp_path / "app").mkdir(exist_ok=True)
        (tmp_path / "app" / name).write_text("x")
    (tmp_path / "app.py").rename(tmp_path / "app" / "__init__.py")
    assert data_of(traced(tmp_path)) == ["app/a.txt", "app/b.txt"]
    assert data_of(traced(tmp_path, exclude=["app/a.txt"])) == ["app/b.txt"]
    assert data_of(traced(tmp_path, include=["app/*.txt"])) == ["app/a.txt", "app/b.txt"]


def test_data_never_comes_from_outside_the_project(tmp_path: Path) -> None:
    code = "from pathlib import Path\nHERE = Path(__file__).parent\nopen(HERE / 'link.txt')\nopen(HERE / 'folder' / 'x.txt')\n"
    project = write(tmp_path / "project", packs__main=f"{code}open(HERE / '..' / '..' / 'secret.txt')\n")
    (tmp_path / "secret.txt").write_text("x")
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "x.txt").write_text("x")
    (project / "packs" / "link.txt").symlink_to(tmp_path / "secret.txt")
    (project / "packs" / "folder").symlink_to(tmp_path / "far")
    found = traced(project)
    assert data_of(found) == []
    rest = "so nothing of it ships; copy it into the project"
    assert found.notes == (
        f"packs/main.py:3: reads packs/link.txt, a link that leads out of the project, {rest}",
        f"packs/main.py:4: reads packs/folder, a link that leads out of the project, {rest}",
        f"packs/main.py:5: reads a path that leads out of the project, {rest}",
    )


def test_a_secret_that_code_reads_stays_at_home_and_is_named(tmp_path: Path) -> None:
    write(tmp_path, packs__main="from pathlib import Path\nopen(Path(__file__).with_name('server.pem'))\n")
    (tmp_path / "packs" / "server.pem").write_text("x")
    found = traced(tmp_path)
    assert data_of(found) == []
    said = "reads packs/server.pem, which looks like a secret and does not ship; name it with include if it has to"
    assert found.notes == (f"packs/main.py:2: {said}",)
    named = traced(tmp_path, include=["packs/server.pem"])
    assert (data_of(named), named.notes) == (["packs/server.pem"], ())


def test_names_that_are_made_from_themselves_end(tmp_path: Path) -> None:
    growing = "path = path / 'a'\n" * 30
    terms = " / ".join(["HERE", *["'a'"] * 1500])
    code = f"from pathlib import Path\npath = Path(__file__)\n{growing}HERE = path\nx = {terms}\nimport app\n"
    write(tmp_path, packs__main=code,
          app="from packs.main import z as y\ny / 'x'\n", packs__more="")  # fmt: skip
    assert data_of(traced(tmp_path)) == []


def test_strings_name_nothing_where_they_are_switched_off(tmp_path: Path) -> None:
    write(tmp_path, packs__main="APPS = ['app.x']\n", app__x="")
    assert {f.ships_as for f in traced(tmp_path).files} == {"app/x.py", "packs/main.py"}
    silent = scan(tmp_path).narrowed((), strings=False)
    assert [f.ships_as for f in trace("packs.main", (), (), silent, host()).files] == ["packs/main.py"]


def test_a_test_needs_what_it_patches_by_name_and_reads(tmp_path: Path) -> None:
    write(
        tmp_path, packs__main="import app.used\n", app__used="x = 1\n", app__other="x = 1\n",
        tests__test_used="from unittest.mock import patch\n\n\n@patch('app.used.x')\ndef test(): ...\n",
        tests__test_other="import app.used\n\n\ndef test(mocker):\n    mocker.patch('app.other.x')\n",
        tests__test_text="import app.used\n\nNAMES = ['app.other']\n",
        tests__test_data="from pathlib import Path\nimport app.used\ntext = (Path(__file__).parents[1] / 'samples' / 'a.txt')\n",
    )  # fmt: skip
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "a.txt").write_text("x")
    (tmp_path / "samples" / "b.txt").write_text("x")
    found = plan(tmp_path)
    assert found.tests == ("tests/test_data.py", "tests/test_text.py", "tests/test_used.py")
    assert {test: why.where for test, why in found.left_out.items()} == {"tests/test_other.py": "tests/test_other.py:5"}
    assert [f.ships_as for f in found.support if f.ships_as.startswith("samples")] == ["samples/a.txt"]


# ---------------------------------------------------------------- source as it is

SHAPES: dict[str, str | bytes] = {
    "latin-1": "# -*- coding: latin-1 -*-\nname = 'é'\nimport found\n".encode("latin-1"),
    "shift_jis in the second line": b"#!/usr/bin/env python\n# coding: shift_jis\nname = '\x93\xfa\x96{'\nimport found\n",
    "byte order mark": b"\xef\xbb\xbfimport found\n",
    "CRLF": b"if True:\r\n    import found\r\n",
    "CR": b"x = 1\rimport found\r",
    "form feeds": "x = 1\n\x0c\nimport found\n\x0c\ndef f():\n\x0c    pass\n",
    "no end of line": "import found",
    "parentheses": f"x = {'(' * 90}1{')' * 90}\nimport found\n",
    "lists": f"x = {'[' * 90}{']' * 90}\nimport found\n",
    "blocks": "".join(f"{' ' * depth}if x{depth}:\n" for depth in range(90)) + " " * 90 + "import found\n",
    "functions": "".join(f"{' ' * depth}def f{depth}():\n" for depth in range(90)) + " " * 90 + "import found\n",
    "a long sum": "x = " + " + ".join(["'a'"] * 2000) + "\nimport found\n",
    "a long path": "import found\nfrom pathlib import Path\nx = Path(__file__)" + " / 'a'" * 600 + "\n",
    "a long sum that is imported": "import found, importlib\nimportlib.import_module(" + " + ".join(["'a'"] * 2000) + ")\n",
    "a long condition": "import found\nif " + " or ".join(["x"] * 2000) + ":\n    pass\n",
    "a long chain of elif": "if x:\n    pass\n" + "elif x:\n    pass\n" * 300 + "else:\n    import found\n",
    "a long chain of calls": "import found\nx = a" + ".b()" * 600 + "\n",
}


@pytest.mark.parametrize("source", SHAPES.values(), ids=SHAPES.keys())
def test_source_is_taken_as_it_is(tmp_path: Path, source: str | bytes) -> None:
    write(tmp_path, packs__main="import shape\n", shape=source, found="", not_found="def broken(:")
    assert {f.ships_as for f in traced(tmp_path).files} == {"packs/main.py", "shape.py", "found.py"}


def test_names_of_other_letters_and_files_that_are_empty(tmp_path: Path) -> None:
    write(tmp_path, packs__main="import größe.ñandú, 日本\n", größe__ñandú="", größe____init__="", 日本="", größe__anders="")
    (tmp_path / "größe" / "__init__.py").write_bytes(b"")
    found = {f.ships_as for f in traced(tmp_path).files}
    assert {"größe/ñandú.py", "größe/__init__.py", "日本.py"} < found
    assert "größe/anders.py" not in found


def test_a_folder_called_like_a_file_is_no_module(tmp_path: Path) -> None:
    write(tmp_path, packs__main="import app\nimport x\n", app="")
    (tmp_path / "x.py").mkdir()
    (tmp_path / "x.py" / "inner.py").write_text("")
    found = traced(tmp_path)
    assert {f.ships_as for f in found.files} == {"app.py", "packs/main.py"}
    assert [i.dotted for i in found.imports] == ["x"]


@pytest.mark.parametrize("source", [b"print 'old'\n", b"type Later[T] = T | \n", b"\0", b"\xff\xfe", b"# coding: nothing\n"])
def test_what_is_not_reached_may_be_anything(tmp_path: Path, source: bytes) -> None:
    write(tmp_path, packs__main="import app\n", app="", other=source)
    assert {f.ships_as for f in traced(tmp_path).files} == {"app.py", "packs/main.py"}
