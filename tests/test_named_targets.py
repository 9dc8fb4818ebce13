"""The targets that are known by their names: what they accept, what runs of them here, and which compiled files they load."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from elves import elf
from projects import Project
from targets_for_tests import host

from monopack.errors import ConfigError
from monopack.model import Native, Target
from monopack.run import Door
from monopack.targets import misfits, named

HERE = f"3.{sys.version_info[1]}"
OTHER = "3.13" if HERE != "3.13" else "3.12"


def target(name: str, tmp_path: Path) -> Target:
    """A target as it is known where no other Python is on PATH."""
    return named(name, host(), {"PATH": ""}, Door(), tmp_path)


def platforms(found: Target) -> list[str]:
    return list(dict.fromkeys(tag.platform for tag in found.tags if tag.platform != "any"))


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "python", "machine", "best"),
    [
        ("aws-lambda-python3.8-x86_64", "3.8", "x86_64", "manylinux_2_26_x86_64"),
        ("aws-lambda-python3.11-x86_64", "3.11", "x86_64", "manylinux_2_26_x86_64"),
        ("aws-lambda-python3.11-arm64", "3.11", "aarch64", "manylinux_2_26_aarch64"),
        ("aws-lambda-python3.12-arm64", "3.12", "aarch64", "manylinux_2_34_aarch64"),
        ("aws-lambda-python3.13-x86_64", "3.13", "x86_64", "manylinux_2_34_x86_64"),
        ("gcf-python39", "3.9", "x86_64", "manylinux_2_27_x86_64"),
        ("gcf-python312", "3.12", "x86_64", "manylinux_2_35_x86_64"),
        ("python3.10-manylinux_2_17_x86_64", "3.10", "x86_64", "manylinux_2_17_x86_64"),
        ("python3.12-musllinux_1_2_aarch64", "3.12", "aarch64", "musllinux_1_2_aarch64"),
    ],
)
def test_a_name_says_python_machine_and_c_library(name: str, python: str, machine: str, best: str, tmp_path: Path) -> None:
    found = target(name, tmp_path)
    assert (found.name, found.platform, platforms(found)[0], platforms(found)[-1]) == (name, best, best, f"linux_{machine}")
    marks = ("python_version", "platform_machine", "sys_platform", "os_name", "platform_system", "implementation_name")
    assert [found.markers[mark] for mark in marks] == [python, machine, "linux", "posix", "Linux", "cpython"]
    assert found.version == found.markers["python_full_version"]
    assert found.version.startswith(f"{python}.")
    assert set(found.markers) == set(host().markers)


def test_every_floor_below_counts_and_none_above(tmp_path: Path) -> None:
    x86_64 = platforms(target("aws-lambda-python3.11-x86_64", tmp_path))
    old = ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]
    assert x86_64 == [*sorted(x86_64[:-1], key=x86_64.index), "linux_x86_64"]
    assert set(x86_64) == {*(f"manylinux_2_{minor}_x86_64" for minor in range(5, 27)), *old, "linux_x86_64"}
    arm = platforms(target("aws-lambda-python3.12-arm64", tmp_path))
    assert set(arm) == {*(f"manylinux_2_{m}_aarch64" for m in range(17, 35)), "manylinux2014_aarch64", "linux_aarch64"}
    musl = platforms(target("python3.12-musllinux_1_2_x86_64", tmp_path))
    assert musl == ["musllinux_1_2_x86_64", "musllinux_1_1_x86_64", "musllinux_1_0_x86_64", "linux_x86_64"]


def test_the_standard_library_is_that_of_the_target(tmp_path: Path) -> None:
    assert "distutils" in target("aws-lambda-python3.11-x86_64", tmp_path).stdlib
    assert "distutils" not in target("aws-lambda-python3.12-x86_64", tmp_path).stdlib
    assert {"sys", "builtins", "itertools"} <= target("gcf-python312", tmp_path).builtins


def test_a_patch_level_may_be_named(tmp_path: Path) -> None:
    assert target("python3.11.4-manylinux_2_28_x86_64", tmp_path).version == "3.11.4"


@pytest.mark.parametrize(
    "name", ["aws-lambda-python3.12", "aws-lambda-python3.12-i686", "python3.12-win_amd64", "lambda", "gcf-python99"]
)
def test_other_names_are_refused_and_the_known_ones_listed(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=name) as refused:
        target(name, tmp_path)
    assert "3.8" in refused.value.hint


def test_what_runs_here_is_known(tmp_path: Path) -> None:
    here = host()
    best = next(tag.platform for tag in here.tags if tag.platform.startswith("manylinux_2_"))
    assert target("host", tmp_path) == here
    same = target(f"python{HERE}-{best}", tmp_path)
    assert (same.runs, same.python) == ("all", here.python)
    foreign = "aarch64" if here.markers["platform_machine"] != "aarch64" else "x86_64"
    assert target(f"python{HERE}-manylinux_2_17_{foreign}", tmp_path).runs == "pure"
    assert target(f"python{OTHER}-{best}", tmp_path).runs == "nothing"


# ---------------------------------------------------------------- compiled files


def reasons(name: str, natives: Sequence[Native], tmp_path: Path) -> list[str]:
    return [why for _, why in misfits(natives, target(name, tmp_path))]


def test_compiled_files_fit_machine_and_c_library(tmp_path: Path) -> None:
    plain = Native(path="x.so", machine="x86_64")
    old, new = replace(plain, glibc="2.9"), replace(plain, glibc="2.28")
    musl, arm = replace(plain, musl=True), replace(plain, machine="aarch64")
    found = [old, new, musl, arm]
    assert reasons("aws-lambda-python3.11-x86_64", [plain, *found], tmp_path) == [
        "needs glibc 2.28, and the target has 2.26", "needs musl, and the target has glibc 2.26",
        "is for aarch64, not for x86_64",
    ]  # fmt: skip
    assert reasons("aws-lambda-python3.12-x86_64", [plain, old, new], tmp_path) == []
    assert reasons("python3.12-musllinux_1_2_x86_64", [plain, new, musl], tmp_path) == [
        "needs glibc 2.28, and the target has musl"
    ]
    assert list(misfits(found, host())) == [], "this machine is asked itself"


# ---------------------------------------------------------------- builds

LAMBDA_11, LAMBDA_12 = "aws-lambda-python3.11-x86_64", "aws-lambda-python3.12-x86_64"


def compiled(project: Project, name: str, content: bytes, tag: str) -> None:
    module = name.replace("-", "_")
    project.wheel(name, files={f"{module}/__init__.py": "", f"{module}/_fast.abi3.so": content}, tag=tag)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(root=tmp_path / "shop", index=tmp_path / "index", cache=tmp_path / "cache")
    project.root.mkdir()
    project.index.mkdir()
    return project


def test_one_machine_builds_for_both_architectures(project: Project) -> None:
    for machine in ("x86_64", "aarch64"):
        compiled(project, "fast", elf(machine, versions=["GLIBC_2.17"]), f"cp312-abi3-manylinux_2_17_{machine}")
    project.require("fast==1.0")
    project.pack("main", "import fast\n")
    shipped = {}
    for name in ("x86_64", "arm64"):
        done = project.build("--target", f"aws-lambda-python3.12-{name}", "--build-dir", "build")
        manifest = project.manifest("main")
        shipped[name] = manifest["distributions"][0]["wheel"]
        assert manifest["target"]["name"] == f"aws-lambda-python3.12-{name}"
        assert ("without running them" in done.stderr) is (name == "arm64" or HERE != "3.12")
    assert shipped == {
        name: f"fast-1.0-cp312-abi3-manylinux_2_17_{m}.whl" for name, m in (("x86_64", "x86_64"), ("arm64", "aarch64"))
    }


def test_packs_have_targets_of_their_own_and_a_flag_beats_them(project: Project) -> None:
    project.wheel("old", files={"old.py": ""})
    project.require('old==1.0; python_version < "3.12"')
    project.pack("first", "try:\n    import old\nexcept ImportError:\n    pass\n")
    project.pack("second", "try:\n    import old\nexcept ImportError:\n    pass\n")
    toml = f'target = "{LAMBDA_12}"\n[packs.second]\ntarget = {{python = "3.11", machine = "arm64", glibc = "2.26"}}\n'
    project.write({"monopack.toml": toml})
    project.build()
    assert "old.py" not in project.shipped("first")
    assert "old.py" in project.shipped("second")
    assert project.manifest("second")["target"]["name"] == "python3.11-manylinux_2_26_aarch64"
    project.build("--target", LAMBDA_12)
    assert "old.py" not in project.shipped("second")


def test_pure_code_for_another_machine_is_run_here(project: Project) -> None:
    project.pack("main", "raise RuntimeError('seen')\n")
    foreign = "aarch64" if host().markers["platform_machine"] != "aarch64" else "x86_64"
    done = project.run("--target", f"python{HERE}-manylinux_2_17_{foreign}")
    assert (done.returncode, "RuntimeError: seen" in done.stdout + done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (elf("aarch64"), "is for aarch64, not for x86_64"),
        (elf(versions=["GLIBC_2.28"]), "needs glibc 2.28, and the target has 2.26"),
        (elf(library="libc.musl-x86_64.so.1"), "needs musl, and the target has glibc 2.26"),
    ],
)
def test_a_wheel_that_lies_about_its_compiled_files_is_refused(project: Project, content: bytes, why: str) -> None:
    compiled(project, "fast", content, "cp311-abi3-manylinux_2_17_x86_64")
    project.require("fast==1.0")
    project.pack("main", "import fast\n")
    done = project.run("--target", LAMBDA_11)
    assert done.returncode == 3
    assert f"fast==1.0: fast/_fast.abi3.so {why} ({LAMBDA_11})" in done.stderr
    assert '[packs.main]  allow_native = ["fast/_fast.abi3.so"]' in done.stderr
    assert not (project.root / "build" / "main.zip").exists()
    project.write({"monopack.toml": '[pack]\nallow_native = ["fast/*.so"]\nverify = false\nskip_tests = true\n'})
    project.build("--target", LAMBDA_11)
    assert "fast/_fast.abi3.so" in project.shipped("main")


def test_compiled_first_party_files_are_checked_too(project: Project) -> None:
    project.pack("main", "import app.fast\n", tested=False)
    suffix = ".cpython-311-x86_64-linux-gnu.so"
    project.write({"app/__init__.py": "", f"app/fast{suffix}": elf(versions=["GLIBC_2.31"])})
    done = project.run("--target", LAMBDA_11, "--skip-tests")
    assert done.returncode == 1
    assert f"first-party: app/fast{suffix} needs glibc 2.31, and the target has 2.26" in done.stderr


def test_what_cannot_be_run_is_said_once_and_imports_are_still_checked(project: Project) -> None:
    compiled(project, "fast", elf("aarch64"), "cp312-abi3-manylinux_2_17_aarch64")
    project.require("fast==1.0")
    project.pack("main", "import fast\n")
    done = project.build("--target", "aws-lambda-python3.12-arm64", "--json")
    (pack,) = json.loads(done.stdout)["packs"]
    assert [warning.partition(":")[0] for warning in pack["warnings"]] == [
        "imports are checked without running them, and no test runs"
    ]
    project.pack("main", "import fast, nowhere\n")
    done = project.run("--target", "aws-lambda-python3.12-arm64")
    assert (done.returncode, "nowhere" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("def handle(event, context): ...", False),
        ("def outer():\n    def lambda_handler(event, context): ...", False),
        ("class A:\n    lambda_handler = 1", False),
        ("lambda_handler = print", True),
        ("try:\n    from json import loads as lambda_handler\nexcept ImportError:\n    raise", True),
        ("from app import *", True),
        ("def __getattr__(name): ...", True),
    ],
)
def test_a_handler_is_looked_for_though_nothing_runs(project: Project, code: str, found: bool) -> None:
    project.write({"packs/main.py": code, "app.py": ""})
    done = project.run("--target", f"python{OTHER}-manylinux_2_17_x86_64", "--skip-tests", PATH="/nowhere")
    assert done.returncode == (0 if found else 1)
    assert ("packs/main.py: defines no lambda_handler" in done.stderr) is not found


def test_a_target_that_is_not_known_is_refused(project: Project) -> None:
    project.pack("main")
    done = project.run("--target", "aws-lambda-python2.7-x86_64")
    assert (done.returncode, "aws-lambda-python2.7-x86_64 is no target that is known" in done.stderr) == (2, True)
    project.write({"monopack.toml": '[target]\npython = "3.12"\n'})
    done = project.run()
    assert (done.returncode, "monopack.toml: target" in done.stderr) == (2, True)


def test_a_wheel_for_another_python_is_refused_though_the_store_has_it(project: Project) -> None:
    project.wheel("young", requires_python=">=3.12")
    project.require("young==1.0")
    project.pack("main", "import young\n", tested=False)
    project.build("--target", LAMBDA_12, "--skip-tests", "--no-verify")
    done = project.run("--target", LAMBDA_11, "--skip-tests", "--no-verify")
    assert done.returncode == 3
    assert "young==1.0 requires Python >=3.12; the target has 3.11" in done.stderr


def test_no_interpreter_of_the_target_is_needed(project: Project) -> None:
    project.pack("main")
    done = project.build("--target", f"python{OTHER}-manylinux_2_17_x86_64", PATH="/nowhere")
    assert "imports are checked without running them, and no test runs" in done.stdout + done.stderr
