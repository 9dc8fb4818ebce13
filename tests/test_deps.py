"""`monopack deps`: what ships as a table, and as files from which uv and pip install exactly that."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.pylock import Pylock
from packaging.requirements import Requirement
from projects import Project
from served import Served, pinned
from test_store import make_sdist
from wheels import sha256

UV = (sys.executable, "-m", "uv", "pip", "install", "--no-config", "--no-cache", "--python", sys.executable)
PIP = (sys.executable, "-P", "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check")


@pytest.fixture
def needy(project: Project, served: Served) -> Project:
    """A pack that needs two of four pins."""
    wheels = [
        served.publish("needed", {"needed_module.py": "import part\n"}, requires=["part; python_version > '3'"]),
        served.publish("part"),
        served.publish("unneeded"),
        served.publish("unneeded-too"),
    ]
    project.write({"requirements.txt": "\n".join([f"--index-url {served.url}", *map(pinned, wheels)])})
    project.pack("main", "import needed_module\n")
    return project


def write(project: Project, form: str, name: str) -> Path:
    file = project.root / name
    file.write_text(project.build("deps", "main", "--format", form).stdout)
    return file


def installed(project: Project, command: tuple[str, ...], file: Path) -> set[str]:
    """What a command installs from a file into an empty folder."""
    folder = project.root.parent / "installed"
    argv = [*command, "--target", str(folder), "-r", str(file)]
    environ = project.environment(PIP_CONFIG_FILE=os.devnull)
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {found.name.partition(".dist-info")[0] for found in folder.glob("*.dist-info")}


@pytest.mark.parametrize("command", [UV, PIP], ids=["uv", "pip"])
@pytest.mark.parametrize(("form", "name"), [("requirements", "subset.txt"), ("pylock", "pylock.toml")])
def test_uv_and_pip_install_exactly_what_ships(needy: Project, command: tuple[str, ...], form: str, name: str) -> None:
    needy.build()
    assert installed(needy, command, write(needy, form, name)) == {"needed-1.0", "part-1.0"}
    shipped = {path for path in needy.shipped("main") if ".dist-info/" in path}
    assert {path.partition(".dist-info/")[0] for path in shipped} == {"needed-1.0", "part-1.0"}


@pytest.mark.parametrize("command", [UV, PIP], ids=["uv", "pip"])
@pytest.mark.parametrize(("form", "name"), [("requirements", "subset.txt"), ("pylock", "pylock.toml")])
def test_other_bytes_than_those_that_ship_are_refused(
    needy: Project, served: Served, command: tuple[str, ...], form: str, name: str
) -> None:
    file = write(needy, form, name)
    served.publish("part", {"part/__init__.py": "changed = True\n"})
    argv = [*command, "--target", str(needy.root.parent / "installed"), "-r", str(file)]
    environ = needy.environment(PIP_CONFIG_FILE=os.devnull)
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert re.search("hash|mismatch", done.stderr, re.IGNORECASE)


def test_the_table_says_what_and_why(needy: Project) -> None:
    head, needed, part, total = needy.build("deps", "main").stdout.splitlines()
    wheel = next((needy.root.parent / "served").rglob("needed-*.whl"))
    assert head.split() == ["distribution", "version", "wheel", "unpacked", "tags", "sha256", "why"]
    assert needed.split()[:2] == ["needed", "1.0"]
    assert "py3-none-any" in needed
    assert sha256(wheel)[:12] in needed
    assert needed.endswith("imported as needed_module (packs/main.py:1)")
    assert part.endswith("required by needed")
    assert total.startswith("2 distributions for Python ")


def test_a_pack_without_distributions_has_an_empty_subset(project: Project) -> None:
    project.pack("main", "import json\n")
    assert project.build("deps", "main").stdout.startswith("0 distributions for Python ")
    assert tomllib.loads(project.build("deps", "main", "--format", "pylock").stdout)["packages"] == []


def test_a_pylock_is_valid_and_says_what_requires_what(needy: Project) -> None:
    text = write(needy, "pylock", "pylock.toml").read_text()
    lock = Pylock.from_dict(tomllib.loads(text))
    assert [(each.name, str(each.version)) for each in lock.packages] == [("needed", "1.0"), ("part", "1.0")]
    assert [list(each.dependencies or ()) for each in lock.packages] == [[{"name": "part"}], []]
    assert len(list(lock.select())) == 2


def test_no_credentials_are_written(needy: Project, served: Served) -> None:
    told = (needy.root / "requirements.txt").read_text()
    needy.write({"requirements.txt": told.replace("http://", "http://someone:secret@")})
    for form in ("text", "json", "requirements", "pylock"):
        done = needy.build("deps", "main", "--format", form)
        assert "needed" in done.stdout
        assert "secret" not in done.stdout + done.stderr
        assert "someone" not in done.stdout + done.stderr
    assert f"--index-url {served.url}\n" in needy.build("deps", "main", "--format", "requirements").stdout


def test_what_was_built_here_is_named_by_its_sdist(project: Project, tmp_path: Path) -> None:
    sdist = make_sdist(project.index, tmp_path)
    project.require(f"src-only==1.0 --hash=sha256:{sha256(sdist)}")
    project.pack("main", "import src_only\n")
    assert f"--hash=sha256:{sha256(sdist)}" in project.build("deps", "main", "--format", "requirements").stdout
    (package,) = tomllib.loads(project.build("deps", "main", "--format", "pylock").stdout)["packages"]
    assert package["sdist"]["hashes"] == {"sha256": sha256(sdist)}
    assert package["sdist"]["url"] == sdist.as_uri()


def test_what_was_built_from_an_sdist_without_a_hash_makes_no_hashed_file(project: Project, tmp_path: Path) -> None:
    make_sdist(project.index, tmp_path)
    project.require("src-only==1.0")
    project.pack("main", "import src_only\n")
    done = project.run("deps", "main", "--format", "requirements")
    assert done.returncode == 3
    assert "src-only==1.0 was built from an sdist of which the lock has no hash" in done.stderr


def test_a_direct_reference_stays_one(project: Project) -> None:
    project.wheel("direct")
    (wheel,) = project.index.glob("direct-*.whl")
    project.write({"requirements.txt": f"direct @ {wheel.as_uri()} --hash=sha256:{sha256(wheel)}\n"})
    project.pack("main", "import direct\n")
    _, line, *_ = project.build("deps", "main", "--format", "requirements").stdout.splitlines()
    assert Requirement(line.removesuffix(" \\")).url == wheel.as_uri()
    (package,) = tomllib.loads(project.build("deps", "main", "--format", "pylock").stdout)["packages"]
    assert package["archive"] == {"url": wheel.as_uri(), "hashes": {"sha256": sha256(wheel)}}


def test_two_forms_of_one_answer_are_refused(needy: Project) -> None:
    done = needy.run("deps", "main", "--json", "--format", "pylock")
    assert done.returncode == 2
    assert "--json and --format pylock are two forms of one answer" in done.stdout + done.stderr


def test_a_pack_that_cannot_be_resolved_has_no_subset(needy: Project) -> None:
    needy.pack("main", "import needed_module, nowhere\n")
    done = needy.run("deps", "main", "--format", "requirements")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "packs/main.py:1: main imports nowhere, which" in done.stderr
