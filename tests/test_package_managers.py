"""One project locked in six dialects gives the same packs; and what another Python's pip has is not fetched again.

The locks of the case were written by the package managers themselves, from an index of these same wheels: uv 0.13.9, which also
exported pylock.uv.toml, Poetry 2.5.1, pipenv 2026.10.3, and PDM 2.29.3, which also exported pylock.toml.
"""

from __future__ import annotations

import functools
import http.server
import io
import platform
import re
import shutil
import subprocess
import sys
import threading
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pip
import pytest
from projects import Project
from wheels import make_wheel, sha256

CASE = Path(__file__).parent / "cases" / "package_managers" / "shop"
MANAGERS = {
    "pip": "requirements.txt", "uv": "uv.lock", "poetry": "poetry.lock", "pipenv": "Pipfile.lock", "pdm": "pdm.lock",
    "pylock": "pylock.toml", "pylock.uv": "pylock.uv.toml",
}  # fmt: skip
DEVELOPMENT = ["uv", "poetry", "pipenv", "pdm", "pylock"]  # those whose locks tell what is for development
MACHINES = ("x86_64", "aarch64")
TARGETS = {
    "host": platform.machine(), "aws-lambda-python3.12-x86_64": "x86_64", "aws-lambda-python3.12-arm64": "aarch64",
}  # fmt: skip
SUBSETS = {
    "orders": {"native-part", "shared-part", "speedup", "tls-part", "web-kit"},
    "reports": {"chart-thing", "shared-part", "speedup", "yaml-thing"},
}
HELPERS = {"helper-base", "test-helper"}
WHEELS: dict[str, dict[str, Any]] = {
    "chart-thing 0.9": {"files": {"chart_thing.py": "name = 'chart-thing'\n"}, "requires": ["shared-part>=1"]},
    "helper-base 1.0": {"files": {"helper_base.py": ""}},
    "old-part 1.0": {"files": {"old_part.py": ""}},
    "shared-part 2.0": {
        "files": {"shared_part.py": ""}, "extras": ["fast", "slow"],
        "requires": ["speedup; extra == 'fast'", "slow-path; extra == 'slow'"],
    },
    "speedup 1.5": {"files": {"speedup.py": ""}},
    "test-helper 1.0": {
        "files": {"test_helper.py": "import helper_base\n\n\ndef status(answer):\n    return answer['statusCode']\n"},
        "requires": ["helper-base"],
    },
    "tls-part 1.0": {"files": {"tls_part.py": ""}},
    "unused-thing 1.0": {"files": {"unused_thing.py": ""}},
    "web-kit 1.2": {
        "files": {"web_kit.py": "import shared_part, speedup, tls_part\n\n\ndef answer():\n    return {'statusCode': 200}\n"},
        "extras": ["tls"],
        "requires": ["shared-part[fast]>=2", "native-part", "tls-part; extra == 'tls'", "win-part; sys_platform == 'win32'"],
    },
    "win-part 1.0": {"files": {"win_part.py": ""}},
    "yaml-thing 3.1": {"files": {"yaml/__init__.py": "", "yaml/loader.py": "def load(text):\n    return text\n"}},
}  # fmt: skip


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder as a package index does: pages that may change, wheels that never do."""

    def __init__(self, *arguments: Any, asked: list[str], **more: Any) -> None:
        self.asked = asked
        super().__init__(*arguments, **more)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "max-age=365000000, immutable" if self.path.endswith(".whl") else "max-age=600")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@dataclass
class Index:
    """A package index on this machine, and the paths that it was asked for."""

    folder: Path
    url: str = ""
    asked: list[str] = field(default_factory=list)

    def wheels(self) -> set[str]:
        """The distributions whose wheels were asked for since the last time."""
        found = {path.split("/")[-2] for path in self.asked if path.endswith(".whl")}
        self.asked.clear()
        return found


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    made = Index(folder=tmp_path / "served" / "simple")
    for title, content in WHEELS.items():
        name, version = title.split()
        make_wheel(made.folder / name, name, version, **content)
    for machine in MACHINES:
        tag, files = f"py3-none-manylinux2014_{machine}", {"native_part.py": f"machine = {machine!r}\n"}
        make_wheel(made.folder / "native-part", "native-part", "1.1", files, tag=tag)
    handler = functools.partial(Handler, asked=made.asked, directory=str(made.folder.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.url = f"http://127.0.0.1:{server.server_port}/simple"
        yield made
        server.shutdown()


@pytest.fixture
def locked(project: Project, index: Index, tmp_path: Path) -> Project:
    """The project of the case, with its locks; they name the served index, and the real digests of its wheels."""
    shutil.copytree(CASE, project.root, dirs_exist_ok=True)
    digests = {wheel.name: sha256(wheel) for wheel in index.folder.rglob("*.whl")}
    for name in MANAGERS.values():
        text = (CASE / name).read_text("utf-8").replace("https://index.example/simple", index.url)
        project.write({name: re.sub(r"digest-of-([\w.-]+\.whl)", lambda found: digests[found[1]], text)})
    project.environ |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    return project


# ---------------------------------------------------------------- six dialects


def built_with(manager: str, project: Project, target: str) -> tuple[dict[str, bytes], list[dict[str, Any]], list[str]]:
    """The zips of a first build by a manager's lock, the manifests without what they say of the lock, and what is warned of."""
    shutil.rmtree(project.root / "build", ignore_errors=True)
    options = ("--package-manager", manager, "--target", target)
    done = project.build(*options, MONOPACK_CACHE_DIR=str(project.cache / manager))
    manifests = [project.manifest(pack) for pack in SUBSETS]
    assert [manifest.pop("lock")["file"] for manifest in manifests] == [MANAGERS[manager]] * 2
    lines = done.stderr.splitlines()
    warnings = [line for line in lines if "warning" in line and "the target is" not in line]  # that nothing of it runs here
    return {pack: project.output(f"{pack}.zip") for pack in SUBSETS}, manifests, warnings


@pytest.mark.parametrize("target", TARGETS)
def test_locks_of_one_project_in_six_dialects_give_the_same_subsets_and_the_same_bytes(
    locked: Project, index: Index, target: str
) -> None:
    before = {path: path.read_bytes() for path in locked.root.rglob("*") if path.is_file()}
    zips, manifests, warnings = built_with("pip", locked, target)
    fetched = index.wheels()
    assert {m["pack"]: {d["name"] for d in m["distributions"]} for m in manifests} == SUBSETS
    assert fetched == SUBSETS["orders"] | SUBSETS["reports"] | HELPERS, "what only tests need is fetched, nothing else is"
    assert native_part(zips["orders"]) == f"machine = {TARGETS[target]!r}\n".encode()
    assert warnings == []
    for manager in (*MANAGERS,)[1:]:
        same_zips, same_manifests, warnings = built_with(manager, locked, target)
        assert same_zips == zips
        assert same_manifests == manifests
        assert index.wheels() == fetched
        assert warnings == [], "no lock is older than its manifest, nothing is missing"
    assert {path: path.read_bytes() for path in before} == before, "neither locks nor manifests are written"


def native_part(pack: bytes) -> bytes:
    """The file that differs from machine to machine."""
    with zipfile.ZipFile(io.BytesIO(pack)) as opened:
        return opened.read("native_part.py")


@pytest.mark.parametrize("manager", DEVELOPMENT)
def test_what_only_a_development_group_has_does_not_ship(manager: str, locked: Project) -> None:
    locked.pack("orders", "import test_helper\n")
    done = locked.run("orders", "--package-manager", manager)
    assert done.returncode == 1
    assert "test-helper is pinned for development only: make it a dependency of the project" in done.stderr


# ---------------------------------------------------------------- the pip cache of another Python


def another_python(folder: Path, *, bundled_pip: bool) -> Path:
    """A Python whose pip has a cache folder of its own, by its own configuration; with the pip that came with it or with ours."""
    venv.create(folder, with_pip=bundled_pip, symlinks=True)
    packages = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    if not bundled_pip:
        (packages / "pip.pth").write_text(f"{Path(pip.__file__).parent.parent}\n")
    (folder / "pip.conf").write_text(f"[global]\ncache-dir = {folder / 'its cache'}\n")
    return folder / "bin" / "python"


def fill(python: Path, project: Project, index: Index, *distributions: str) -> None:
    """Let a Python's pip download distributions, as its user would, and forget what the index was asked for."""
    options = ["--no-deps", "--dest", str(index.folder.parent / "elsewhere"), "--trusted-host", "127.0.0.1"]
    argv = [str(python), "-m", "pip", "download", *options, "--index-url", index.url, *distributions]
    subprocess.run(argv, env={"PATH": "", **project.environ}, check=True, capture_output=True)
    assert index.wheels() == {name.partition("=")[0] for name in distributions}


def trust(project: Project) -> None:
    """pip keeps nothing from an index without TLS, unless it is trusted."""
    lines = (project.root / "requirements.txt").read_text("utf-8")
    project.write({"requirements.txt": f"--trusted-host 127.0.0.1\n{lines}"})


@pytest.mark.parametrize("bundled_pip", [False, True], ids=["todays-pip", "bundled-pip"])
def test_wheels_that_another_pythons_pip_has_are_not_fetched_again(
    bundled_pip: bool, locked: Project, index: Index, tmp_path: Path
) -> None:
    """Also where that pip is from before 23.3, as with many Pythons: newer ones cannot read its cache."""
    if bundled_pip:
        pytest.importorskip("ensurepip", reason="this Python came without a pip")
    trust(locked)
    python = another_python(tmp_path / "other", bundled_pip=bundled_pip)
    fill(python, locked, index, "shared-part==2.0", "speedup==1.5", "tls-part==1.0", "web-kit==1.2", "native-part==1.1")
    line = f"fetched wheels came from the pip cache of {python}"
    arguments = ("orders", "--package-manager", "pip", "--skip-tests", "--existing-install-python")
    done = locked.build(*arguments, str(python))
    assert index.wheels() == set()
    assert done.stderr.count(line) == 1
    assert f"5 of 5 {line}" in done.stderr
    assert {d["name"] for d in locked.manifest("orders")["distributions"]} == SUBSETS["orders"]
    assert line not in locked.build(*arguments, str(python)).stderr, "the store has them now"


def test_without_the_option_the_cache_of_another_python_is_left_alone(locked: Project, index: Index, tmp_path: Path) -> None:
    trust(locked)
    python = another_python(tmp_path / "other", bundled_pip=False)
    fill(python, locked, index, "web-kit==1.2")
    done = locked.build("orders", "--package-manager", "pip", "--skip-tests")
    assert index.wheels() == SUBSETS["orders"]
    assert "pip cache" not in done.stderr


def test_only_what_the_cache_lacks_is_fetched_and_counted(locked: Project, index: Index, tmp_path: Path) -> None:
    trust(locked)
    python = another_python(tmp_path / "other", bundled_pip=False)
    fill(python, locked, index, "web-kit==1.2", "speedup==1.5", "unused-thing==1.0")
    locked.write(
        {"monopack.toml": f'package_manager = "pip"\nexisting_install_python = "{python}"\n', "pip.py": "raise SystemExit\n"}
    )
    done = locked.build("orders", "--skip-tests", PIP_NO_CACHE_DIR="1", PIP_QUIET="2")
    assert index.wheels() == {"native-part", "shared-part", "tls-part"}
    assert f"2 of 5 fetched wheels came from the pip cache of {python}" in done.stderr


@pytest.mark.parametrize("case", ["missing", "without pip", "with an old pip"])
def test_a_python_whose_pip_cache_cannot_be_had_is_refused(case: str, locked: Project, tmp_path: Path) -> None:
    python = another_python(tmp_path / "other", bundled_pip=False)
    path_file = next((tmp_path / "other").rglob("pip.pth"))
    said = f"{python} has no pip that tells its cache: ModuleNotFoundError: No module named 'pip'"
    if case == "missing":
        python = Path("no-such-python")
        said = "no-such-python cannot be started: No such file or directory"
    elif case == "with an old pip":
        locked.write({"../old/pip/__init__.py": "__version__ = '20.2.4'\n", "../old/pip/__main__.py": "print('/its/cache')\n"})
        path_file.write_text(f"{tmp_path / 'old'}\n")
        said = f"{python} has pip 20.2.4, which is too old: 20.3 or a newer one is needed"
    else:
        path_file.unlink()
    done = locked.run("orders", "--package-manager", "pip", MONOPACK_EXISTING_INSTALL_PYTHON=str(python))
    assert done.returncode == 2
    assert f"error: existing_install_python: {said}\n  hint: name a Python that has pip, or leave it out" in done.stderr
