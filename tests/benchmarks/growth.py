"""How a run that has nothing to do grows with packs and modules: `python -m tests.benchmarks.growth [--sizes 25,50,100,200]`.

A size is a number of packs; there are 50 modules for each. The exponent of a power law is fitted: 1 is linear.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
from pathlib import Path

from .monorepo import make
from .timing import OURS, timed

MODULES = 50  # for each pack


def main() -> None:
    """Measure each size, and print the fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="25,50,100,200")
    sizes = [int(size) for size in parser.parse_args().sizes.split(",")]
    points = []
    for packs in sizes:
        with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
            root, cache = Path(temporary, "repo"), Path(temporary, "cache")
            make(root, packs, packs * MODULES, light=True)
            argv = [*OURS, "--skip-tests"]
            timed(argv, root, cache)
            timed(argv, root, cache)
            runs = [timed(argv, root, cache) for _ in range(5)]
            seconds = statistics.median(run.seconds for run in runs)
            points.append((packs, seconds))
            print(f"{packs} packs, {packs * MODULES} modules: {seconds:.2f} s")  # noqa: T201 - a command
    print(f"time grows as size to the power of {exponent(points):.2f}")  # noqa: T201 - a command


def exponent(points: list[tuple[int, float]]) -> float:
    """The slope of the line through the logarithms."""
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    return statistics.linear_regression(xs, ys).slope


if __name__ == "__main__":
    main()
