"""What source files say is parsed once: kept by content, never read by other code than wrote it, and the same as parsed anew."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from projects import Project
from targets_for_tests import host

import monopack
from monopack.model import SourceFile
from monopack.run import Door
from monopack.store.answers import Answers
from monopack.trace import Hands, Memory, Scanner, survey, trace, way_of_reading
from monopack.trace.scan import facts_of
from monopack.trace.written import read_back, written

CASES = Path(__file__).parent / "cases" / "trace"
SOURCES = sorted(path for path in CASES.rglob("*.py"))
STATEMENTS = (
    "import app.a as b, os.path", "from ..x import (y, z as w)", "from . import *", "__all__ = ['a', 'b']", "x = 'app.x:y'",
    "def __getattr__(name):\n    if name == 'a':\n        from . import a", "try:\n    import c\nexcept ImportError:\n    pass",
    "import importlib\nimportlib.import_module('app.' + name)",
    "from pathlib import Path\nHERE = Path(__file__).parent\n(HERE / 'a.txt').open()",
    "from importlib.metadata import version, entry_points\nversion('x')\nentry_points(group='g')", "# monopack: include app.z",
    "INSTALLED_APPS = ['app', 'app.users']", "create_engine('postgresql+psycopg://')", "x = '\\ud800.a'",
    "setattr(app, 'x', 1)", "\u540d = 1",
)  # fmt: skip


def source_of(path: str) -> SourceFile:
    return SourceFile(path=path, location=path, sha256="", crc=0, size=0, mode=0o644)


def told(source: bytes) -> None:
    fresh = facts_of(source_of("a.py"), source, host().markers)
    if fresh.error is None:
        assert read_back(written(fresh), fresh.source) == fresh


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.relative_to(CASES).as_posix())
def test_what_is_kept_of_a_file_is_what_parsing_it_gives(file: Path) -> None:
    told(file.read_bytes())


@settings(max_examples=200)
@given(st.lists(st.sampled_from(STATEMENTS), max_size=8))
def test_what_is_kept_of_any_file_is_what_parsing_it_gives(statements: list[str]) -> None:
    told("\n".join(statements).encode())


def test_text_that_was_not_written_by_us_is_no_answer() -> None:
    facts = facts_of(source_of("a.py"), b"import os\n", host().markers)
    for text in (
        "",
        "{}",
        "[1,2]",
        written(facts)[:-9],
        written(facts).replace('"os"', "{}"),
        "[[], [], [], [], [], [], {}, [], {}]",
    ):
        assert read_back(text, facts.source) != facts


class Kept:
    """A scanner's memory in one file, and what it was given to keep."""

    def __init__(self, file: Path) -> None:
        self.new: list[str] = []
        self._answers = Answers(file)

    def memory(self) -> Memory:
        def keep(given: object) -> None:
            assert isinstance(given, dict)
            self.new += given
            self._answers.keep(given)

        return Memory(recall=self._answers.recall, keep=keep)


def project(folder: Path, modules: int = 3) -> Path:
    (folder / "packs").mkdir(parents=True)
    (folder / "packs" / "main.py").write_text("".join(f"import m{number}\n" for number in range(modules)))
    for number in range(modules):
        (folder / f"m{number}.py").write_text(f"import os\nX = {number}\n")
    return folder


def traced(root: Path, kept: Kept, hands: Hands | None = None) -> object:
    scanner = Scanner(survey(root, ["."]), host(), kept.memory(), hands)
    return trace("packs.main", (), (), scanner, host())


def test_an_unchanged_file_is_parsed_once_whatever_project_it_is_in(tmp_path: Path) -> None:
    one, other, kept = project(tmp_path / "one"), project(tmp_path / "other"), Kept(tmp_path / "kept" / "a.db")
    first = traced(one, kept)
    assert len(kept.new) == 4
    assert traced(one, kept) == first
    traced(other, kept)
    assert len(kept.new) == 4
    (one / "m1.py").write_text("import m2\n")
    traced(one, kept)
    assert len(kept.new) == 5


@pytest.mark.parametrize("damage", ["cut off", "other bytes", "a row", "no table", "a folder"])
def test_what_is_damaged_is_parsed_anew(tmp_path: Path, damage: str) -> None:
    root, file = project(tmp_path / "one"), tmp_path / "kept.db"
    expected = traced(root, Kept(file))
    if damage == "a row":
        with sqlite3.connect(file) as rows:
            rows.execute("UPDATE answers SET answer = x'5b5d'")
        rows.close()
    else:
        data = file.read_bytes()
        file.unlink()
        file.mkdir() if damage == "a folder" else file.write_bytes(
            {"cut off": data[:5000], "no table": b""}.get(damage, b"x" * 9000)
        )
    again, after = Kept(file), Kept(file)
    assert traced(root, again) == expected
    assert len(again.new) == 4
    assert traced(root, after) == expected
    assert len(after.new) == (4 if damage == "a folder" else 0)


def test_helpers_and_one_process_find_the_same(tmp_path: Path) -> None:
    root = project(tmp_path / "one", 1000)
    (root / "ast.py").write_text("raise SystemExit('the project is not for helpers to import')\n")
    alone, helped = Kept(tmp_path / "a.db"), Kept(tmp_path / "b.db")
    assert traced(root, helped, Hands(door=Door(), environ=os.environ, processes=2)) == traced(root, alone)
    assert sorted(helped.new) == sorted(alone.new)


def test_without_helpers_all_is_parsed_here(tmp_path: Path) -> None:
    root, kept = project(tmp_path / "one", 1000), Kept(tmp_path / "a.db")
    broken = Hands(door=Door(), environ={**os.environ, "PYTHONHOME": str(tmp_path)}, processes=2)
    traced(root, kept, broken)
    assert len(kept.new) == 1001


def test_several_processes_may_keep_and_recall_at_once(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from monopack.store.answers import Answers; a = Answers(Path(sys.argv[1]))\n"
    code += "for n in range(40): a.keep({f'{sys.argv[2]}-{n}': '[]'}); assert a.recall([f'{sys.argv[2]}-{n}'])"
    argv = [sys.executable, "-c", code, str(tmp_path / "kept" / "a.db")]
    children = [subprocess.Popen([*argv, str(number)]) for number in range(4)]
    assert [child.wait() for child in children] == [0] * 4
    assert Answers(tmp_path / "kept" / "a.db").held() == 160


def test_the_target_decides_how_files_are_read() -> None:
    other = {**host().markers, "sys_platform": "win32"}
    assert way_of_reading(host()) == way_of_reading(replace(host(), markers={**host().markers, "platform_version": "other"}))
    assert way_of_reading(host()) != way_of_reading(replace(host(), markers=other))


def test_other_code_of_tracing_reads_no_old_answers(tmp_path: Path) -> None:
    home = Path(monopack.__file__).parent
    shutil.copytree(home, tmp_path / "monopack", ignore=shutil.ignore_patterns("__pycache__"))
    code = "from targets_for_tests import host; from monopack.trace import way_of_reading as way; print(way(host()))"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(__file__).parent)])}

    def way() -> str:
        return subprocess.run(
            [sys.executable, "-c", code], env=environ, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    assert way().strip() == way_of_reading(host())
    for changed in ("rules/data.py", "flow.py", "written.py"):
        before = way()
        with (tmp_path / "monopack" / "trace" / changed).open("a") as file:
            file.write("# changed\n")
        assert way() != before


def test_the_cache_command_counts_parsed_files_and_cleans_them(project: Project) -> None:
    project.write({"packs/a.py": "import m\n\n\ndef lambda_handler(event, context):\n    return 1\n", "m.py": ""})
    project.run("trace", "a")
    assert "2 parsed files, " in project.run("cache").stdout
    project.run("cache", "clean", "--unused", "1")
    assert "2 parsed files, " in project.run("cache").stdout
    file = next(project.cache.glob("*/parsed/*.db"))
    with sqlite3.connect(file) as rows:
        rows.execute("UPDATE answers SET used = used - 9 WHERE length(answer) = (SELECT min(length(answer)) FROM answers)")
    rows.close()
    project.run("cache", "clean", "--unused", "5")
    assert "1 parsed file, " in project.run("cache").stdout
    project.run("cache", "clean")
    assert "0 parsed files, " in project.run("cache").stdout
