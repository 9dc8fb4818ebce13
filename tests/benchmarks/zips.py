"""How long a warm zip takes, beside `cp`, `sync` and `sha256sum` of the same one: `python -m tests.benchmarks.zips PROJECT PACK`.

The project has to be built; the store is the one that `MONOPACK_CACHE_DIR` names, or the user's.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from monopack import archive, config
from monopack.finding import Outside, find
from monopack.model import Tree
from monopack.pipeline import tree_of
from monopack.planning import plans
from monopack.run import Door


def main() -> None:
    """Measure both by turns, and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("pack")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    project = given.project.resolve()
    tree = planned(project, given.pack)
    zipped, copied = project / "build" / f"{given.pack}.zip", project / "build" / ".copied"
    shell = f"cp '{zipped}' '{copied}' && sync '{copied}' && sha256sum '{copied}'"
    ours, theirs = list[float](), list[float]()
    for _ in range(given.rounds):
        theirs.append(seconds(lambda: subprocess.run(["sh", "-c", shell], check=True, capture_output=True)))
        ours.append(seconds(lambda: Path(archive.write(tree, zipped, None).path).unlink()))
    copied.unlink()
    size = zipped.stat().st_size / 1e6
    us, them = statistics.median(ours), statistics.median(theirs)
    print(f"{size:.1f} MB, {len(tree.entries)} members: {us:.3f} s, cp && sync && sha256sum {them:.3f} s, {us / them:.1f} times")  # noqa: T201


def planned(project: Path, pack: str) -> Tree:
    """The Tree of a pack."""
    environ = dict(os.environ)
    loaded = config.load({"skip_tests": True}, cwd=project, config_file=None, environ=environ)
    outside = Outside(environ=environ, door=Door(), tell=lambda _: None)
    return tree_of(plans(find(loaded, pack), loaded, outside)[1][0])


def seconds(work: Callable[[], object]) -> float:
    """How long some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
