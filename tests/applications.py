"""Real applications from their sdists: what is traced for an entrypoint, and what Python opens when it is imported and run.

As a script (`python tests/applications.py`) it prints the table of `docs/explanation/real-applications.md`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import real_imports

from monopack import targets
from monopack.model import Reach, Trace
from monopack.run import Door
from monopack.trace import Scanner, survey, trace

CASES = Path(__file__).parent / "cases" / "applications"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
RUN = "import packs.main\npacks.main.run()\n"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What is known of one application; sets of its files, relative to the project.

    `every` are its modules and its other files; `imported` are those that importing the entrypoint opens, `run` those that its
    `run()` opens after that.
    """

    every: frozenset[str]
    traced: Trace
    imported: frozenset[str]
    run: frozenset[str]
    failed: str

    @property
    def files(self) -> frozenset[str]:
        """The traced files."""
        return frozenset(file.source.path for file in self.traced.files)

    @property
    def eager(self) -> frozenset[str]:
        """The traced files that are said to be imported at once."""
        return frozenset(file.source.path for file in self.traced.files if file.reach is Reach.EAGER)


def measure(name: str, folder: Path) -> Measured:
    """Fetch an application and what it needs into a folder; trace it, import it, run it."""
    project, others = folder / "project", folder / "others"
    shutil.copytree(CASES / name / "packs", project / "packs")
    _unpack(name, folder, project)
    pinned = ["--no-deps", "--require-hashes", "-r", str(CASES / name / "requirements.txt")]
    subprocess.run([*PIP, "install", "--no-compile", "--target", str(others), *pinned], check=True, capture_output=True)
    order = {"roots": [str(project)], "others": [str(others)], "module": "packs.main", "run": RUN}
    argv = [sys.executable, "-I", "-S", "-B", real_imports.__file__]
    done = subprocess.run(argv, input=json.dumps(order), capture_output=True, text=True, check=True)
    real = json.loads(done.stdout)
    target = targets.host(sys.executable, "", project, os.environ, Door())
    return Measured(
        every=frozenset(_relative([str(path) for path in (project / name).rglob("*") if path.is_file()], project)),
        traced=trace("packs.main", (), (), Scanner(survey(project, (".",)), target), target),
        imported=frozenset(_relative(real["imported"], project)),
        run=frozenset(_relative(real["later"], project)),
        failed=real["failed"],
    )


def _unpack(name: str, folder: Path, project: Path) -> None:
    """Put the package of an application from its sdist into a project."""
    pinned = ["--no-deps", "--no-binary", ":all:", "--require-hashes", "-r", str(CASES / name / "application.txt")]
    subprocess.run([*PIP, "download", "-d", str(folder / "sdist"), *pinned], check=True, capture_output=True)
    with tarfile.open(next((folder / "sdist").glob("*.tar.gz"))) as archive:
        archive.extractall(folder / "source", filter="data")
    shutil.move(next((folder / "source").iterdir()) / name, project / name)


def _relative(paths: list[str], project: Path) -> list[str]:
    return [Path(path).relative_to(project).as_posix() for path in paths]


def row(name: str, measured: Measured) -> str:
    """A row of the table."""
    modules = {path for path in measured.files if path.endswith(".py")}
    data = measured.files - modules
    opened = measured.imported | measured.run
    ran = {path for path in opened if path.endswith(".py")}
    cells = (
        (CASES / name / "application.txt").read_text().partition(" ")[0].replace("==", " "),
        sum(path.endswith(".py") for path in measured.every), len(modules), len(measured.eager), len(measured.imported), len(ran),
        f"{len(modules) / len(ran):.2f}", len(data), len(opened - ran), len(opened - measured.files),
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


HEADINGS = (
    "application", "its modules", "traced", "of these eager", "imported", "imported and run", "traced / run", "data traced",
    "data read", "opened, not traced",
)  # fmt: skip


if __name__ == "__main__":
    sys.stdout.write(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}\n")
    for case in sorted(CASES.iterdir()):
        with tempfile.TemporaryDirectory() as place:
            sys.stdout.write(f"{row(case.name, measure(case.name, Path(place)))}\n")
            sys.stdout.flush()
