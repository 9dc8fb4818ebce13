"""Measure what a person waits for, against monopack 0.4.0 (by others) in an environment of its own.

python -m tests.benchmarks [FOLDER] [--python3.12 PATH] [--no-peer] [--rounds 5] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .monorepo import make
from .timing import OURS, timed

PEER = "monopack==0.4.0"
SKIP = ("--skip-tests",)


@dataclass(frozen=True)
class Case:
    """One line of the table: what changes before each run, and the command that is measured (None: the whole build).

    `goal` is the share of the peer's time that is to be reached, `most` how often the time of `base` it may take.
    """

    name: str
    before: Callable[[Path, int], None]
    command: tuple[str, ...] | None = None
    goal: float = 0.0
    base: tuple[str, ...] = ()
    most: float = 0.0
    peer: bool = True


@dataclass(frozen=True)
class Bench:
    """A monorepo for each side, and what to run there."""

    ours: Path
    theirs: Path
    cache: Path
    peer: str


def nothing(_root: Path, _round: int) -> None:
    """Change nothing."""


def handler(root: Path, number: int) -> None:
    """Change one handler."""
    _append(root / "packs/fn_0.py", number)


def shared(root: Path, number: int) -> None:
    """Change a module that several packs reach."""
    _append(root / "app/area0/part0.py", number)


def bumped(root: Path, number: int) -> None:
    """Pin another version of a distribution that several packs ship, and forget that one if it was fetched before."""
    requirements = root / "requirements.txt"
    lines = [line for line in requirements.read_text("utf-8").splitlines() if not line.startswith(BUMPED)]
    requirements.write_text("\n".join([*lines, f"{BUMPED}=={VERSIONS[number % 2]}", ""]), "utf-8")
    for wheel in (root / "cache").glob(f"v1/wheels/*/{BUMPED}-*.whl"):
        shutil.rmtree(wheel.parent)


def cold(root: Path, number: int) -> None:
    """Forget everything but what pip and uv have downloaded. It is moved aside: deleting makes some disks slow for a while."""
    for folder in ("build", "cache", ".monopack"):
        if (root / folder).exists():
            (root / folder).rename(root.parent / f"{root.name}-{folder.strip('.')}-{number}")


def _append(path: Path, number: int) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(f"# change {number} {os.getpid()}\n")


BUMPED, VERSIONS = "idna", ("3.10", "3.11")
SETTINGS = (sys.executable, "-c", "from pydantic_settings import BaseSettings")
CLICK = (sys.executable, "-c", "import click")
CASES = (
    Case("store empty, ten packs", cold, goal=1 / 10),
    Case("nothing changed, ten packs", nothing, goal=1 / 200, base=SETTINGS, most=2.5),
    Case("one handler changed", handler, command=("fn_0",), goal=1 / 20),
    Case("one shared module changed, ten packs", shared),
    Case("one distribution bumped, ten packs", bumped),
    Case("--version", nothing, command=("--version",), base=CLICK, most=3, peer=False),
    Case("--help", nothing, command=("--help",), base=CLICK, most=3, peer=False),
)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--python3.12", dest="python", default="python3.12")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer-rounds", type=int, default=2, help="how often the peer runs, which is slow")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        place = given.folder or Path(temporary)
        bench = _prepare(place, None if given.no_peer else given.python)
        rows = [_measure(case, bench, given.rounds, given.peer_rounds if bench.peer else 0) for case in CASES]
    print(_table(rows))  # noqa: T201 - a command
    if given.json:
        facts = {"cores": os.cpu_count(), "python": sys.version.split()[0], "rounds": given.rounds, "cases": rows}
        given.json.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


def _prepare(place: Path, python: str | None) -> Bench:
    """The monorepos, built once, and the peer in an environment of its own."""
    for side in ("ours", "theirs"):
        if not (place / side).exists():
            make(place / side, 10, 1000)
    peer = place / "peer"
    if python and not peer.exists():
        subprocess.run([python, "-m", "venv", str(peer)], check=True)
        subprocess.run([peer / "bin/python", "-m", "pip", "install", "-q", PEER], check=True)
    command = str(peer / "bin/monopack") if python else ""
    bench = Bench(ours=place / "ours", theirs=place / "theirs", cache=place / "ours/cache", peer=command)
    timed([*OURS, *SKIP], bench.ours, bench.cache)
    if command:
        timed([command, *SKIP, "--jobs", "2", *_absolute(bench)], bench.theirs)
    return bench


def _measure(case: Case, bench: Bench, rounds: int, peer_rounds: int) -> dict[str, object]:
    """The medians of one case: ours, the peer's and the base's, run by turns."""
    ours, theirs, base = list[float](), list[float](), list[float]()
    words = case.command if case.command and case.command[0].startswith("-") else (*(case.command or ()), *SKIP)
    for number in range(rounds):
        case.before(bench.ours, number)
        ours.append(timed([*OURS, *words], bench.ours, bench.cache).seconds)
        if case.peer and number < peer_rounds:
            case.before(bench.theirs, number)
            jobs = () if case.command else ("--jobs", "2")
            theirs.append(timed([bench.peer, *words, *jobs, *_absolute(bench)], bench.theirs).seconds)
        if case.base:
            base.append(timed(case.base, bench.ours).seconds)
    runs = {"ours": ours, "peer": theirs, "base": base}
    medians = {side: statistics.median(times) if times else None for side, times in runs.items()}
    return {"case": case.name, **medians, "goal": case.goal or None, "most": case.most or None, "runs": runs}


def _absolute(bench: Bench) -> tuple[str, str]:
    """The build folder of the peer, whose verifying does not find a relative one."""
    return "--build-dir", str(bench.theirs / "build")


def _table(rows: list[dict[str, object]]) -> str:
    """The rows as a table in Markdown."""
    lines = ["| case | monopack | 0.4.0 | times as fast | times the base |", "|---|---:|---:|---:|---:|"]
    for row in rows:
        ours, peer, base = row["ours"], row["peer"], row["base"]
        assert isinstance(ours, float)
        faster = f"{peer / ours:.0f}{_wanted(row['goal'], invert=True)}" if isinstance(peer, float) else ""
        slower = f"{ours / base:.1f}{_wanted(row['most'])}" if isinstance(base, float) else ""
        shown = f"{peer:.1f} s" if isinstance(peer, float) else ""
        lines.append(f"| {row['case']} | {ours:.2f} s | {shown} | {faster} | {slower} |")
    return "\n".join(lines)


def _wanted(goal: object, *, invert: bool = False) -> str:
    return f" (goal {1 / goal if invert else goal:g})" if isinstance(goal, (int, float)) else ""


if __name__ == "__main__":
    main()
