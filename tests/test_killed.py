"""Processes that share a cold store and are killed at any moment, and what the others and the next ones build from it."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from glob import glob
from pathlib import Path

import pytest
from projects import COMMAND, Project
from served import Served, pinned
from wheels import make_wheel

NAMES = tuple(f"part-{number}" for number in range(8))
FILLING = random.Random(0).randbytes(300_000)
RUNS, SURVIVORS = 4, 1
ATTEMPTS = 5  # to kill a run at some moment
PATIENCE = 120  # seconds after which something hangs


@pytest.fixture
def alike(project: Project, served: Served) -> list[Project]:
    """Projects that are alike and have one store, for which everything that it keeps is needed: wheels, glances and absences."""
    wheels = [served.publish(name, {f"{name.replace('-', '_')}/__init__.py": "", "data.bin": FILLING}) for name in NAMES]
    unlike = served.publish("unlike", {"other.py": ""})
    make_wheel(served.folder / "simple" / "absent", "absent", "2.0", {"absent.py": ""})
    lines = [f"--index-url {served.url}", *map(pinned, (*wheels, unlike)), f"absent==1.0 --hash=sha256:{'0' * 64}", ""]
    imports = "".join(f"import {name.replace('-', '_')}\n" for name in NAMES)
    made = [replace(project, root=project.root / str(number)) for number in range(RUNS)]
    for each in made:
        each.write({"requirements.txt": "\n".join(lines)})
        each.pack("main", f"{imports}\ntry:\n    import nowhere\nexcept ImportError:\n    nowhere = None\n")
    return made


def found(store: Path, pattern: str) -> list[str]:
    """What of a store a pattern matches now. Runs remove folders meanwhile, which `Path.glob` does not bear."""
    return glob(f"v1/{pattern}", root_dir=store, include_hidden=True)  # noqa: PTH207 - see above


def progress(served: Served, store: Path) -> int:
    """How far all that share a store have come: what the index was asked for, and what they have put into the store."""
    return len(served.asked) + len(found(store, "*/*"))


def reached(moment: int, served: Served, store: Path) -> bool:
    """Whether so much has been done."""
    return progress(served, store) >= moment


def start(project: Project) -> subprocess.Popen[str]:
    return subprocess.Popen(
        COMMAND, cwd=project.root, env=project.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def kill_when(happened: Callable[[], bool], run: subprocess.Popen[str]) -> bool:
    """Kill a run as soon as something has happened; whether it was still running then."""
    deadline = time.monotonic() + PATIENCE
    while not happened() and run.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    killed = run.poll() is None
    run.send_signal(signal.SIGKILL)
    run.communicate()
    return killed


def expected(alike: list[Project], served: Served) -> tuple[bytes, int]:
    """What a run with a store of its own builds, and how much is to be done until then."""
    alone = replace(alike[0], cache=alike[0].cache.with_name("own"))
    alone.build()
    built, done = alone.output("main.zip"), progress(served, alone.cache)
    served.asked.clear()
    subprocess.run(["rm", "-rf", alone.root / "build"], check=True)
    return built, done


@pytest.mark.parametrize("seed", range(3))
def test_killed_runs_leave_a_store_from_which_others_build_what_is_right(alike: list[Project], served: Served, seed: int) -> None:
    right, much = expected(alike, served)
    chosen = random.Random(seed)
    moments = sorted(chosen.randrange(1, 2 * much) for _ in range(RUNS - SURVIVORS))
    *runs, survivor = [start(project) for project in alike]
    store = alike[0].cache
    killed = [kill_when(partial(reached, at, served, store), run) for at, run in zip(moments, runs, strict=True)]
    assert any(killed)
    told = survivor.communicate(timeout=PATIENCE)[1]
    assert survivor.returncode == 0, told
    assert alike[-1].output("main.zip") == right
    for project in alike[:-1]:
        done = project.build()
        assert project.output("main.zip") == right
        assert "damaged" not in done.stderr


# What comes to be in a cold store.
PHASES = (".fetch-*", ".fetch-*/*.whl", "wheels/.new-*", "wheels/[0-9a-f]*", "picks/*", "imports/*", "glances/*", "absent/*")


def killed_in(phase: str, store: Path, project: Project) -> bool:
    """Kill a run that begins with an empty store when that gets something; whether it came to that: some things are brief."""
    subprocess.run(["rm", "-rf", store, project.root / "build"], check=True)
    return kill_when(lambda: bool(found(store, phase)), start(project))


@pytest.mark.parametrize("phase", PHASES)
def test_a_run_that_is_killed_when_the_store_gets_something_leaves_it_good_for_the_next(
    alike: list[Project], served: Served, phase: str
) -> None:
    store = alike[0].cache
    assert any(killed_in(phase, store, alike[0]) for _ in range(ATTEMPTS))
    done = alike[1].build()
    assert "damaged" not in done.stderr
    served.asked.clear()
    alike[2].build("--offline")
    assert served.asked == []
    assert alike[2].output("main.zip") == alike[1].output("main.zip") == expected(alike[3:], served)[0]
