"""The likeliest mistakes of a newcomer: each folder of cases/mistakes is a small project with the whole message it ends with.

`case.toml` has the arguments, the exit code and the `error`: every line on stderr from the first `error:` on, up to the table.
`wheels` are put into the index beside the project (a number as content stands for so many bytes), `environment` is set,
`folder` is where the command runs, and `disk` is mounted for it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import platform
import random
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from projects import Project

CASES = sorted((Path(__file__).parent / "cases" / "mistakes").iterdir())
CARETS = re.compile(r"^ +[~^]+\n", re.MULTILINE)  # below lines of tracebacks, not by every version of Python


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_whole_message(case: Path, project: Project, tmp_path: Path) -> None:
    wanted = tomllib.loads((case / "case.toml").read_text("utf-8"))
    shutil.copytree(case / "project", project.root, dirs_exist_ok=True)
    for wheel in wanted.get("wheels", []):
        put(wheel, project)
    with disk(wanted.get("disk"), tmp_path):
        folder = project.root / wanted.get("folder", ".")
        done = project.run(*wanted["arguments"], cwd=folder, **wanted.get("environment", {}))
    assert message(done.stderr, tmp_path) == wanted["error"]
    assert done.returncode == wanted["exit_code"]
    assert count_of_errors(done.stderr) == count_of_errors(wanted["error"]), done.stderr


def put(wheel: Mapping[str, Any], project: Project) -> None:
    files = {path: b"\0" * content if isinstance(content, int) else content for path, content in wheel["files"].items()}
    tag = wheel.get("tag", "py3-none-any").replace("<machine>", platform.machine())
    project.wheel(**{**wheel, "files": files, "tag": tag})


def message(stderr: str, tmp_path: Path) -> str:
    """The lines from the first `error:` on, with placeholders for what differs from one machine to the next."""
    lines = itertools.dropwhile(lambda line: not line.startswith("error: "), stderr.splitlines(keepends=True))
    text = "".join(itertools.takewhile(lambda line: line.startswith(("error: ", "  ")), lines))
    python = f"Python {sys.version_info[0]}.{sys.version_info[1]} on {platform.system()} {platform.machine()}"
    text = text.replace(str(tmp_path), "<temporary>").replace(python, "Python <python> on <platform>")
    text = text.replace(f"linux_{platform.machine()}", "linux_<machine>")
    return CARETS.sub("", re.sub(r"in \d+\.\d+s", "in <seconds>", text))


def count_of_errors(text: str) -> int:
    return sum(line.startswith(("error: ", "Traceback")) for line in text.splitlines())


@contextlib.contextmanager
def disk(wanted: Mapping[str, str] | None, tmp_path: Path) -> Iterator[None]:
    """A real disk of its own for a folder: tmpfs with some mount options."""
    if wanted is None:
        yield
        return
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounts a small disk, which takes root on Linux")
    folder = tmp_path / wanted["folder"]
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", wanted["options"], "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("room", range(8, 380, 60))
def test_a_disk_that_gets_full_at_any_moment(project: Project, tmp_path: Path, room: int) -> None:
    """Whatever the room (kB) is enough for: one line and a hint, nothing half done, and the next run with room succeeds."""
    project.wheel("fastmath", files={"fastmath/__init__.py": "", "fastmath/table.bin": random.Random(room).randbytes(60_000)})
    project.require("fastmath==1.0")
    project.pack("users", "import fastmath\n")
    build = project.root / "build"
    with disk({"folder": "project/build", "options": f"size={room}k"}, tmp_path):
        done = project.run()
        assert done.returncode in (0, 1), done.stderr
        assert count_of_errors(done.stderr) == done.returncode
        assert not [*build.rglob("*.tmp"), *build.rglob("*.tmp.*")]
        assert (build / "users.zip").exists() == (done.returncode == 0)
        subprocess.run(["mount", "-o", "remount,size=10m", str(build)], check=True)
        assert project.run().returncode == 0
