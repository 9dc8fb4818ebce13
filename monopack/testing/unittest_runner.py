"""Runs in the pack's own interpreter (3.8 or newer), away from monopack: runs test files with unittest and counts.

Called as `unittest_runner.py JOB RESULT`, both JSON. JOB says `folder` (the pack, the current folder), `tests` (its folder of
tests) and `files` (test files, relative to `folder`); RESULT gets `passed`, `skipped` and `failed`.
The exit code is 1 when a test failed.
"""

from __future__ import annotations

import importlib.util
import json
import keyword
import os
import sys
import unittest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


class Result(unittest.TextTestResult):
    """Counts what passed: `testsRun` means something else in each version of Python."""

    passed = 0

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's name
        """Count a test that passed."""
        super().addSuccess(test)
        self.passed += 1

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802 - unittest's name
        """Count a test that failed as it should."""
        super().addExpectedFailure(test, err)
        self.passed += 1


def dotted(file: str) -> str:
    """The module name of a file, or an empty string where its path makes none."""
    parts = os.path.splitext(file)[0].split("/")  # noqa: PTH122 - what unittest loads anyway
    fit = all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)
    return ".".join(parts) if fit else ""


def importable(name: str, path: str) -> bool:
    """Whether importing a name gives the file: a package of another origin may be found first."""
    try:
        spec = importlib.util.find_spec(name) if name else None
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            return False
        raise
    return bool(spec and spec.origin and os.path.realpath(spec.origin) == os.path.realpath(path))


def load(file: str) -> ModuleType:
    """Import a test file, by name if it has one."""
    name, path = dotted(file), os.path.abspath(file)  # noqa: PTH100
    if importable(name, path):
        return importlib.import_module(name)
    alias = "".join(letter if letter.isalnum() else "_" for letter in file)
    spec = importlib.util.spec_from_file_location(alias, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[alias] = module
    spec.loader.exec_module(module)
    return module


def suite_of(file: str) -> unittest.TestSuite:
    """The tests of a file; one that fails (or is skipped) when the file cannot be imported (or skips itself)."""
    try:
        return unittest.defaultTestLoader.loadTestsFromModule(load(file))
    except (Exception, SystemExit) as error:
        stopped = error

    def importing() -> None:
        raise stopped

    return unittest.TestSuite([unittest.FunctionTestCase(importing, description=f"import of {file}")])


def main() -> None:
    """Do the job."""
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123
        job = json.load(file)
    result_file = sys.argv[2]
    del sys.argv[1:]
    sys.path[0] = job["folder"]  # instead of the folder of this script
    sys.path.insert(1, os.path.join(job["folder"], job["tests"]))  # noqa: PTH118
    suite = unittest.TestSuite(suite_of(file) for file in job["files"])
    counting: Any = Result
    result = unittest.TextTestRunner(resultclass=counting).run(suite)
    assert isinstance(result, Result)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    with open(result_file, "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump({"passed": result.passed, "skipped": len(result.skipped), "failed": failed}, file)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
