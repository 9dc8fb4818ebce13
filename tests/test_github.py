"""GitHub Actions: a group for each pack that has something to say, annotations at file and line, stdout for the answer alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import Project

from monopack.cli.github import Actions

ENCODED = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))  # as the runner decodes, in its order


@pytest.fixture
def job(shop: Project) -> Project:
    """The shop in a repository of which it is only a part, in a job of GitHub Actions."""
    shop.environ |= {"GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_WORKSPACE": str(shop.root.parent)}
    return shop


def commands(stderr: str) -> list[str]:
    return [line for line in stderr.splitlines() if line.startswith("::")]


def test_a_failing_pack_is_a_group_and_an_annotation(job: Project) -> None:
    job.pack("users", "\nraise RuntimeError('50%, at most:\\nnot today')\n")
    done = job.run()
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    opened, closed = lines.index("::group::users: failed"), lines.index("::endgroup::")
    assert lines[opened + 1].startswith("error: users: packs/users.py:2: RuntimeError: 50%, at most:")
    assert "    RuntimeError: 50%, at most:" in lines[opened:closed]
    (annotation,) = (line for line in lines if line.startswith("::error"))
    assert lines.index(annotation) > closed
    assert annotation.startswith("::error file=project/packs/users.py,line=2,title=users::RuntimeError: 50%25, at most:")
    assert done.stdout == "build/orders\n"


def test_warnings_are_annotations_at_their_place(job: Project) -> None:
    job.pack("users", "def later():\n    import nothing_like_it\n")
    lines = job.build("users").stderr.splitlines()
    opened, closed = lines.index("::group::users: built"), lines.index("::endgroup::")
    (warned,) = (line for line in lines[opened:closed] if line.startswith("warning: users: packs/users.py:2: "))
    said = warned.removeprefix("warning: users: packs/users.py:2: ")
    assert f"::warning file=project/packs/users.py,line=2,title=users::{said}" in lines


def test_a_pack_with_nothing_to_say_has_no_group(job: Project) -> None:
    assert [line for line in commands(job.build("users").stderr) if "group" in line] == []


def test_what_ends_the_run_is_an_annotation_too(job: Project) -> None:
    job.write({"monopack.toml": 'jobs = "many"\n'})
    done = job.run("list", "--json")
    (annotation,) = commands(done.stderr)
    place, message = "file=project/monopack.toml,title=monopack", 'jobs: given "many", accepted: "auto" or a whole number from 1'
    assert annotation == f"::error {place}::{message}%0Ahint: give it an accepted value"
    assert json.loads(done.stdout)["error"]["where"] == "monopack.toml: jobs"


def test_a_line_of_a_broken_file(job: Project) -> None:
    job.write({"sub/monopack.toml": "jobs = 1\njobs = 2\n"})
    done = job.run("list", cwd=job.root / "sub")
    assert commands(done.stderr)[0].startswith("::error file=project/sub/monopack.toml,line=2,title=monopack::")


@pytest.mark.parametrize("arguments", [("--nonsense",), ("--packs-dir", "nowhere"), ("--jobs", "0")], ids=str)
def test_what_is_wrong_at_no_file_is_an_annotation_of_the_run(job: Project, arguments: tuple[str, ...]) -> None:
    done = job.run(*arguments)
    what, hint = done.stderr.splitlines()[:2]
    text = what.removeprefix("error: ") + "%0A" + hint.strip()
    assert commands(done.stderr) == [f"::error title=monopack::{text}"]


def test_warnings_of_the_whole_run(job: Project) -> None:
    said = "MONOPACK_JBOS: no such option, ignored, did you mean MONOPACK_JOBS?"
    done = job.run("list", "--brief", MONOPACK_JBOS="1")
    assert done.stderr == f"warning: {said}\n::warning title=monopack::{said}\n"


def test_the_lines_are_those_of_anywhere_else(job: Project) -> None:
    """Whoever reads the raw log misses nothing: commands come in addition."""
    job.pack("users", "raise RuntimeError\n")
    inside = job.run("users").stderr
    job.environ.clear()
    outside = job.run("users").stderr
    kept = [line for line in inside.splitlines() if not line.startswith("::")]
    assert [_steady(line) for line in kept if not line.startswith("fetching")] == [_steady(line) for line in outside.splitlines()]


def _steady(line: str) -> str:
    return re.sub(r"\d+\.\d|monopack-verify-\w+", "", line)


def test_elsewhere_there_are_no_commands(shop: Project) -> None:
    shop.pack("users", "raise RuntimeError\n")
    assert commands(shop.run(CI="true", GITHUB_ACTIONS="").stderr) == []


def test_code_of_a_source_root_is_found_where_the_repository_has_it(job: Project) -> None:
    (job.root / "app").rename(job.root / "lib")
    job.write({"src/app/__init__.py": "", "src/app/users.py": "report = 1\nraise RuntimeError\n"})
    (annotation,) = (line for line in commands(job.run("users").stderr) if line.startswith("::error"))
    assert annotation.startswith("::error file=project/src/app/users.py,line=2,title=users::RuntimeError")


@pytest.mark.parametrize(
    ("where", "properties"),
    [
        ("app/a.py:3", "file=app/a.py,line=3,"),
        ("app/a.py", "file=app/a.py,"),
        ("app/odd, name%.py:3", "file=app/odd%2C name%25.py,line=3,"),
        ("app/none.py:3", ""),
        ("../outside.py:1", ""),
        ("--jobs", ""),
        ("", ""),
    ],
)
def test_places(tmp_path: Path, where: str, properties: str) -> None:
    root = tmp_path / "repository"
    (root / "app").mkdir(parents=True)
    for name in ("app/a.py", "app/odd, name%.py", "../outside.py"):
        (root / name).touch()
    actions = Actions(folders=(root,), workspace=root)
    message = "said" if properties or not where else f"{where}: said"
    assert actions.error("p", where, "said", "") == f"::error {properties}title=p::{message}"


@given(st.text(), st.text())
def test_any_text_comes_out_as_it_went_in(title: str, message: str) -> None:
    command = Actions(folders=(), workspace=Path("/")).error(title, "", message, "")
    assert not set("\r\n") & set(command)
    properties, data = re.fullmatch(r"::error title=([^:,]*)::(.*)", command, re.DOTALL).groups()  # type: ignore[union-attr]
    assert (_decoded(properties), _decoded(data)) == (title, message)


def _decoded(text: str) -> str:
    for code, character in ENCODED:
        text = text.replace(code, character)
    return text
