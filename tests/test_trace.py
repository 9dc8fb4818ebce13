"""Tracing: a folder under `cases/trace` for each way of importing, and what else a trace promises."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from targets_for_tests import host

from monopack.errors import PackError
from monopack.model import Evidence, Import, LeftOut, Reach, SourceFile, Trace
from monopack.trace import Scanner, Start, survey, trace
from monopack.trace import tests_of as choose_tests
from monopack.trace.rules import Reference
from monopack.trace.sources import Facts, SourceTree
from monopack.trace.walk import walk

TOUCHING = ("open", "os.listdir", "os.scandir", "subprocess.Popen", "socket.connect")
CASES = Path(__file__).parent / "cases" / "trace"


def scan(project: Path, *source_roots: str) -> Scanner:
    return Scanner(survey(project, source_roots or (".",)), host().markers)


def traced(project: Path, **options: Any) -> Trace:
    scanner = scan(project, *options.get("source_roots", ())).narrowed(options.get("exclude", ()))
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


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_every_edge_has_evidence_that_names_its_import(case: Path) -> None:
    expected = tomllib.loads((case / "expected.toml").read_text("utf-8"))
    found = traced(case / "project", **expected)
    for evidence in (*(e.evidence for e in found.edges), *(i.evidence for i in found.imports)):
        if evidence.line:
            source = (case / "project" / evidence.file).read_bytes().splitlines()[evidence.line - 1]
            assert b"import" in source, f"{evidence}: {source!r}"
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


def test_secrets_match_an_include_only_by_their_own_name(tmp_path: Path) -> None:
    write(tmp_path, packs__main="")
    for name in (".env", ".env.local", "server.pem", "id_rsa", "credentials-prod.json", "data.json"):
        (tmp_path / name).write_text("x")
    everything = traced(tmp_path, include=["*"])
    assert {f.ships_as for f in everything.files} == {"data.json", "packs/main.py"}
    named = traced(tmp_path, include=["server.pem"])
    assert {f.ships_as for f in named.files} == {"server.pem", "packs/main.py"}


def test_an_include_that_matches_nothing_is_noted(tmp_path: Path) -> None:
    write(tmp_path, packs__main="")
    assert traced(tmp_path, include=["templates/**"]).notes == ("include pattern 'templates/**' matches no file",)


@pytest.mark.parametrize(
    "code", ["x = " + " + ".join(["1"] * 2000), "x = " + "[" * 80 + "]" * 80, "if a: pass\n" + "elif b: pass\n" * 900]
)
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
    assert not [f for f in traced(tmp_path, include=["app/**"]).files if f.source.path == "app/settings.txt"]
    assert not [f for f in traced(tmp_path, include=["app/**"]).files if "config" in f.ships_as or "x.js" in f.ships_as]


def test_a_test_that_cannot_be_understood_leaves_the_others_alone(tmp_path: Path) -> None:
    write(
        tmp_path,
        packs__main="", tests__test_main="import packs.main\n", tests__test_dots="from ...app import core\n",
        tests__test_rot=b"# -*- coding: rot13 -*-\nvzcbeg bf\n",
    )  # fmt: skip
    found = plan(tmp_path)
    assert found.tests == ("tests/test_main.py",)
    assert set(found.left_out) == {"tests/test_dots.py", "tests/test_rot.py"}
