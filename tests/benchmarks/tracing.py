"""How long tracing takes, beside `ruff analyze graph` on the same files: `python -m tests.benchmarks.tracing --modules 10000`.

Each round runs ruff, then tracing with an empty cache (cold), then with what that left there (warm), each in a process of its
own; the ratios are taken within a round. `tracing` is listing the files and following the imports, `command` the whole of
`monopack trace everything`, from the start of Python to the last line of its output.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from .modules import write

# Tracing as the command does it, without what comes before and after.
ALONE = """
import gc, os, sys, time
from pathlib import Path
gc.set_threshold(100_000, 50, 100)
from monopack import store, targets, trace
from monopack.run import Door
root, cache = map(Path, sys.argv[1:])
target = targets.host(sys.executable, "", root, os.environ, Door())
begin = time.perf_counter()
kept = store.parsed(cache, trace.way_of_reading(target))
hands = trace.Hands(door=Door(), environ=os.environ, processes=trace.processors())
scanner = trace.Scanner(trace.survey(root, ["."]), target, trace.Memory(recall=kept.recall, keep=kept.keep), hands)
trace.trace("packs.everything", (), (), scanner, target)
print(time.perf_counter() - begin)
"""


def run(argv: Sequence[object], folder: Path, cache: Path) -> tuple[float, str]:
    """How many seconds a program takes, and what it prints."""
    begin = time.perf_counter()
    environ = {**os.environ, "MONOPACK_CACHE_DIR": str(cache)}
    done = subprocess.run(list(map(str, argv)), cwd=folder, env=environ, capture_output=True, text=True, check=True)
    return time.perf_counter() - begin, done.stdout


def measured(root: Path, cache: Path) -> dict[str, float]:
    """The seconds of one round."""
    ruff, _ = run([sys.executable, "-m", "ruff", "analyze", "graph", "."], root, cache)
    seconds = {"ruff": ruff}
    for state in ("cold", "warm"):
        seconds[f"tracing, {state}"] = float(run([sys.executable, "-c", ALONE, root, cache], root, cache)[1])
    shutil.rmtree(cache)
    for state in ("cold", "warm"):
        seconds[f"command, {state}"], _ = run([sys.executable, "-m", "monopack", "trace", "everything"], root, cache)
    shutil.rmtree(cache)
    return seconds


def main() -> None:
    """Measure, and print a table: the median of the seconds, and that of the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modules", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder, "project"), Path(folder, "cache")
        write(root, given.modules)
        rounds = [measured(root, cache) for _ in range(given.rounds)]
    about = f"{given.modules} modules, {given.rounds} rounds, {processors()} processors, Python {platform.python_version()}"
    lines = [f"{about}, {datetime.now(UTC).date()}"]
    for name in rounds[0]:
        seconds = statistics.median(each[name] for each in rounds)
        ratio = statistics.median(each[name] / each["ruff"] for each in rounds)
        lines.append(f"{name:14} {seconds:6.2f} s {ratio:6.1f} times ruff")
    sys.stdout.write("\n".join([*lines, ""]))


def processors() -> int:
    """How many processors there are for this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main()
