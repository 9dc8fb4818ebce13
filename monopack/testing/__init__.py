"""ROOM: runs the tests that belong to a pack on a copy of it; what fails comes back as values."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path

from monopack.errors import PackError
from monopack.model import Failure, Target, value
from monopack.run import Completed, Door, temporary_folder
from monopack.testing.offline import REFUSED

OUTPUT_KEPT = 20_000  # characters of what the runner printed, from its end
# Where pytest's configuration may stand, in pytest's own order, and the text that shows that it does.
PYTEST_CONFIGS = {
    "pytest.toml": "",
    ".pytest.toml": "",
    "pytest.ini": "",
    ".pytest.ini": "",
    "pyproject.toml": "[tool.pytest",
    "tox.ini": "[pytest]",
    "setup.cfg": "[tool:pytest]",
}

MISSING = re.compile(r"No module named '?(\w+(?:\.\w+)*)")
PLACE = re.compile(r"""^\s*(?:File "([^"<]+)", line (\d+)|([^\s:]+\.py):(\d+):)""")


@value()
class Request:
    """Which tests to run: `files` and `tests_dir` are POSIX paths relative to the folder, `runner` is `pytest` or `unittest`.

    `timeout` is in seconds, for all of them together. `network` says whether they may use it.
    """

    files: tuple[str, ...]
    runner: str
    tests_dir: str
    timeout: float
    network: bool = True


@value()
class Outcome:
    """How many tests passed (an expected failure did) and were skipped, and what failed."""

    passed: int
    skipped: int
    failures: tuple[Failure, ...] = ()


@value()
class _Counts:
    passed: int = 0
    skipped: int = 0
    failed: int = 0


@value()
class _Run:
    """How the runner ended, and what it counted (None: it did not get that far)."""

    completed: Completed
    counts: _Counts | None


def select_runner(setting: str, pinned: Collection[str]) -> str:
    """The runner for a setting, `auto`, `pytest` or `unittest`: `auto` is pytest if it is among the `pinned` names (PEP 503)."""
    if setting != "auto":
        return setting
    return "pytest" if "pytest" in pinned else "unittest"


def run_tests(folder: Path, request: Request, target: Target, environment: Mapping[str, str], door: Door) -> Outcome:
    """Run test files in `folder` (absolute, the pack with its tests) with the target's interpreter.

    Nothing but `folder` and the standard library can be imported, also from programs that the tests start with `sys.executable`.
    `environment` is all they get to see, besides PYTHONPATH and PYTHONDONTWRITEBYTECODE. pytest is the one in `folder`, with the
    configuration in `folder` or none; that of the project around it is not looked at. Failures are of the kinds `tests`,
    `no-tests` (nothing ran, or all were skipped) and `timeout`; each missing module adds one with `missing`. Raises PackError
    when the interpreter cannot make a virtual environment, and when the network cannot be shut off that the tests must not have.
    """
    with temporary_folder("tests") as temporary:
        python = _empty_environment(temporary, target, environment, door)
        env = {**environment, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        prepare = _pytest if request.runner == "pytest" else _unittest
        command, result = prepare(folder, request, temporary)
        alone = () if request.network else _offline(temporary)
        ran = door.run([*alone, python, *command], cwd=folder, env=env, timeout=request.timeout)
        counts = _count(result)
    if alone and ran.code == REFUSED and not counts:
        hint = "this takes Linux, and the right to make namespaces; elsewhere set test_network = true"
        raise PackError(f"the network of tests cannot be shut off: {ran.output.strip()}", where="test_network", hint=hint)
    completed = replace(ran, output=ran.output.replace(f"{folder}{os.sep}", ""))  # paths as in the project
    return _outcome(_Run(completed=completed, counts=counts), request, folder)


def _empty_environment(temporary: Path, target: Target, environment: Mapping[str, str], door: Door) -> str:
    """Make a virtual environment without anything in it; give its interpreter."""
    place = temporary / "venv"
    made = door.run([target.python, "-I", "-m", "venv", "--without-pip", str(place)], cwd=temporary, env=environment)
    if made.code:
        said = made.output.strip().rpartition("\n")[2] or f"exit code {made.code}"
        hint = "install its venv module, or name another Python with --python"
        raise PackError(f"cannot make a virtual environment: {said}", where=target.python, hint=hint)
    return str(place / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def _offline(temporary: Path) -> tuple[str, ...]:
    """What a command begins with that is to run without network."""
    script = temporary / "offline.py"
    script.write_bytes(_source("offline.py"))
    return (sys.executable, "-I", "-S", str(script))


def digest() -> str:
    """The sha256 (hex) of how tests are run."""
    return hashlib.sha256(b"\0".join(map(_source, ("__init__.py", "offline.py", "unittest_runner.py")))).hexdigest()


def _source(name: str) -> bytes:
    return resources.files(__name__).joinpath(name).read_bytes()


# ---------------------------------------------------------------- the runners


def _pytest(folder: Path, request: Request, temporary: Path) -> tuple[list[str], Path]:
    """The command for pytest, and the JUnit XML file that it writes."""
    result = temporary / "result.xml"
    config = next(_pytest_configs((folder / request.tests_dir, folder)), None)
    if config is None:  # pytest would look for one in the folders above, which are not the pack's
        config = temporary / "pytest.ini"
        config.write_text("[pytest]\n", encoding="utf-8")
    options = ["-q", "-p", "no:cacheprovider", "--tb=short", "--continue-on-collection-errors", f"--junit-xml={result}"]
    within = ["-c", str(config), f"--rootdir={folder}", f"--confcutdir={folder}"]
    return ["-m", "pytest", *request.files, *options, *within], result


def _pytest_configs(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        for name, shown_by in PYTEST_CONFIGS.items():
            if (folder / name).is_file() and shown_by in (folder / name).read_text("utf-8", "replace"):
                yield folder / name


def _unittest(folder: Path, request: Request, temporary: Path) -> tuple[list[str], Path]:
    """The command for the unittest runner, and the JSON file that it writes."""
    script, job, result = (temporary / name for name in ("unittest_runner.py", "job.json", "result.json"))
    script.write_bytes(_source("unittest_runner.py"))
    work = {"folder": str(folder), "tests": request.tests_dir, "files": request.files}
    job.write_text(json.dumps(work), encoding="utf-8")
    return [str(script), str(job), str(result)], result


def _count(result: Path) -> _Counts | None:
    """The counts in a result file, JSON or JUnit XML; None when it is not there or not whole."""
    try:
        if result.suffix == ".json":
            return _Counts(**json.loads(result.read_text("utf-8")))
        cases = [_verdict(case) for case in ET.parse(result).iter("testcase")]  # noqa: S314 - code of the same origin has just run
    except (OSError, ValueError, ET.ParseError):
        return None
    return _Counts(passed=cases.count("passed"), skipped=cases.count("skipped"), failed=cases.count("failed"))


def _verdict(case: ET.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    skipped = case.find("skipped")
    return "passed" if skipped is None or skipped.get("type") == "pytest.xfail" else "skipped"


# ---------------------------------------------------------------- what came of it


def _outcome(run: _Run, request: Request, folder: Path) -> Outcome:
    counts = run.counts or _Counts()
    failure = _failure(run, request, folder)
    missing = _missing(run.completed.output, folder) if failure and failure.kind == "tests" else ()
    return Outcome(passed=counts.passed, skipped=counts.skipped, failures=(*((failure,) if failure else ()), *missing))


def _failure(run: _Run, request: Request, folder: Path) -> Failure | None:
    """What went wrong as a whole, if anything did."""
    code, counts, output = run.completed.code, run.counts, run.completed.output[-OUTPUT_KEPT:]
    if run.completed.timed_out:
        hint = f"give them more time in monopack.toml: test_timeout = {2 * request.timeout:g}"
        return Failure(kind="timeout", message=f"the tests took longer than {request.timeout:g} s", hint=hint, output=output)
    if counts and not counts.failed and not counts.passed:
        return _no_tests(counts, request, output)
    if counts and not counts.failed and not code:
        return None
    message = f"{request.runner} ended with exit code {code}" + ("" if counts else " and without a result")
    if counts and counts.failed:
        message = f"{counts.failed} of {counts.passed + counts.failed} tests failed"
    alone = "" if request.network else ", without network (test_network = false)"
    hint = f"correct the test or the code; it ran in {folder}, which holds nothing but the pack and its tests{alone}"
    return Failure(kind="tests", message=message, where=_first_place(output, request, folder), hint=hint, output=output)


def _first_place(output: str, request: Request, folder: Path) -> str:
    """The first line of a test file (`file:line`) that the output shows, empty when there is none."""
    places = (_place(line, folder) for line in output.splitlines())
    return next((place for place in places if place.rpartition(":")[0] in request.files), "")


def _no_tests(counts: _Counts, request: Request, output: str) -> Failure:
    skipped = f": all {counts.skipped} were skipped" if counts.skipped else ""
    message = f"no test ran in {', '.join(request.files)}{skipped}"
    plain = "unittest runs methods of unittest.TestCase; to run plain functions, pin pytest"
    some = "let one of them run here too, or pass --skip-tests"
    hint = plain if request.runner == "unittest" and not counts.skipped else some
    return Failure(kind="no-tests", message=message, hint=hint, output=output)


def _missing(output: str, folder: Path) -> Sequence[Failure]:
    """One failure for each module that the output says is missing, where the line before it shows a place in the folder."""
    found: dict[str, Failure] = {}
    where = ""
    for line in output.splitlines():
        where = _place(line, folder) or where
        for name in MISSING.findall(line):
            found.setdefault(name, Failure(kind="tests", message=f"No module named '{name}'", missing=name, where=where))
    return tuple(found.values())


def _place(line: str, folder: Path) -> str:
    """The `file:line` that a line of a traceback shows, relative to the folder; empty for a place outside."""
    match = PLACE.match(line)
    if not match:
        return ""
    path, number = Path(match[1] or match[3]), match[2] or match[4]
    path = path.relative_to(folder) if path.is_relative_to(folder) else path
    return "" if path.is_absolute() or ".." in path.parts else f"{path.as_posix()}:{number}"
