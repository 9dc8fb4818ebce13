"""Fixing one pack, for real and as a rehearsal that leaves the project as it is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from projects import Project

from monopack import config
from monopack.config import Loaded
from monopack.errors import ConfigError
from monopack.finding import Outside
from monopack.pipeline import Fixed, fix, rehearse_fix
from monopack.run import INHERITED, Door

HIDDEN = "load = getattr(__import__('importlib'), 'import_module')\nload('app.' + 'one')\nload('ya' + 'ml')\n"
DIFF = """\
--- packs/p.py
+++ packs/p.py
@@ -1,3 +1,8 @@
+# monopack-start
+# extra_modules = ["app.one", "app.two"]
+# extra_distributions = ["py-yaml"]
+# monopack-end
+
 load = getattr(__import__('importlib'), 'import_module')
 load('app.' + 'one')
 load('ya' + 'ml')
"""


@pytest.fixture
def hidden(project: Project) -> Project:
    """A pack whose imports cannot be seen; one of them uncovers another."""
    project.wheel("py-yaml", files={"yaml/__init__.py": ""})
    project.require("py-yaml==1.0")
    project.write({
        "app/__init__.py": "",
        "app/one.py": "load = getattr(__import__('importlib'), 'import_module')\nload('app.' + 'two')\n",
        "app/two.py": "",
    })  # fmt: skip
    project.pack("p", HIDDEN)
    return project


def loaded(project: Project, **flags: object) -> Loaded:
    return config.load(flags, cwd=project.root, config_file=None, environ={"MONOPACK_CACHE_DIR": str(project.cache)})


def rehearsed(project: Project, **flags: object) -> Fixed:
    return rehearse_fix(loaded(project, **flags), "p", outside())


def outside() -> Outside:
    environ = {name: os.environ[name] for name in INHERITED if name in os.environ}  # as the command, which tests are to see
    return Outside(environ=environ, door=Door(), tell=lambda _: None)


def held(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Everything in a folder: bytes, mode and the time of the last change."""
    found = {path: path.stat() for path in sorted(folder.rglob("*"))}
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes() if path.is_file() else b"", seen.st_mode, seen.st_mtime_ns)
        for path, seen in found.items()
    }


@pytest.mark.parametrize("built_before", [False, True], ids=["never built", "built before"])
def test_a_rehearsal_shows_the_change_and_leaves_every_byte_where_it_is(hidden: Project, built_before: bool) -> None:
    if built_before:
        assert hidden.run().returncode == 1
    before = held(hidden.root)
    fixed = rehearsed(hidden)
    assert fixed.diff == DIFF
    assert (fixed.report.status, fixed.report.failures) == ("built", ())
    assert held(hidden.root) == before


def test_what_was_rehearsed_is_what_fixing_does(hidden: Project) -> None:
    rehearsed_diff = rehearsed(hidden).diff
    fixed = fix(loaded(hidden), "p", outside())
    assert (fixed.report.status, fixed.diff) == ("built", rehearsed_diff)
    assert "app/two.py" in hidden.shipped("p")
    assert "p: unchanged" in hidden.build().stderr
    again = rehearsed(hidden)
    assert (again.report.status, again.diff) == ("built", "")


def test_a_rehearsal_that_finds_no_help_shows_no_change(hidden: Project) -> None:
    hidden.pack("p", "load = getattr(__import__('importlib'), 'import_module')\nload('yaml.' + 'nowhere')\n")
    before = held(hidden.root)
    fixed = rehearsed(hidden)
    assert fixed.diff == ""
    assert [failure.message for failure in fixed.report.failures] == ["No module named 'yaml.nowhere'"]
    assert held(hidden.root) == before


def test_what_tests_write_in_a_rehearsal_reaches_nothing(hidden: Project) -> None:
    body = (
        "import unittest\nimport packs.p\n\nclass T(unittest.TestCase):\n    def test(self):\n        open('here', 'w').close()\n"
    )
    hidden.write({"tests/test_p.py": body})
    before = held(hidden.root)
    assert (rehearsed(hidden).report.status, rehearsed(hidden).report.tests) == ("built", 1)
    assert held(hidden.root) == before


def test_a_rehearsal_uses_the_pins_that_a_build_has_kept(hidden: Project) -> None:
    hidden.require("py-yaml")
    hidden.build("--auto-fix")
    hidden.pack("p", HIDDEN)
    shutil.rmtree(hidden.index)
    before = held(hidden.root)
    assert rehearsed(hidden, offline=True).diff == DIFF
    assert held(hidden.root) == before


def test_a_build_folder_that_monopack_does_not_know_is_no_source_in_a_rehearsal(hidden: Project) -> None:
    hidden.write(
        {
            "build/lib/three.py": "",
            "packs/p.py": "load = getattr(__import__('importlib'), 'import_module')\nload('build.lib.' + 'three')\n",
        }
    )
    assert rehearsed(hidden).diff == ""


def test_a_read_only_file_can_be_rehearsed(hidden: Project) -> None:
    (hidden.root / "packs" / "p.py").chmod(0o444)
    assert rehearsed(hidden).diff == DIFF


@pytest.mark.parametrize("way", [fix, rehearse_fix], ids=["for real", "rehearsal"])
def test_fixing_needs_verifying(hidden: Project, way: object) -> None:
    assert callable(way)
    with pytest.raises(ConfigError) as caught:
        way(loaded(hidden, verify=False), "p", outside())
    assert (str(caught.value), caught.value.hint) == (
        "--no-verify: verify is off, and auto-fix needs it", "leave out one of them",
    )  # fmt: skip


def test_an_unknown_pack_is_refused(hidden: Project) -> None:
    with pytest.raises(ConfigError, match="there is no pack q"):
        rehearse_fix(loaded(hidden), "q", outside())
