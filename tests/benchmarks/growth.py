"""How runs grow: `python -m tests.benchmarks.growth [--sizes 25,50,100,200] [--modules 10000]`.

First with the packs, of the same modules; then with the modules, for the same packs. Each size is built once; then a run that has
nothing to do is measured, with its memory, and one of all packs after a change of one handler. The exponent of a power law is
fitted to each column: 1 is linear.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .monorepo import make
from .timing import OURS, Measured, timed

FEWEST = 10  # packs, while the modules grow
ROUNDS = 5
SKIP = ("--skip-tests",)


@dataclass(frozen=True)
class Point:
    """What was measured for one size: seconds, and the most memory in bytes."""

    size: int
    first: float
    nothing: float
    handler: float
    memory: int


def main() -> None:
    """Measure each size, and print the fits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="25,50,100,200", help="numbers of packs")
    parser.add_argument("--modules", type=int, default=10_000)
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    _table("packs", [_measured(packs, given.modules, packs) for packs in sizes])
    modules = [given.modules * size // sizes[-1] for size in sizes]
    _table("modules", [_measured(FEWEST, count, count) for count in modules])


def _measured(packs: int, modules: int, size: int) -> Point:
    """Build a monorepo, and run again with nothing and with one handler changed."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        root, cache = Path(temporary, "repo"), Path(temporary, "cache")
        make(root, packs, modules, light=True)
        first = timed([*OURS, *SKIP], root, cache)
        timed([*OURS, *SKIP], root, cache)
        nothing = [timed([*OURS, *SKIP], root, cache) for _ in range(ROUNDS)]
        handler = [_after_change(root, cache) for _ in range(ROUNDS)]
    return Point(
        size=size, first=first.seconds, nothing=statistics.median(run.seconds for run in nothing),
        handler=statistics.median(run.seconds for run in handler), memory=max(run.memory for run in nothing),
    )  # fmt: skip


def _after_change(root: Path, cache: Path) -> Measured:
    with (root / "packs/fn_0.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    return timed([*OURS, *SKIP], root, cache)


def _table(what: str, points: list[Point]) -> None:
    """The points as a table in Markdown, with the exponents below."""
    lines = [
        f"| {what} | first build | nothing changed | one handler changed | memory |",
        "|---:|---:|---:|---:|---:|",
    ]
    for each in points:
        memory = f"{each.memory / 1e6:.0f} MB"
        lines.append(f"| {each.size} | {each.first:.1f} s | {each.nothing:.2f} s | {each.handler:.2f} s | {memory} |")
    fits = [exponent([(each.size, taken) for each, taken in zip(points, column, strict=True)]) for column in _columns(points)]
    lines.append("| exponent | " + " | ".join(f"{fit:.2f}" for fit in fits) + " | |")
    print("\n".join([*lines, ""]))  # noqa: T201 - a command


def _columns(points: list[Point]) -> tuple[list[float], list[float], list[float]]:
    return [each.first for each in points], [each.nothing for each in points], [each.handler for each in points]


def exponent(points: list[tuple[int, float]]) -> float:
    """The slope of the line through the logarithms."""
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    return statistics.linear_regression(xs, ys).slope


if __name__ == "__main__":
    main()
