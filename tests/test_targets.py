"""The target `host`: which Python stands for it, and what it says about itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import packaging
import pytest

from monopack.errors import ConfigError
from monopack.model import Target
from monopack.run import Door
from monopack.targets import host

SITE_OF_PACKAGING = str(Path(packaging.__file__).parent.parent)


def _usual_places() -> Iterator[Path]:
    """Where interpreters may be: named by MONOPACK_TEST_PYTHONS, on PATH, in the folders of pyenv and uv."""
    yield Path(sys.executable)
    yield from map(Path, filter(None, os.environ.get("MONOPACK_TEST_PYTHONS", "").split(os.pathsep)))
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        yield from sorted(p for p in Path(folder or ".").glob("python3.*") if re.fullmatch(r"python3\.\d+", p.name))
    yield from sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin/python"))
    yield from sorted((Path.home() / ".local" / "share" / "uv" / "python").glob("cpython-3.*/bin/python"))


def _found() -> dict[str, str]:
    """One interpreter that works for each version (3.8 or newer) on this machine."""
    found: dict[str, str] = {}
    ask = "import sys; print('%d.%d' % sys.version_info[:2], sys.implementation.name)"
    for python in _usual_places():
        ran = subprocess.run([python, "-I", "-c", ask], capture_output=True, text=True, check=False)
        version, _, implementation = ran.stdout.strip().partition(" ")
        if ran.returncode == 0 and implementation == "cpython" and int(version.partition(".")[2]) >= 8:
            found.setdefault(version, str(python))
    return found


PYTHONS = _found()
if len(PYTHONS) == 1:
    warnings.warn("only one Python was found: set MONOPACK_TEST_PYTHONS to paths of others to test with them too", stacklevel=1)

each_python = pytest.mark.parametrize("python", [pytest.param(path, id=version) for version, path in PYTHONS.items()])


def probe(python: str, root: Path) -> Target:
    return host(python, "--python", root, os.environ, Door())


def in_python(python: str, code: str, *given: str, flags: tuple[str, ...] = ("-I", "-S", "-B")) -> str:
    ran = subprocess.run([python, *flags, "-c", code, *given], capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def a_python(path: Path, instead_of: str = sys.executable) -> Path:
    """Another name for an interpreter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {instead_of} "$@"\n')
    path.chmod(0o755)
    return path


# ---------------------------------------------------------------- what it says about itself


def with_packaging(python: str, code: str) -> str:
    """What code prints in an interpreter that has `packaging`: this one's, or what pip brings where that is too new."""
    look = "import os, pip; print(os.path.dirname(os.path.dirname(pip.__file__)))"
    for site, package in ((SITE_OF_PACKAGING, "packaging"), (in_python(python, look, flags=("-I",)), "pip._vendor.packaging")):
        asked = f"import json, sys; sys.path.append(sys.argv[1]); from {package} import markers, tags; {code}"
        ran = subprocess.run([python, "-I", "-S", "-B", "-c", asked, site], capture_output=True, text=True, check=False)
        if ran.returncode == 0:
            return ran.stdout
    raise AssertionError(ran.stderr)


@each_python
def test_tags_are_those_that_packaging_gives_inside_the_interpreter(python: str, tmp_path: Path) -> None:
    inside = with_packaging(python, "print(*tags.sys_tags())").split()
    found = [str(tag) for tag in probe(python, tmp_path).tags]
    forgotten = {f"{found[0].partition('-')[0]}-none-any"} - set(
        inside
    )  # by packaging before 22, which the pip of Python 3.8 has
    assert set(found) == set(inside) | forgotten
    # Best first; whether linux_* or manylinux_* comes first depends on the version of packaging.
    ordered = [tag for tag in found if "-linux_" not in tag and tag not in forgotten]
    assert ordered == [tag for tag in inside if "-linux_" not in tag]


@each_python
def test_markers_are_those_that_packaging_gives_inside_the_interpreter(python: str, tmp_path: Path) -> None:
    target = probe(python, tmp_path)
    assert dict(target.markers) == json.loads(with_packaging(python, "print(json.dumps(markers.default_environment()))"))
    assert len(target.markers) == 11
    assert target.version == target.markers["python_full_version"]


@each_python
def test_builtins_are_exactly_the_standard_modules_that_a_file_cannot_shadow(python: str, tmp_path: Path) -> None:
    target = probe(python, tmp_path)
    shadows, script = tmp_path / "shadows", tmp_path / "script.py"
    shadows.mkdir()
    for name in target.stdlib:
        (shadows / f"{name}.py").touch()
    script.write_text(
        "import sys, site\n"  # an ordinary start imports site
        "sys.path.insert(0, sys.argv[1])\n"
        "def file_of(name):\n"
        "    specs = (finder.find_spec(name) for finder in sys.meta_path)\n"
        "    return next(spec for spec in specs if spec).origin\n"
        "names = [n for n in sys.argv[2:] if n not in sys.modules and file_of(n).startswith(sys.argv[1])]\n"
        "print(' '.join(names))\n"
    )
    argv = [python, "-I", "-S", "-B", str(script), str(shadows), *target.stdlib]
    shadowed = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    demos = {name for name in target.stdlib if name.startswith(("__hello", "__phello"))}
    assert set(shadowed) | demos == (target.stdlib - target.builtins) | demos
    assert target.builtins <= target.stdlib


@each_python
def test_stdlib_holds_what_the_interpreter_itself_lists_and_nothing_else_from_its_folder(python: str, tmp_path: Path) -> None:
    stdlib = probe(python, tmp_path).stdlib
    own = in_python(python, "import sys; print(' '.join(getattr(sys, 'stdlib_module_names', ())))").split()
    folder = Path(in_python(python, "import json, os; print(os.path.dirname(os.path.dirname(json.__file__)))"))
    assert set(own) <= stdlib
    assert {"json", "sys", "_ssl", "_frozen_importlib", "__future__"} <= stdlib
    assert {"pip", "setuptools", "yaml", "site-packages"}.isdisjoint(stdlib)
    assert ("distutils" in stdlib) == (folder / "distutils").is_dir()


def test_nothing_is_taken_from_the_python_that_runs_monopack(tmp_path: Path) -> None:
    if len(PYTHONS) == 1:
        pytest.skip("only one Python was found: set MONOPACK_TEST_PYTHONS to paths of others")
    for version, python in PYTHONS.items():
        target = probe(python, tmp_path)
        assert target.markers["python_version"] == version
        assert f"cp{version.replace('.', '')}" in target.tags[0].interpreter


def test_the_environment_of_the_caller_does_not_change_the_answer(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise RuntimeError('shadowed')")
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONHOME": "/nowhere", "PYTHONSTARTUP": "x"}
    assert host(sys.executable, "--python", tmp_path, environ, Door()) == probe(sys.executable, tmp_path)


# ---------------------------------------------------------------- which one is chosen


def test_order_given_then_active_environment_then_dot_venv_then_version_file_then_own(tmp_path: Path) -> None:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    venv = partial(subprocess.run, check=True)
    for name in ("given", "active", ".venv"):
        venv([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / name)])
    a_python(tmp_path / "bin" / f"python{version}")
    (tmp_path / ".python-version").write_text(f"{version}\n")
    environ = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "VIRTUAL_ENV": str(tmp_path / "active")}

    def chosen(given: str | None = None) -> tuple[str, str]:
        target = host(given, "--python", tmp_path, environ, Door())
        return target.python.removeprefix(f"{tmp_path}/"), target.chosen_by

    assert chosen(str(tmp_path / "given")) == ("given/bin/python", "--python")
    assert chosen(str(tmp_path / "given/bin/python")) == ("given/bin/python", "--python")
    assert chosen() == ("active/bin/python", "VIRTUAL_ENV")
    del environ["VIRTUAL_ENV"]
    assert chosen() == (".venv/bin/python", ".venv")
    shutil.rmtree(tmp_path / ".venv")
    assert chosen() == (sys.executable, ".python-version")
    (tmp_path / ".python-version").unlink()
    assert chosen() == (sys.executable, "the Python that runs monopack")


@pytest.mark.parametrize("text", ["{0}", "{0}.99\n", "# ours\n\ncpython-{0}\n{0}\n", "python{0}"])
def test_version_file_forms(text: str, tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text(text.format(f"{sys.version_info[0]}.{sys.version_info[1]}"))
    target = host(None, "", tmp_path, {"PATH": ""}, Door())
    assert (target.chosen_by, target.python) == (".python-version", sys.executable)


def test_a_command_is_looked_up_on_path_past_one_that_does_not_work(tmp_path: Path) -> None:
    broken = a_python(tmp_path / "a" / "python3.77", "false")
    works = a_python(tmp_path / "b" / "python3.77")
    path = os.pathsep.join(map(str, (broken.parent, works.parent)))
    target = host("python3.77", "MONOPACK_PYTHON", tmp_path, {"PATH": path}, Door())
    assert target.python == sys.executable
    assert target.chosen_by == "MONOPACK_PYTHON"


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("/nowhere/python", "cannot be started"),
        ("no-such-command", "there is no command no-such-command on PATH"),
        (shutil.which("echo") or "/bin/echo", "not a Python that monopack can use"),
        (shutil.which("true") or "/bin/true", "not a Python that monopack can use"),
    ],
)
def test_what_is_no_python_is_refused_with_the_place_that_names_it(given: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=what) as refused:
        host(given, "monopack.toml: python", tmp_path, os.environ, Door())
    assert refused.value.where == "monopack.toml: python"
    assert "--python" in refused.value.hint


@pytest.mark.parametrize(
    ("implementation", "version", "what"), [("cpython", (3, 7), r"is Python 3\.7"), ("pypy", (3, 10), "is PyPy")]
)
def test_an_older_or_other_python_is_refused(implementation: str, version: tuple[int, int], what: str, tmp_path: Path) -> None:
    markers = {"python_version": "3.7", "platform_python_implementation": "PyPy"}
    answer = {"executable": "/opt/it", "version": version, "implementation": implementation, "markers": markers}
    claims = tmp_path / "claims.json"
    claims.write_text(json.dumps(answer))
    program = a_python(tmp_path / "python", f"cat {claims} #")
    with pytest.raises(ConfigError, match=what):
        host(str(program), "--python", tmp_path, os.environ, Door())


def test_a_broken_environment_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(tmp_path / "gone")
    with pytest.raises(ConfigError, match="cannot be started") as refused:
        host(None, "", tmp_path, {"PATH": ""}, Door())
    assert refused.value.where == ".venv"
    with pytest.raises(ConfigError, match="cannot be started") as refused:
        host(None, "", tmp_path, {"PATH": "", "VIRTUAL_ENV": str(tmp_path / "gone")}, Door())
    assert refused.value.where == "VIRTUAL_ENV"


@pytest.mark.parametrize(
    ("text", "what"), [("3.99", r"no python3\.99 on PATH"), ("my-env", "'my-env' is not a version"), ("", "''")]
)
def test_a_version_file_that_cannot_be_followed_is_refused(text: str, what: str, tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text(text)
    with pytest.raises(ConfigError, match=what) as refused:
        host(None, "", tmp_path, {"PATH": os.environ["PATH"]}, Door())
    assert refused.value.where == ".python-version"


def test_a_command_of_another_version_than_the_file_asks_for_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("3.77")
    a_python(tmp_path / "bin" / "python3.77")
    with pytest.raises(ConfigError, match=r"not 3\.77"):
        host(None, "", tmp_path, {"PATH": str(tmp_path / "bin")}, Door())
