"""Unchanged work is not done again, and what has changed always is: whatever changes, in whatever order."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from projects import Project
from served import Served, pinned
from uv import find_uv_bin
from wheels import make_wheel

CONFIG = 'skip_tests = true\n\n[packs.a]\ninclude = ["app/a.csv"]\nenv_passthrough = ["SHOWN"]\n\n[packs.b.env]\nNUMBER = "{}"\n'


@dataclass
class State:
    """A project, how often it was changed, and the variables and versions that hold now."""

    project: Project
    number: int = 0
    shown: str = ""
    versions: dict[str, str] = field(default_factory=lambda: {"one": "1.0", "two": "1.0"})

    def append(self, path: str) -> None:
        """Change a file."""
        old = (self.project.root / path).read_text("utf-8")
        self.project.write({path: f"{old}# {self.number}\n"})

    def bump(self, name: str) -> None:
        """Pin the other version of a distribution."""
        self.versions[name] = "2.0" if self.versions[name] == "1.0" else "1.0"
        self.project.require(*(f"{each}=={version}" for each, version in self.versions.items()))

    def show(self) -> None:
        """Change a variable that only one pack takes over."""
        self.shown = str(self.number)

    def touch(self) -> None:
        """Write the same bytes again."""
        path = self.project.root / "app/shared.py"
        path.write_bytes(path.read_bytes())

    def chmod(self) -> None:
        """Change who may execute a file."""
        path = self.project.root / "app/a.csv"
        path.chmod(path.stat().st_mode ^ 0o111)

    def replace(self) -> None:
        """Put another file of the same size and times into the place of one."""
        path = self.project.root / "app/only_b.py"
        seen, text = path.stat(), path.read_text("utf-8")
        path.write_text(
            text.replace("value = 1", "value = 3").replace("value = 2", "value = 1").replace("value = 3", "value = 2")
        )
        os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))


CHANGES: dict[str, tuple[Callable[[State], object], set[str]]] = {
    "a source of one pack": (lambda state: state.append("app/only_a.py"), {"a"}),
    "a source of both packs": (lambda state: state.append("app/shared.py"), {"a", "b"}),
    "a source of no pack": (lambda state: state.append("app/unused.py"), set()),
    "another file of the same size and time": (lambda state: state.replace(), {"b"}),
    "a module that is new": (lambda state: state.project.write({f"app/new_{state.number}.py": ""}), set()),
    "data": (lambda state: state.append("app/a.csv"), {"a"}),
    "whether data can be executed": (lambda state: state.chmod(), {"a"}),
    "the time of a file": (lambda state: state.touch(), set()),
    "a pin": (lambda state: state.bump("two"), {"b"}),
    "a variable": (lambda state: state.show(), {"a"}),
    "an option": (lambda state: state.project.write({"monopack.toml": CONFIG.format(state.number)}), {"b"}),
    "a file of the built folder": (lambda state: _spoil(state.project.root / "build/a/app/only_a.py"), {"a"}),
    "a zip that is taken away": (lambda state: (state.project.root / "build/b.zip").unlink(), {"b"}),
    "nothing": (lambda _: None, set()),
}


def _spoil(path: Path) -> None:
    path.write_text("spoiled = True\n", "utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two packs that share a module, each with a module, a distribution and an option of its own."""
    place = tmp_path_factory.mktemp("made")
    project = Project(root=place / "project", index=place / "index", cache=place / "cache")
    for name in ("one", "two"):
        for version in ("1.0", "2.0"):
            project.wheel(name, version)
    project.write({f"app/{name}.py": "value = 1\n" for name in ("__init__", "shared", "only_a", "only_b", "unused")})
    project.write({"app/a.csv": "a,b\n", "monopack.toml": CONFIG.format(0)})
    project.pack("a", "import one\nfrom app import only_a, shared\n", tested=False)
    project.pack("b", "import two\nfrom app import only_b, shared\n", tested=False)
    project.require("one==1.0", "two==1.0")
    return project


def _outputs(project: Project) -> dict[str, bytes]:
    return {name: content for name, content in project.outputs().items() if name.startswith(("a.", "b."))}


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(st.lists(st.sampled_from(sorted(CHANGES)), max_size=2, unique=True), min_size=1, max_size=4))
def test_exactly_what_changed_is_built_and_is_what_a_build_from_nothing_gives(made: Project, rounds: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        shutil.copytree(made.root, place / "project")
        state = State(Project(root=place / "project", index=made.index, cache=place / "cache"))
        state.project.build(SHOWN="")
        for names in rounds:
            state.number += 1
            for name in names:
                CHANGES[name][0](state)
            done = state.project.build(SHOWN=state.shown)
            expected = set[str]().union(*(CHANGES[name][1] for name in names))
            built = {pack for pack in "ab" if f"{pack}: built" in done.stderr}
            assert built == expected, (names, done.stderr)
        fresh = Project(root=place / "fresh", index=made.index, cache=place / "empty")
        shutil.copytree(state.project.root, fresh.root, ignore=shutil.ignore_patterns("build"))
        fresh.build("--no-cache", SHOWN=state.shown)
        assert _outputs(fresh) == _outputs(state.project)


def test_without_cache_everything_is_done_again(made: Project, tmp_path: Path) -> None:
    project = Project(root=tmp_path / "project", index=made.index, cache=tmp_path / "cache")
    shutil.copytree(made.root, project.root)
    project.build()
    assert "unchanged" in project.build().stderr
    (built, *_), told = (json.loads(project.build("--json").stdout)[key] for key in ("packs", "fetches"))
    assert (built["status"], told["pins"], told["wheels"]) == ("unchanged", 2, 0)
    again = project.build("--no-cache")
    assert ("a: built" in again.stderr, "unchanged" in again.stderr) == (True, False)


def looks_at_nothing(project: Project, **environ: str) -> bool:
    """Whether a build finds all unchanged without the modules that would read a lock, a source or a wheel."""
    done = project.build(PYTHONPROFILEIMPORTTIME="1", **environ)
    assert "monopack.recalling" in done.stderr
    return ": unchanged" in done.stderr and ": built" not in done.stderr and "monopack.pipeline" not in done.stderr


def test_what_stands_of_a_project_is_said_by_every_run(made: Project, tmp_path: Path) -> None:
    project = Project(root=tmp_path / "project", index=made.index, cache=tmp_path / "cache")
    shutil.copytree(made.root, project.root)
    project.pack("c", tested=False)

    def said() -> list[str]:
        """The lines before those of the packs, but for what was done."""
        lines = project.build().stderr.splitlines()
        return [line for line in lines if line.startswith(("project ", "Python ", "pins: ", "warning: "))]

    first = said()
    assert [line.partition(" ")[0] for line in first] == ["project", "Python", "pins:", "warning:"]
    for changed in ((), ("a",), ("c",)):  # none, one that has pins, one that needs none
        for pack in changed:
            project.write({f"packs/{pack}.py": f"{(project.root / f'packs/{pack}.py').read_text()}\n"})
        assert said() == first, changed


# ---------------------------------------------------------------- what decides a build, and is no source that a pack reaches

MEMBER = '[project]\nname = "member"\nversion = "1"\ndependencies = {}\n[tool.setuptools]\npackage-dir = {{ "" = "{}" }}\n'
TESTED = "[pack]\nrequire_tests = false\n"
TARGET = '[packs.a]\ntarget = "python{}.{}-{}"\n'
HERE = sys.version_info[:2]


@dataclass(frozen=True)
class Case:
    """Files beside the two packs, what is changed of them (None: taken away), and the packs that are others by that."""

    files: dict[str, str]
    changed: dict[str, str | None]
    built: set[str]


def member(folder: str, *needs: str) -> str:
    """The manifest of a project inside the project, whose modules lie in a folder."""
    return MEMBER.format(list(needs), folder)


WITH_MEMBER = {
    "members/x/one_place/member.py": "import one\n",
    "members/x/other_place/member.py": "import one\nhere = 'the other place'\n",
    "packs/a.py": "import member\n\n\ndef lambda_handler(event, context): ...\n",
}
WORKSPACE = '[tool.uv.workspace]\nmembers = ["members/{}"]\n'
CASES = {
    "a member's manifest": Case(
        files={**WITH_MEMBER, "pyproject.toml": WORKSPACE.format("*"), "members/x/pyproject.toml": member("one_place")},
        changed={"members/x/pyproject.toml": member("other_place")},
        built={"a"},
    ),
    "which members there are": Case(
        files={
            **WITH_MEMBER, "pyproject.toml": WORKSPACE.format("x"), "members/x/pyproject.toml": member("one_place"),
            "members/y/pyproject.toml": member("place"), "members/y/place/member.py": "import one\nhere = 'y'\n",
        },
        changed={"pyproject.toml": WORKSPACE.format("y")},
        built={"a"},
    ),
    "the manifest of a path dependency": Case(
        files={
            **WITH_MEMBER, "requirements.txt": "-e ./members/x\none==1.0\ntwo==1.0\n",
            "members/x/pyproject.toml": member("one_place"),
        },
        changed={"members/x/pyproject.toml": member("other_place")},
        built={"a"},
    ),
    "the source of a path dependency": Case(
        files={
            **WITH_MEMBER, "requirements.txt": "-e ./members/x\none==1.0\ntwo==1.0\n",
            "members/x/pyproject.toml": member("one_place"),
        },
        changed={"members/x/one_place/member.py": "import two\n"},
        built={"a"},
    ),
    "what a path dependency needs": Case(
        files={
            **WITH_MEMBER, "requirements.txt": "-e ./members/x\ntwo==1.0\n",
            "members/x/pyproject.toml": member("one_place", "one==1.0"),
        },
        changed={"members/x/pyproject.toml": member("one_place", "one==2.0")},
        built={"a"},
    ),
    "a file outside that the requirements include": Case(
        files={"requirements.txt": "-r ../more.pins\none==1.0\n", "../more.pins": "two==1.0\n"},
        changed={"../more.pins": "two==2.0\n"},
        built={"b"},
    ),
    "the pins that were kept": Case(
        files={"requirements.txt": "one<2\ntwo==1.0\n"},
        changed={"build/.monopack/requirements.host.txt": None},
        built=set(),
    ),
    "a pack's target": Case(
        files={"monopack.toml": "skip_tests = true\n" + TARGET.format(*HERE, "manylinux_2_17_x86_64")},
        changed={"monopack.toml": "skip_tests = true\n" + TARGET.format(*HERE, "manylinux_2_28_x86_64")},
        built={"a"},
    ),
    "the target of all": Case(
        files={},
        changed={"monopack.toml": f'skip_tests = true\ntarget = "python{HERE[0]}.{HERE[1]}-manylinux_2_28_x86_64"\n'},
        built={"a", "b"},
    ),
    "a new test": Case(
        files={"monopack.toml": TESTED},
        changed={"tests/test_b.py": "import unittest\nimport packs.b\nclass T(unittest.TestCase):\n    def test(self): ...\n"},
        built={"b"},
    ),
    "a helper of a test": Case(
        files={
            "monopack.toml": TESTED,
            "tests/__init__.py": "", "tests/helper.py": "",
            "tests/test_b.py": "import unittest\nimport packs.b\nfrom tests import helper\n"
            "class T(unittest.TestCase):\n    def test(self): ...\n",
        },
        changed={"tests/helper.py": "# another\n"},
        built={"b"},
    ),
    "the version file": Case(
        files={},
        changed={".python-version": f"{HERE[0]}.{HERE[1]}\n"},
        built=set(),
    ),
}  # fmt: skip


def change(project: Project, files: Mapping[str, str | None]) -> None:
    """Write files, or take them away; requirements are found in the index folder alone."""
    for path, text in files.items():
        if text is None:
            (project.root / path).unlink()
        elif path == "requirements.txt":
            project.require(*text.splitlines())
        else:
            project.write({path: text})


@pytest.mark.parametrize("name", CASES)
def test_what_decides_a_build_is_looked_at_wherever_it_stands(made: Project, tmp_path: Path, name: str) -> None:
    case = CASES[name]
    project = Project(root=tmp_path / "project", index=made.index, cache=tmp_path / "cache")
    shutil.copytree(made.root, project.root)
    project.write({"monopack.toml": "skip_tests = true\n"})
    change(project, case.files)
    project.build()
    project.build()  # what was written just before it was looked at is looked at once more
    assert looks_at_nothing(project)
    change(project, case.changed)
    done = project.build()
    assert {pack for pack in "ab" if f"{pack}: built" in done.stderr} == case.built, done.stderr
    fresh = Project(root=tmp_path / "fresh" / "project", index=made.index, cache=tmp_path / "empty")
    shutil.copytree(project.root, fresh.root, ignore=shutil.ignore_patterns("build"))
    change(fresh, {path: text for path, text in {**case.files, **case.changed}.items() if path.startswith("../")})
    fresh.build("--no-cache")
    assert _outputs(fresh) == _outputs(project)


def test_a_wheel_that_the_lock_names_by_its_path_and_without_a_hash_is_looked_at(project: Project) -> None:
    project.wheel("one")
    project.pack("a", "import one\n", tested=False)
    project.write({
        "monopack.toml": "skip_tests = true\n",
        "pyproject.toml": '[project]\nname = "all"\nversion = "1"\nrequires-python = ">=3.8"\ndependencies = ["one"]\n',
    })  # fmt: skip
    uv = [find_uv_bin(), "lock", "-q", "--offline", "--no-index", "--find-links", str(project.index), "--python", sys.executable]
    subprocess.run(uv, cwd=project.root, check=True)
    project.build()
    project.build()
    assert looks_at_nothing(project)
    project.wheel("one", files={"one/__init__.py": "another = True\n"})
    assert "a: built" in project.build().stderr


PAGE = '<!DOCTYPE html><a\nhref = "{}one-1.0-py3-none-any.whl#top">one</a> <a href="../more-1.0.tar.gz">one-1.0.tar.gz</a>'
LOCAL = {  # how a project comes to a wheel in the index's folder `files`: what is written beside the index, and pip's options
    "an index whose pages lead elsewhere": ("simple/one/index.html", "../../files/", "--index-url {}/simple"),
    "a page of links": ("links.html", "files/", "--no-index\n--find-links {}/links.html"),
    "a folder with a page of links": ("some/links.html", "../files/", "--no-index\n--find-links {}/some"),
    "an index in pip's file": ("simple/one/index.html", "../../files/", ""),
}


@pytest.mark.parametrize("name", LOCAL)
def test_a_wheel_behind_a_local_page_is_looked_at(project: Project, name: str) -> None:
    page, leads, options = LOCAL[name]
    folder, index = project.index / "files", project.index.as_uri()
    make_wheel(folder, "one", "1.0", {"one.py": "old = 1\n"})
    (project.index / page).parent.mkdir(parents=True, exist_ok=True)
    (project.index / page).write_text(PAGE.format(leads))
    project.write(
        {"pip.conf": f"[global]\nindex-url={index}/simple\n", "requirements.txt": f"{options.format(index)}\none==1.0\n"}
    )
    project.write({"monopack.toml": "skip_tests = true\n"})
    project.pack("a", "import one\n", tested=False)
    environ = {} if options else {"PIP_CONFIG_FILE": str(project.root / "pip.conf")}
    project.build(**environ)
    project.build(**environ)
    assert looks_at_nothing(project, **environ)
    make_wheel(folder, "one", "1.0", {"one.py": "new = 1\n"})
    project.build(**environ)
    assert (project.root / "build/a/one.py").read_text() == "new = 1\n"


def test_without_cache_an_index_is_asked_anew_for_what_has_no_hash(project: Project, served: Served) -> None:
    for name in ("one", "two"):
        hashed = pinned(served.publish(name, {f"{name}.py": "old = 1\n"}))
    project.write({"requirements.txt": f"--index-url {served.url}\none==1.0\n", "monopack.toml": "skip_tests = true\n"})
    project.pack("a", "import one\n", tested=False)
    project.build()
    served.publish("one", {"one.py": "new = 1\n"})
    assert "a: unchanged" in project.build().stderr
    offline = project.build("--no-cache", "--offline")
    assert ("fetched 1" in offline.stderr, (project.root / "build/a/one.py").read_text()) == (False, "old = 1\n")
    assert "fetched 1 of 1 pins" in project.build("--no-cache").stderr
    assert (project.root / "build/a/one.py").read_text() == "new = 1\n"
    project.pack("a", "import two\n", tested=False)
    project.write({"requirements.txt": f"--index-url {served.url}\n{hashed}\n"})
    project.build()
    assert "fetched 1" not in project.build("--no-cache").stderr


def test_a_record_that_is_not_as_it_was_written_says_nothing(project: Project) -> None:
    project.pack("a", tested=False)
    project.write({"monopack.toml": "skip_tests = true\n"})
    project.build()
    for name, pattern, other in (
        ("inputs.json", r"\[\[\d+, ", "[null, ["),
        ("a.looked.json", '"commands": {}', '"commands": []'),
    ):
        record = project.root / "build/.monopack" / name
        damaged = re.sub(pattern, other, record.read_text())
        assert damaged != record.read_text()
        record.write_text(damaged)
        assert "a: unchanged" in project.build().stderr
        assert record.read_text() != damaged


def test_what_marks_a_virtual_environment_hides_no_project(project: Project) -> None:
    project.write({"pyvenv.cfg": "", "app/__init__.py": "", "app/words.py": "WORD = 1\n", "old/venv/pyvenv.cfg": ""})
    project.pack("main", "import app.words\n")
    project.build()
    assert "unchanged" in project.build().stderr
    project.write({"app/words.py": "WORD = 2\n"})
    assert "built" in project.build().stderr
    assert (project.root / "build/main/app/words.py").read_text() == "WORD = 2\n"
