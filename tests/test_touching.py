"""Which packs a change touches: cases of real changes in real git repositories, and a law over random ones."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from projects import HANDLER, Project

from monopack import config, finding, pipeline, planning, touching
from monopack.finding import Outside
from monopack.run import Door

CASES = sorted(path for path in (Path(__file__).parent / "cases" / "touching").iterdir() if path.is_dir())
NAMED = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example"}
ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, **NAMED}
PINNED = ("yaml-thing==1.0", "shared-part==1.0", "big-thing==1.0")


def git(folder: Path, *arguments: str) -> str:
    environ = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(["git", *arguments], cwd=folder, env={**environ, **ALONE}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "change")


@pytest.fixture
def repository(project: Project) -> Project:
    """Three packs: users, orders (which share code and have tests) and plain, whose files are the first commit."""
    project.environ |= ALONE
    for version in ("1.0", "2.0"):
        project.wheel("yaml-thing", version, requires=["shared-part"])
        project.wheel("shared-part", version)
        project.wheel("big-thing", version)
    project.wheel("unused-thing")
    project.require(*PINNED)
    project.write({
        ".gitignore": "build\n",
        "app/__init__.py": "",
        "app/common.py": "ANSWER = 42\n",
        "app/orders.py": "from pathlib import Path\n\nimport yaml_thing\nfrom app import common\n\n"
        "ALL = Path(__file__).with_name('orders.json').read_text()\n",
        "app/orders.json": "[]",
        "app/users.py": "from app import common\n\ntry:\n    import app.hidden\nexcept ImportError:\n    pass\n",
        "app/unused.py": "",
    })  # fmt: skip
    project.pack("orders", "import app.orders\n")
    project.pack("users", "import app.users\n")
    project.pack("plain", tested=False)
    git(project.root, "init", "--quiet", "--initial-branch", "main")
    commit(project.root)
    return project


def touched(project: Project, *arguments: str, **more: Any) -> dict[str, str]:
    """What `monopack affected` prints: the reason of each pack."""
    done = project.build("affected", *arguments, **more)
    return dict(re.split(r"  +", line, maxsplit=1) for line in done.stdout.splitlines())


# ---------------------------------------------------------------- cases


def write(project: Project, files: dict[str, str]) -> None:
    project.write({name: text.replace("INDEX", str(project.index)) for name, text in files.items()})


def link(project: Project, links: dict[str, str]) -> None:
    for name, target in links.items():
        (project.root / name).unlink(missing_ok=True)
        (project.root / name).symlink_to(target)


def change(project: Project, case: dict[str, Any]) -> None:
    for name in case.get("remove", ()):
        (project.root / name).unlink()
    for name, other in case.get("rename", {}).items():
        (project.root / other).parent.mkdir(parents=True, exist_ok=True)
        (project.root / name).rename(project.root / other)
    write(project, case.get("write", {}))
    link(project, case.get("relink", {}))
    if "require" in case:
        project.require(*case["require"])
    for name in case.get("executable", ()):
        (project.root / name).chmod(0o755)
    for name in case.get("forget", ()):
        git(project.root, "rm", "--quiet", "--cached", name)


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_case(repository: Project, folder: Path) -> None:
    case = tomllib.loads((folder / "case.toml").read_text("utf-8"))
    write(repository, case.get("before", {}))
    link(repository, case.get("link", {}))
    commit(repository.root)
    change(repository, case)
    done = repository.build("affected", "--since", "HEAD")
    rows = dict(line.split("  ", 1) for line in done.stdout.splitlines())
    found = {name.strip(): re.sub("  +", "  ", reason.strip()) for name, reason in rows.items()}
    assert found.keys() == case["touched"].keys(), done.stdout
    for name, expected in case["touched"].items():
        assert found[name] == expected or re.fullmatch(expected, found[name]), found[name]
    told = [line for line in done.stderr.splitlines() if not line.startswith("warning: requirements.txt has no hashes")]
    assert told == [f"{name} is no pack any more" for name in case.get("gone", ())]


def test_changes_count_committed_or_not(repository: Project) -> None:
    repository.write({"app/orders.json": "[1]"})
    commit(repository.root)
    repository.write({"app/hidden.py": ""})
    git(repository.root, "add", "app/hidden.py")
    repository.write({"packs/plain.py": HANDLER + "\n"})
    assert list(touched(repository, "--since", "HEAD~1")) == ["orders", "plain", "users"]
    commit(repository.root)
    assert list(touched(repository, "--since", "HEAD~2")) == ["orders", "plain", "users"]
    assert list(touched(repository, "--since", "HEAD~1")) == ["plain", "users"]


def test_what_was_undone_is_no_change(repository: Project) -> None:
    repository.write({"app/orders.json": "[1]"})
    commit(repository.root)
    repository.write({"app/orders.json": "[]"})
    os.utime(repository.root / "app" / "common.py", (1, 1))
    assert touched(repository, "--since", "HEAD~1") == {}


def test_the_document_tells_every_reason(repository: Project) -> None:
    repository.write({"app/users.py": "from app import common\n", "app/common.py": "", "packs/plain.py": HANDLER + "\n"})
    base = git(repository.root, "rev-parse", "HEAD").strip()
    document = json.loads(repository.build("affected", "--since", "HEAD", "--json").stdout)
    assert document["base"] == base
    assert [(pack["name"], [reason["path"] for reason in pack["reasons"]]) for pack in document["packs"]] == [
        ("orders", ["app/common.py"]), ("plain", ["packs/plain.py"]), ("users", ["app/common.py", "app/users.py"]),
    ]  # fmt: skip


# ---------------------------------------------------------------- revisions


def test_since_means_since_the_branches_parted(repository: Project) -> None:
    git(repository.root, "branch", "feature")
    repository.write({"packs/plain.py": HANDLER + "\n"})
    commit(repository.root)
    git(repository.root, "switch", "--quiet", "feature")
    repository.write({"app/orders.json": "[2]"})
    commit(repository.root)
    assert list(touched(repository, "--since", "main")) == ["orders"]


@pytest.mark.parametrize("revision", ["nowhere", "--all", "", "0" * 40])
def test_a_revision_that_is_not_there_is_refused(repository: Project, revision: str) -> None:
    done = repository.run("affected", f"--since={revision}")
    assert done.returncode == 2
    assert done.stderr.endswith(
        "there is no such revision here\n  hint: check the spelling; what others have, git fetch brings\n"
    )


def test_branches_without_common_history_are_refused(repository: Project) -> None:
    git(repository.root, "switch", "--quiet", "--orphan", "other")
    repository.write({"packs/plain.py": HANDLER})
    commit(repository.root)
    done = repository.run("affected", "--since", "main")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "error: main: has no history in common with HEAD")


def test_a_shallow_clone_is_told_the_way_out(repository: Project, tmp_path: Path) -> None:
    repository.write({"app/orders.json": "[2]"})
    commit(repository.root)
    source = repository.root.as_uri()
    git(tmp_path, "clone", "--quiet", "--depth", "1", source, "clone")
    shallow = Project(root=tmp_path / "clone", index=repository.index, cache=repository.cache, environ=repository.environ)
    for revision in ("HEAD~1", git(repository.root, "rev-parse", "HEAD~1").strip()):
        done = shallow.run("affected", "--since", revision)
        assert done.returncode == 2
        assert "fetch-depth: 0" in done.stderr
    git(shallow.root, "fetch", "--quiet", "--unshallow")
    assert list(touched(shallow, "--since", "HEAD~1")) == ["orders"]


def test_what_is_no_repository_is_told_so(repository: Project) -> None:
    shutil.rmtree(repository.root / ".git")
    done = repository.run("affected", "--since", "HEAD", GIT_CEILING_DIRECTORIES=str(repository.root.parent))
    assert done.returncode == 2
    hint = "name what has changed: monopack affected --files FILE..."
    assert done.stderr == f"error: {repository.root}: is in no git repository\n  hint: {hint}\n"


def test_without_git_the_way_out_is_told(repository: Project, tmp_path: Path) -> None:
    done = repository.run("affected", "--since", "HEAD", PATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (
        2,
        "error: git cannot be started: No such file or directory\n  hint: install git, or name what has changed with --files\n",
    )  # fmt: skip


# ---------------------------------------------------------------- repositories


def test_a_project_below_the_top_of_its_repository(repository: Project, tmp_path: Path) -> None:
    top = tmp_path / "all of it"
    shop = top / "services" / "shop"
    shutil.copytree(repository.root, shop, ignore=shutil.ignore_patterns(".git"))
    (top / "base.txt").write_text("yaml-thing==1.0\nshared-part==1.0\n")
    (shop / "requirements.txt").write_text(f"--no-index\n--find-links {repository.index}\n-r ../../base.txt\n")
    git(top, "init", "--quiet")
    commit(top)
    inner = Project(root=shop, index=repository.index, cache=repository.cache, environ=repository.environ)
    (top / "other.py").write_text("")
    (top / "packs").mkdir()
    (top / "packs" / "plain.py").write_text("")
    assert touched(inner, "--since", "HEAD") == {}
    (top / "base.txt").write_text("yaml-thing==2.0\nshared-part==1.0\n")
    (shop / "app" / "users.py").write_text("")
    assert touched(inner, "--since", "HEAD") == {
        "orders": "lock    yaml-thing is pinned to 2.0, and was to 1.0",
        "users": "source  app/users.py has changed",
    }


def test_a_submodule_that_changed_touches_all(repository: Project, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    (other / "tool.py").write_text("")
    commit(other)
    git(repository.root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "vendored")
    commit(repository.root)
    assert touched(repository, "--since", "HEAD") == {}
    (repository.root / "vendored" / "tool.py").write_text("import json\n")
    assert list(touched(repository, "--since", "HEAD")) == ["orders", "plain", "users"]


def test_a_repository_that_git_does_not_look_into_is_new(repository: Project) -> None:
    repository.write({"packs/plain.py": "import inner.tool\n" + HANDLER})
    commit(repository.root)
    repository.write({"inner/tool.py": ""})
    git(repository.root / "inner", "init", "--quiet")
    commit(repository.root / "inner")
    assert touched(repository, "--since", "HEAD") == {"plain": "source  inner/tool.py is new"}


def test_a_hooks_variables_do_not_mislead(repository: Project, tmp_path: Path) -> None:
    repository.write({"app/orders.json": "[2]"})
    misleading = {"GIT_DIR": str(tmp_path / "nowhere"), "GIT_INDEX_FILE": str(tmp_path / "index")}
    assert list(touched(repository, "--since", "HEAD", **misleading)) == ["orders"]


def test_nothing_of_the_repository_is_changed(repository: Project) -> None:
    def state() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in (repository.root / ".git").rglob("*") if path.is_file()}

    repository.write({"app/orders.json": "[2]", "new.txt": ""})
    repository.require("yaml-thing==2.0", "shared-part==1.0", "big-thing==1.0")
    before = state()
    assert list(touched(repository, "--since", "HEAD")) == ["orders"]
    assert state() == before


# ---------------------------------------------------------------- named files


def test_files_that_are_there_and_files_that_are_not(repository: Project) -> None:
    assert touched(repository, "--files", "app/users.py", "README.md") == {"users": "source  app/users.py has changed"}
    assert touched(repository, "--files", "app/hidden.py") == {
        "users": "source  app/hidden.py is gone, which changes what it reaches"
    }
    assert touched(repository, "--files") == {}


def test_a_named_folder_stands_for_its_files(repository: Project) -> None:
    assert touched(repository, "--files", "tests") == {
        "orders": "tests  tests/test_orders.py has changed", "users": "tests  tests/test_users.py has changed",
    }  # fmt: skip
    assert list(touched(repository, "--files", ".")) == ["orders", "plain", "users"]


def test_files_are_named_from_the_current_folder(repository: Project) -> None:
    repository.write({"monopack.toml": ""})
    assert list(touched(repository, "--files", "orders.json", cwd=repository.root / "app")) == ["orders"]
    assert list(touched(repository, "--files", str(repository.root / "app" / "orders.json"))) == ["orders"]


def test_a_named_file_that_nobody_knows_is_told(repository: Project) -> None:
    (repository.root / "app" / "orders.json").unlink()
    done = repository.build("affected", "--files", "nofile.py", "app/orders.json", "app/users.py", "packs/gone.py")
    assert done.stderr.splitlines() == [
        "gone is no pack any more", "nofile.py is not there: it counts as deleted, and no pack is listed because of it",
    ]  # fmt: skip
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["orders", "users"]


@pytest.mark.parametrize("name", ["requirements.txt", "monopack.toml", "pyproject.toml", "constraints.txt", "uv.lock"])
def test_what_config_and_lock_were_is_not_known_of_named_files(repository: Project, name: str) -> None:
    assert list(touched(repository, "--files", name)) == ["orders", "plain", "users"]


@pytest.mark.parametrize(
    "arguments", [(), ("app/users.py",), ("--since", "HEAD", "--files"), ("--since", "HEAD", "app/users.py")]
)
def test_it_has_to_be_said_what_has_changed(repository: Project, arguments: tuple[str, ...]) -> None:
    assert repository.run("affected", *arguments).returncode == 2


# ---------------------------------------------------------------- building


def test_build_builds_what_is_touched(repository: Project) -> None:
    repository.write({"app/users.py": "from app import common\n"})
    done = repository.build("build", "--affected", "HEAD")
    assert done.stdout == "build/users\n"
    assert "users  source  app/users.py has changed\n" in done.stderr
    assert not (repository.root / "build" / "orders").exists()


def test_build_builds_nothing_where_nothing_is_touched(repository: Project) -> None:
    for arguments in (("--affected", "HEAD"), ("orders", "--affected", "HEAD")):
        done = repository.build("build", *arguments, "--json")
        assert json.loads(done.stdout)["packs"] == []
        assert "nothing since HEAD touches a pack" in done.stderr
    assert not (repository.root / "build").exists()


def test_build_of_one_pack_when_it_is_touched(repository: Project) -> None:
    repository.write({"app/common.py": "ANSWER = 43\n"})
    assert repository.build("orders", "--affected", "HEAD").stdout == "build/orders\n"


# ---------------------------------------------------------------- the law

NAMES = ("a", "b", "c", "d")
PLACES = (
    [f"app/{name}.py" for name in NAMES] + [f"app/{name}/__init__.py" for name in NAMES] + ["app/a/c.py", "app/b/d.py", "c.py"]
)
LINES = (
    "import app.{0}", "from app import {0}", "from .{0} import {1}", "from app.{0} import *", "import {0}",
    "try:\n    import app.{0}.{1}\nexcept ImportError:\n    pass", "def later():\n    import app.{0}.{1}",
    "from pathlib import Path\nTEXT = Path(__file__).parent.joinpath('{0}.txt').read_text()", "__all__ = ['{0}', '{1}']",
    "import importlib\nimportlib.import_module('app.{0}.{1}')",
)  # fmt: skip
line = st.builds(lambda form, one, other: form.format(one, other), st.sampled_from(LINES), *[st.sampled_from(NAMES)] * 2)
code = st.lists(line, max_size=3).map(lambda lines: "\n".join([*lines, ""]))
content = st.fixed_dictionaries({}, optional={**dict.fromkeys(PLACES, code), **{f"app/{n}.txt": st.just("1") for n in NAMES}})
packs = st.fixed_dictionaries({"packs/one.py": code, "packs/two.py": code})
fates = st.dictionaries(
    st.sampled_from([*PLACES, *(f"app/{name}.txt" for name in NAMES), "packs/one.py", "app/__init__.py"]),
    st.one_of(st.none(), code), max_size=3,
)  # fmt: skip


def digests(root: Path, outside: Outside) -> dict[str, str]:
    """The digest of what each pack would be, or why it cannot be."""
    loaded = config.load({"skip_tests": True}, cwd=root, config_file=None, environ={})
    site, plans = planning.plans(finding.find(loaded, None), loaded, outside)
    return {p.pack.name: str(p.error) if p.error else pipeline.draft_of(p, site).tree.digest for p in plans}


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(packs=packs, before=content, fates=fates)
def test_every_pack_that_becomes_another_is_named(
    packs: dict[str, str], before: dict[str, str], fates: dict[str, str | None]
) -> None:
    outside = Outside(environ={**os.environ, **ALONE}, door=Door(cancelled=Event()), tell=lambda _: None)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "project"
        project = Project(root=root, index=root, cache=root)
        project.write({".gitignore": "build\n", "app/__init__.py": "", "monopack.toml": "", **before, **packs})
        git(root, "init", "--quiet")
        commit(root)
        was = digests(root, outside)
        for name, text in fates.items():
            if text is not None:
                project.write({name: text})
            elif name != "packs/one.py":
                (root / name).unlink(missing_ok=True)
        now = digests(root, outside)
        loaded = config.load({"skip_tests": True}, cwd=root, config_file=None, environ={})
        found = touching.since(loaded, None, "HEAD", outside)
        assert {name for name in now if now[name] != was.get(name)} <= {each.name for each in found.packs}
