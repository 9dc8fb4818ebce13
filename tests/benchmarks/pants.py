"""Measure a build beside one by Pants 2.17 of the same packs: `python -m tests.benchmarks.pants --python3.9 PATH`.

Pants runs in an environment of its own (Python 3.9), with its daemon; the PEX that it wants is made from PyPI's, since it would
come from elsewhere. Cold means that Pants has no cache and no daemon, and monopack no store and no build folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .monorepo import make
from .timing import OURS, timed

PANTS, PEX = "pantsbuild.pants==2.17.0", "2.1.137"
PACKS, MODULES = 10, 1000
CONFIG = """[GLOBAL]
pants_version = "2.17.0"
backend_packages = ["pants.backend.python", "pants.backend.awslambda.python"]
pants_ignore = ["/build", "/cache"]
local_store_dir = "{place}/store"
named_caches_dir = "{place}/caches"
[anonymous-telemetry]
enabled = false
[source]
root_patterns = ["/"]
[python]
interpreter_constraints = ["=={version}.*"]
[python-bootstrap]
search_path = ["{bin}"]
[pex-cli]
version = "v{pex}"
url_template = "file://{place}/pex-{{version}}"
known_versions = ["v{pex}|linux_x86_64|{sha256}|{size}"]
[lambdex]
layout = "zip"
"""
FUNCTION = """python_awslambda(
    name="fn_{0}", complete_platforms=[":platform"], handler="fn_{0}.py:lambda_handler", include_requirements=True
)
"""


@dataclass(frozen=True)
class Bench:
    """The monorepo, which both build, the command of Pants, and the folder of all."""

    root: Path
    pants: str
    place: Path

    def ours(self, *words: str) -> float:
        """Seconds of a build by monopack."""
        return timed([*OURS, "--skip-tests", *words], self.root, self.place / "our-cache").seconds

    def theirs(self, target: str) -> float:
        """Seconds of a build by Pants."""
        return timed([self.pants, "package", target], self.root).seconds


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python3.9", dest="python", default="python3.9")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        bench = _prepared(Path(temporary), given.python)
        rows = [
            _row("store empty, ten packs", 1 / 9, [_cold(bench) for _ in range(min(2, given.rounds))]),
            _row("nothing changed, ten packs", 0.4, [_both(bench, "packs:") for _ in range(given.rounds)]),
            _row("one handler changed", 1 / 12, [_changed(bench, number) for number in range(given.rounds)]),
        ]
        _stop(bench)
    lines = ["| case | monopack | Pants 2.17 | ratio | goal |", "|---|---:|---:|---:|---:|", *rows]
    print("\n".join(lines))  # noqa: T201 - a command


def _row(name: str, goal: float, pairs: list[tuple[float, float]]) -> str:
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    return f"| {name} | {ours:.2f} s | {theirs:.2f} s | {ours / theirs:.3f} | {goal:.3f} |"


def _both(bench: Bench, target: str, *words: str) -> tuple[float, float]:
    return bench.ours(*words), bench.theirs(target)


def _cold(bench: Bench) -> tuple[float, float]:
    _stop(bench)
    aside = Path(tempfile.mkdtemp(dir=bench.place))  # deleting makes some disks slow for a while
    for path in ("our-cache", "store", "caches", "repo/build", "repo/.pants.d", "repo/dist"):
        if (bench.place / path).exists():
            (bench.place / path).rename(aside / Path(path).name)
    return _both(bench, "packs:")


def _changed(bench: Bench, number: int) -> tuple[float, float]:
    with (bench.root / "packs/fn_0.py").open("a", encoding="utf-8") as file:
        file.write(f"# change {number}\n")
    return _both(bench, "packs:fn_0", "fn_0")


def _stop(bench: Bench) -> None:
    """End the daemon of Pants."""
    for found in (bench.root / ".pids").rglob("pid"):
        subprocess.run(["kill", found.read_text("utf-8").strip()], check=False, capture_output=True)
    shutil.rmtree(bench.root / ".pids", ignore_errors=True)


# ---------------------------------------------------------------- setting up


def _prepared(place: Path, python: str) -> Bench:
    """A monorepo with what Pants needs, and Pants itself."""
    root = place / "repo"
    make(root, PACKS, MODULES)
    _installed(place / "pants", python, PANTS)
    pex = _installed(place / "pex", sys.executable, f"pex=={PEX}")
    binary = place / f"pex-v{PEX}"
    _done([f"{pex}/pex", f"pex=={PEX}", "-c", "pex", "-o", str(binary)])
    real = Path(sys.executable).resolve()
    data, version = binary.read_bytes(), f"{sys.version_info.major}.{sys.version_info.minor}"
    config = CONFIG.format(
        place=place, bin=real.parent, version=version, pex=PEX, sha256=hashlib.sha256(data).hexdigest(), size=len(data)
    )
    (root / "pants.toml").write_text(config, "utf-8")
    _describe(root, json.loads(_done([f"{pex}/pex3", "interpreter", "inspect", "--markers", "--tags", "--python", str(real)])))
    return Bench(root=root, pants=str(place / "pants/bin/pants"), place=place)


def _describe(root: Path, platform: object) -> None:
    """The BUILD files."""
    (root / "BUILD").write_text('python_requirements(name="reqs")\n', "utf-8")
    for folder in (root / "app", *filter(Path.is_dir, (root / "app").iterdir())):
        (folder / "BUILD").write_text("python_sources()\n", "utf-8")
    (root / "packs/platform.json").write_text(json.dumps(platform), "utf-8")
    functions = "".join(FUNCTION.format(number) for number in range(PACKS))
    text = f'python_sources()\nfile(name="platform", source="platform.json")\n{functions}'
    (root / "packs/BUILD").write_text(text, "utf-8")


def _installed(folder: Path, python: str, requirement: str) -> Path:
    """An environment with a distribution; where its commands are."""
    _done([python, "-m", "venv", str(folder)])
    _done([str(folder / "bin/python"), "-m", "pip", "install", "-q", requirement])
    return folder / "bin"


def _done(argv: list[str]) -> str:
    environ = {name: text for name, text in os.environ.items() if name != "PEX_ROOT"}
    return subprocess.run(argv, env=environ, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
