"""Running the tests of a pack: counts, failures as values, and nothing of this machine in reach."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path
from textwrap import dedent

import pytest
from test_targets import PYTHONS

from monopack.errors import PackError
from monopack.model import Target
from monopack.run import Door, clean_environment
from monopack.targets import host
from monopack.testing import Outcome, Request, run_tests, select_runner

TARGETS = {version: host(python, "--python", Path.cwd(), os.environ, Door()) for version, python in PYTHONS.items()}
OWN = TARGETS[f"{sys.version_info[0]}.{sys.version_info[1]}"]
PYTEST = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")

each_target = pytest.mark.parametrize("target", [pytest.param(target, id=version) for version, target in TARGETS.items()])
each_runner = pytest.mark.parametrize("runner", ["unittest", "pytest"])


def a_pack(folder: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(dedent(text), encoding="utf-8")
    return folder


def ship_pytest(folder: Path) -> None:
    """Put pytest and what it needs into a pack (links to what is installed here, which spares compiling it each time)."""
    for name in PYTEST:
        files = distribution(name).files or ()
        for top in {file.parts[0] for file in files if file.parts[0] != ".."}:
            (folder / top).symlink_to(Path(str(distribution(name).locate_file(top))))


def outcome_of(
    root: Path,
    files: Mapping[str, str],
    *,
    runner: str = "unittest",
    target: Target = OWN,
    timeout: float = 120.0,
    environ: Mapping[str, str] | None = None,
) -> Outcome:
    """Run the test files among `files` (those named test_*.py, and what lies in json/)."""
    folder, home = a_pack(root / "pack", files), root / "home"
    home.mkdir(exist_ok=True)
    if runner == "pytest":
        ship_pytest(folder)
    chosen = tuple(path for path in files if path.rpartition("/")[2].startswith("test_") or path.startswith("json/"))
    request = Request(files=chosen, runner=runner, tests_dir="tests", timeout=timeout)
    before = set(folder.rglob("*"))
    outcome = run_tests(folder, request, target, clean_environment(os.environ, home=home, extra=environ), Door())
    assert set(folder.rglob("*")) == before
    return outcome


MIXED = """\
    import unittest
    from app import double

    class Test(unittest.TestCase):
        def test_good(self): self.assertEqual(double(2), 4)
        def test_bad(self): self.assertEqual(double(2), 5)
        def test_error(self): double(None)
        @unittest.skip("later")
        def test_later(self): ...
        @unittest.expectedFailure
        def test_known(self): self.assertEqual(double(2), 6)
    """
APP = {"app.py": "def double(x): return x + x\n"}


# ---------------------------------------------------------------- counts


@each_target
def test_unittest_counts_passed_skipped_and_failed(target: Target, tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, {**APP, "tests/unit/test_app.py": MIXED}, target=target)
    assert (outcome.passed, outcome.skipped) == (2, 1)
    (failure,) = outcome.failures
    assert (failure.kind, failure.message) == ("tests", "2 of 4 tests failed")
    assert "AssertionError: 4 != 5" in failure.output


def test_pytest_counts_passed_skipped_and_failed(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, {**APP, "tests/unit/test_app.py": MIXED}, runner="pytest")
    assert (outcome.passed, outcome.skipped) == (2, 1)
    (failure,) = outcome.failures
    assert (failure.kind, failure.message) == ("tests", "2 of 4 tests failed")
    assert "AssertionError: 4 != 5" in failure.output


@each_runner
def test_tests_that_pass_are_no_failures(runner: str, tmp_path: Path) -> None:
    good = "import unittest, app\nclass T(unittest.TestCase):\n    def test(self): app.double(1)\n"
    outcome = outcome_of(tmp_path, {**APP, "tests/test_a.py": good, "tests/test_b.py": good}, runner=runner)
    assert outcome == Outcome(passed=2, skipped=0)


@each_runner
@pytest.mark.parametrize(
    ("text", "skipped", "message"),
    [
        ("", 0, "no test ran in tests/test_a.py"),
        (
            "import unittest\n@unittest.skip('later')\nclass T(unittest.TestCase):\n    def test(self): ...\n",
            1,
            "no test ran in tests/test_a.py: all 1 were skipped",
        ),
        ("import unittest\nraise unittest.SkipTest('not here')\n", 1, "no test ran in tests/test_a.py: all 1 were skipped"),
    ],
)
def test_no_test_ran_is_a_failure(runner: str, text: str, skipped: int, message: str, tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, {"tests/test_a.py": text}, runner=runner)
    assert (outcome.passed, outcome.skipped) == (0, skipped)
    assert [(failure.kind, failure.message) for failure in outcome.failures] == [("no-tests", message)]


# ---------------------------------------------------------------- how files are found and loaded


@each_target
def test_unittest_loads_files_wherever_they_lie(target: Target, tmp_path: Path) -> None:
    good = "import unittest, helpers, app\n{0}\nclass T(unittest.TestCase):\n    def test(self): self.assertTrue(helpers.ok)\n"
    files = {
        **APP,
        "tests/helpers.py": "ok = True",
        "tests/test_top.py": good.format("assert __name__ == 'tests.test_top'"),
        "tests/package/__init__.py": "",
        "tests/package/own.py": "",
        "tests/package/test_relative.py": good.format("from .own import __name__; from tests.package import own"),
        "tests/users-get/test_hyphen.py": good.format(""),
        "tests/class/test_keyword.py": good.format(""),
        "json/test_beside_the_standard_library.py": good.format("import json; json.dumps"),
        "json/tool.py": good.format("import json; json.dumps"),
    }
    outcome = outcome_of(tmp_path, files, target=target)
    assert [failure.output for failure in outcome.failures] == []
    assert outcome.passed == 6


@each_runner
def test_a_file_that_cannot_be_imported_fails_and_the_others_still_run(runner: str, tmp_path: Path) -> None:
    files = {
        "tests/test_bad.py": "1/0",
        "tests/test_good.py": "import unittest\nclass T(unittest.TestCase):\n    def test(self): ...\n",
    }
    outcome = outcome_of(tmp_path, files, runner=runner)
    assert outcome.passed == 1
    assert [(failure.kind, failure.message) for failure in outcome.failures] == [("tests", "1 of 2 tests failed")]
    assert "tests/test_bad.py" in outcome.failures[0].output
    assert "ZeroDivisionError" in outcome.failures[0].output


def test_a_file_that_exits_when_it_is_imported_fails_and_the_others_still_run(tmp_path: Path) -> None:
    files = {
        "tests/test_bad.py": "raise SystemExit(0)",
        "tests/test_good.py": "import unittest\nclass T(unittest.TestCase):\n    def test(self): ...\n",
    }
    outcome = outcome_of(tmp_path, files)
    assert (outcome.passed, [failure.message for failure in outcome.failures]) == (1, ["1 of 2 tests failed"])


def test_load_tests_and_set_up_module_are_honoured(tmp_path: Path) -> None:
    text = """\
        import unittest
        def setUpModule(): raise unittest.SkipTest("not here")
        class T(unittest.TestCase):
            def test(self): ...
        """
    files = {
        "tests/test_a.py": text,
        "tests/test_b.py": "import doctest, app\ndef load_tests(l, s, p): s.addTests(doctest.DocTestSuite(app)); return s",
        "app.py": "def f():\n    '''\n    >>> f()\n    1\n    '''\n    return 1\n",
    }
    outcome = outcome_of(tmp_path, files)
    assert outcome == Outcome(passed=1, skipped=1)


# ---------------------------------------------------------------- what tests can reach


CHILD = """\
    import os, subprocess, sys, unittest
    class T(unittest.TestCase):
        def test(self):
            subprocess.run([sys.executable, "-c", "import app; app.double(1)"], check=True, cwd=os.environ["HOME"])
    """


@each_runner
def test_programs_that_a_test_starts_see_the_pack_too(runner: str, tmp_path: Path) -> None:
    assert outcome_of(tmp_path, {**APP, "tests/test_a.py": CHILD}, runner=runner) == Outcome(passed=1, skipped=0)


@each_target
def test_what_only_the_interpreter_has_installed_is_missing(target: Target, tmp_path: Path) -> None:
    subprocess.run([target.python, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    venv = host(str(tmp_path / "venv"), "--python", tmp_path, os.environ, Door())
    (site,) = (tmp_path / "venv").glob("lib/python3*/site-packages")
    (site / "installed.py").touch()
    assert subprocess.run([venv.python, "-c", "import installed"], check=False).returncode == 0
    outcome = outcome_of(tmp_path, {"tests/test_a.py": "import unittest\n\nimport installed\n"}, target=venv)
    whole, missing = outcome.failures
    assert (whole.message, whole.missing) == ("1 of 1 tests failed", "")
    assert (missing.kind, missing.missing, missing.where) == ("tests", "installed", "tests/test_a.py:3")


def test_pytest_names_missing_modules_and_where(tmp_path: Path) -> None:
    files = {
        "app.py": "def f():\n    import yaml\n",
        "tests/test_a.py": "import app\ndef test_f(): app.f()\ndef test_g(): import google.cloud.storage\n",
        "tests/test_b.py": "\n\nimport boto3\n",
    }
    outcome = outcome_of(tmp_path, files, runner="pytest")
    found = {failure.missing: failure.where for failure in outcome.failures if failure.missing}
    assert found == {"boto3": "tests/test_b.py:3", "yaml": "app.py:2", "google": "tests/test_a.py:3"}


def test_a_module_that_a_passing_test_misses_is_not_reported(tmp_path: Path) -> None:
    text = "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        print(\"No module named 'yaml'\")\n"
    assert outcome_of(tmp_path, {"tests/test_a.py": text}) == Outcome(passed=1, skipped=0)


def test_pytest_that_is_not_in_the_pack(tmp_path: Path) -> None:
    folder = a_pack(tmp_path / "pack", {"tests/test_a.py": "def test(): ..."})
    request = Request(files=("tests/test_a.py",), runner="pytest", tests_dir="tests", timeout=120)
    outcome = run_tests(folder, request, OWN, clean_environment(os.environ, home=tmp_path), Door())
    assert outcome.failures[0].message == "pytest ended with exit code 1 and without a result"
    assert [failure.missing for failure in outcome.failures] == ["", "pytest"]


def test_the_project_around_the_pack_does_not_leak_into_pytest(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("raise RuntimeError('the conftest of the project')")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\npythonpath = src\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "leak.py").touch()
    text = "import pytest\ndef test():\n    with pytest.raises(ImportError): import leak\n"
    assert outcome_of(tmp_path, {"tests/test_a.py": text}, runner="pytest") == Outcome(passed=1, skipped=0)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", "[pytest]\npython_functions = check_*\n"),
        ("tests/pytest.ini", "[pytest]\npython_functions = check_*\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]\npython_functions = ['check_*']\n"),
        ("setup.cfg", "[tool:pytest]\npython_functions = check_*\n"),
    ],
)
def test_pytest_obeys_the_configuration_in_the_pack(name: str, text: str, tmp_path: Path) -> None:
    files = {"tests/test_a.py": "def check_it(fixed): assert fixed == 1\n", name: text}
    files |= {"tests/conftest.py": "import pytest\n@pytest.fixture\ndef fixed(): return 1\n", "tox.ini": "[tox]\nenvlist = py3\n"}
    assert outcome_of(tmp_path, files, runner="pytest") == Outcome(passed=1, skipped=0)


@each_runner
def test_the_environment_of_the_caller_changes_nothing(runner: str, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "installed.py").touch()
    text = """\
        import os, unittest
        class T(unittest.TestCase):
            def test(self):
                self.assertEqual(os.environ["STAGE"], "test")
                self.assertNotIn("SECRET", os.environ)
                with self.assertRaises(ImportError): import installed
        """
    environ = {"STAGE": "test", "PYTHONPATH": str(tmp_path / "outside")}
    assert outcome_of(tmp_path, {"tests/test_a.py": text}, runner=runner, environ=environ) == Outcome(passed=1, skipped=0)


# ---------------------------------------------------------------- runs that do not end well


@each_runner
def test_tests_that_end_the_process(runner: str, tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, {"tests/test_a.py": "import os\nprint('bye', flush=True)\nos._exit(0)\n"}, runner=runner)
    assert [failure.message for failure in outcome.failures] == [f"{runner} ended with exit code 0 and without a result"]


@each_runner
def test_tests_that_take_too_long(runner: str, tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, {"tests/test_a.py": "import time\ntime.sleep(999)\n"}, runner=runner, timeout=0.5)
    assert [(failure.kind, failure.message) for failure in outcome.failures] == [("timeout", "the tests took longer than 0.5 s")]
    assert (outcome.passed, outcome.skipped) == (0, 0)


def test_an_interpreter_without_venv_is_one_line(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho Traceback\necho No module named venv\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(PackError, match="cannot make a virtual environment: No module named venv") as refused:
        outcome_of(tmp_path, {"tests/test_a.py": ""}, target=replace(OWN, python=str(program)))
    assert refused.value.where == str(program)


@pytest.mark.parametrize(
    ("setting", "pinned", "runner"),
    [
        ("auto", {"pytest", "attrs"}, "pytest"),
        ("auto", {"pytest-cov"}, "unittest"),
        ("auto", (), "unittest"),
        ("unittest", {"pytest"}, "unittest"),
        ("pytest", (), "pytest"),
    ],
)
def test_the_runner(setting: str, pinned: set[str], runner: str) -> None:
    assert select_runner(setting, pinned) == runner
