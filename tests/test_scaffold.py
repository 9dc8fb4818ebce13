"""Each folder in cases/scaffold holds a project as text (`[files]`), and what has to be written for it, asked and told.

Every project is then built by the real command, as it was left.
"""

from __future__ import annotations

import contextlib
import keyword
import os
import resource
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st
from projects import Project
from uv import find_uv_bin

from monopack import config, scaffold, starting
from monopack.cli.group import COMMANDS
from monopack.errors import MonopackError
from monopack.scaffold import Layout, Proposal, naming

CASES = sorted((Path(__file__).parent / "cases" / "scaffold").iterdir())


def look(root: Path, **variables: str) -> scaffold.Findings:
    """What the command finds in a folder."""
    return starting.look(config.load({}, cwd=root, config_file=None, environ=variables), (*COMMANDS, "init"))


def begin(root: Path, answers: Mapping[str, bool | str] | None = None) -> scaffold.Written:
    """Write what the command proposes for a folder."""
    return scaffold.write(root, scaffold.propose(look(root), answers))


def files_of(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_case(folder: Path, project: Project) -> None:
    case = tomllib.loads((folder / "case.toml").read_text("utf-8"))
    project.write(case.get("files", {}))
    before = files_of(project.root)
    findings = look(project.root)
    proposal = scaffold.propose(findings, case.get("answers"))
    written = scaffold.write(project.root, proposal)

    assert {question.key: question.default for question in scaffold.questions(findings)} == case["questions"]
    assert list(proposal.notes) == case.get("notes", [])
    after = files_of(project.root)
    assert {path: after[path] for path in before} == before
    assert (sorted(written.created), written.kept) == (sorted(set(after) - set(before)), ())
    check(written, {path: content.decode() for path, content in after.items()}, case)

    done = project.run()
    assert (done.returncode, sorted(done.stdout.split())) == (case.get("exit", 0), case["built"]), done.stderr
    assert not begin(project.root, case.get("answers")).created, "a second run has nothing to add"


def check(written: scaffold.Written, texts: Mapping[str, str], case: Mapping[str, Any]) -> None:
    """Compare what was created with what a case wants."""
    packs = {path: code(texts[path]) for path in written.created if path.startswith(("packs/", "entry/points/"))}
    assert packs == case["packs"]
    others = [path for path in written.created if path not in packs and path != "monopack.toml"]
    assert sorted(others) == case.get("tests", [])
    settings = texts["monopack.toml"].splitlines() if "monopack.toml" in written.created else []
    assert [line for line in settings if line and not line.startswith(("#", "[pack]"))] == case.get("config", [])
    for path, text in case.get("whole", {}).items():
        assert texts[path] == text


def code(pack: str) -> str:
    """What differs from pack to pack: its managed block, and what it imports of the project."""
    lines = (line for line in pack.splitlines() if line.startswith(("from ", "# ")))
    return "; ".join(line for line in lines if not line.startswith(("# monopack-", "from __future__", "from typing")))


# ---------------------------------------------------------------- real projects


def test_a_pinned_project_builds(project: Project) -> None:
    project.wheel("yaml-thing", files={"yaml/__init__.py": ""})
    project.require("yaml-thing==1.0")
    project.write({"app/users.py": "import yaml\n\n\ndef lambda_handler(event, context): ...\n"})
    assert begin(project.root).created == ("monopack.toml", "packs/users.py", "tests/test_users.py")
    done = project.build()
    assert done.stdout == "build/users\n"
    assert "yaml/__init__.py" in project.shipped("users")
    assert "warning: no pack runs" not in done.stderr


def test_a_workspace_that_uv_locks_builds(project: Project) -> None:
    project.wheel("yaml-thing", files={"yaml/__init__.py": ""})
    head = '[project]\nname = "{}"\nversion = "1"\nrequires-python = ">=3.8"\n'
    project.write({
        "pyproject.toml": head.format("all") + '[tool.uv.workspace]\nmembers = ["services/*", "libs/*"]\n',
        "services/users/pyproject.toml": head.format("users")
        + 'dependencies = ["core"]\n[tool.uv.sources]\ncore = { workspace = true }\n',
        "services/users/src/users/handler.py": "import core\n\n\ndef lambda_handler(event, context):\n    return core.yaml\n",
        "libs/core/pyproject.toml": head.format("core") + 'dependencies = ["yaml-thing"]\n',
        "libs/core/src/core/__init__.py": "import yaml\n",
    })  # fmt: skip
    uv = [find_uv_bin(), "lock", "-q", "--offline", "--no-index", "--find-links", str(project.index), "--python", sys.executable]
    subprocess.run(uv, cwd=project.root, check=True)
    begin(project.root)
    project.build()
    assert {"packs/users.py", "users/handler.py", "core/__init__.py", "yaml/__init__.py"} <= project.shipped("users")


def test_a_folder_with_spaces_and_other_letters(project: Project) -> None:
    project.root = project.root / "mein größtes Projekt"
    project.write({"Zürich/größe.py": "def lambda_handler(event, context): ...\n"})
    begin(project.root)
    assert project.build().stdout == "build/größe\n"


@pytest.mark.parametrize(
    ("source", "packs"),
    [
        (b"# coding: latin-1\nname = '\xe9'\ndef handler(event, context): ...\n", ["users"]),
        (b"\xef\xbb\xbfdef handler(event, context): ...\r\n", ["users"]),
        (b"name = '\xe9'\ndef handler(event, context): ...\n", []),
        (b"# coding: no-such-encoding\ndef handler(event, context): ...\n", []),
        (b"handler = " + b"(" * 5000 + b")" * 5000, []),
    ],
    ids=["latin-1", "byte order mark", "latin-1 without a word", "no such encoding", "nested too deeply"],
)
def test_sources_in_other_encodings(project: Project, source: bytes, packs: list[str]) -> None:
    project.write({"app/users.py": source})
    assert [handler.pack for handler in look(project.root).handlers] == packs


def test_an_unreadable_file_is_passed_over(project: Project) -> None:
    project.write({"app/users.py": "def handler(event, context): ...\n", "pyproject.toml": "broken ="})
    files = frozenset({"app/users.py", "app/gone.py", "pyproject.toml", "Pipfile"})
    found = scaffold.look(project.root, Layout(files=files, source_roots=(".",)))
    assert [handler.path for handler in found.handlers] == ["app/users.py"]


def test_the_variables_of_the_caller_become_settings(project: Project) -> None:
    variables = {"MONOPACK_PACKS_DIR": "entries", "MONOPACK_BUILD_DIR": "out"}
    scaffold.write(project.root, scaffold.propose(look(project.root, **variables)))
    text = (project.root / "monopack.toml").read_text()
    assert tomllib.loads(text) == {"packs_dir": "entries", "build_dir": "out", "pack": {}}
    assert project.build().stdout == "out/hello\n"


@pytest.mark.parametrize(
    ("lock", "text"),
    [
        ("requirements.txt", "six==1.0\nPyTest[x]==8.0 \\\n    --hash=sha256:00\n"),
        ("requirements.txt", "pytest\n"),
        ("uv.lock", '[[package]]\nname = "pytest"\nversion = "8.0"\n'),
        ("poetry.lock", '[[package]]\nname = "pytest"\n'),
        ("Pipfile.lock", '{\n    "develop": {\n        "pytest": {\n        }\n    }\n}\n'),
    ],
)
def test_pytest_is_seen_in_every_lock(project: Project, lock: str, text: str) -> None:
    project.write({lock: text, "tests/test_x.py": "import pytest\n"})
    assert not look(project.root).blind
    project.write({lock: text.lower().replace("pytest", "pytest-cov")})
    assert look(project.root).blind


# ---------------------------------------------------------------- writing


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "a.py").write_text("mine")
    (tmp_path / "b.py").symlink_to(tmp_path / "nowhere")
    written = scaffold.write(tmp_path, Proposal(files={"packs/a.py": "x", "b.py": "x", "c/d/e.py": "x"}, notes=()))
    assert written == scaffold.Written(created=("c/d/e.py",), kept=("packs/a.py", "b.py"))
    assert (tmp_path / "packs" / "a.py").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


@contextlib.contextmanager
def as_somebody() -> Iterator[None]:
    """Not as the superuser, who may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextlib.contextmanager
def without_room() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)  # stands for a disk without room
    resource.setrlimit(resource.RLIMIT_FSIZE, (4, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def refused(root: Path, files: Mapping[str, str]) -> tuple[str, str]:
    """The error and the hint when files cannot be written; nothing of them may be left."""
    before = sorted(root.rglob("*"))
    with pytest.raises(MonopackError) as caught:
        scaffold.write(root, Proposal(files=files, notes=()))
    assert sorted(root.rglob("*")) == before
    return str(caught.value), caught.value.hint


def test_a_read_only_folder_is_refused() -> None:
    with tempfile.TemporaryDirectory() as place:  # not below tmp_path, which only its owner can enter
        Path(place).chmod(0o755)
        folder = Path(place, "project")
        folder.mkdir(mode=0o555)
        with as_somebody():
            error, hint = refused(folder, {"monopack.toml": "", "packs/a.py": ""})
    assert error == "monopack.toml: cannot be written: Permission denied, so nothing was"
    assert hint == f"make {folder} a folder that can be written to, with room in it"


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    with without_room():
        error, _ = refused(tmp_path, {"monopack.toml": "", "packs/a.py": "12345"})
    assert error == "packs/a.py: cannot be written: File too large, so nothing was"


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "packs").write_text("")
    error, _ = refused(tmp_path, {"monopack.toml": "", "packs/a.py": ""})
    assert error == "packs/a.py: cannot be written: File exists, so nothing was"


@pytest.mark.parametrize("target", ["elsewhere", "nowhere"])
def test_nothing_is_written_through_a_link_that_leads_out(tmp_path: Path, target: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "packs").symlink_to(tmp_path / target)
    error, _ = refused(tmp_path / "project", {"monopack.toml": "", "packs/a.py": ""})
    assert error == "packs/a.py: lies outside the project, so nothing is written"


# ---------------------------------------------------------------- laws

parts = st.sampled_from(
    ["app", "users", "Users", "get", "get_test", "class", "handler", "main", "_x", "__init__", "_", "_1", "é"]
)
entries = st.lists(st.tuples(st.lists(parts, min_size=1, max_size=3).map(".".join), parts), max_size=8)
some = st.lists(st.sampled_from(["users", "get", "users_get", "GET", "handler", "pack_get"]), max_size=4)


@given(entries=entries, taken=some, reserved=some)
def test_every_handler_gets_a_name_that_can_be(entries: list[tuple[str, str]], taken: list[str], reserved: list[str]) -> None:
    names = naming.names(entries, taken, reserved)
    assert len(names) == len(entries)
    folded = [name.casefold() for name in (*names, *dict.fromkeys(each.casefold() for each in taken))]
    assert len(set(folded)) == len(folded)
    for name in names:
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert not name.startswith("_")
        assert name not in reserved
        assert f"{name}_test".casefold() not in folded


@given(source=st.binary(), manifest=st.binary())
def test_no_bytes_stop_it(tmp_path_factory: pytest.TempPathFactory, source: bytes, manifest: bytes) -> None:
    root = tmp_path_factory.mktemp("any")
    (root / "a").mkdir()
    for name in ("template.yaml", "requirements.txt", "Pipfile", "pyproject.toml", "a/pyproject.toml"):
        (root / name).write_bytes(manifest)
    (root / "a" / "m.py").write_bytes(b"def handler(event, context): ...\n" + source)
    scaffold.propose(look(root))


toml_values = st.recursive(
    st.one_of(st.text(), st.integers(0, 9), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["path", "members", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(members=toml_values, sources=toml_values)
def test_no_manifest_stops_it(tmp_path_factory: pytest.TempPathFactory, members: object, sources: object) -> None:
    root = tmp_path_factory.mktemp("any")
    (root / "a").mkdir()
    (root / "a" / "pyproject.toml").write_text("")
    tables = {"tool": {"uv": {"workspace": {"members": members, "exclude": sources}, "sources": sources}, "poetry": members}}
    (root / "pyproject.toml").write_text(tomlkit.dumps(tables), "utf-8")
    scaffold.propose(look(root))
