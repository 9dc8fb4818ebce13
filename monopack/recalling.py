"""A side door of the hallway: packs of which nothing has changed that their last build looked at.

A record says what a build looked at and what that was. While all of it is the same, and all that the build wrote is still
there, a build would do nothing; to know that, no lock, no source and no wheel is read.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sys
import time
import zlib
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from monopack import __version__, inputs, ledger, workspace
from monopack.config import Loaded, PackOptions
from monopack.finding import Found, Outside, find, introduction, protected
from monopack.inputs import TICK, Inputs
from monopack.ledger import Ledger
from monopack.model import BuildReport, Fetches, Pack, PackReport, Step, Target, TestPlan, Tree, value
from monopack.run import INHERITED

log = logging.getLogger(__name__)

# Files that may say what is pinned, which Python is meant or how tests run, wherever they lie in the project.
TELLING = (".toml", ".lock", ".txt", ".in", ".cfg", ".ini", "Pipfile", "setup.py", ".python-version")
UNTOLD = {"cache", "pack", "packs", "jobs", "quiet", "color", "debug", "lock_timeout", "force"}  # options that change no artifact
VARIABLES = (*INHERITED, "HOME", "SOURCE_DATE_EPOCH", "VIRTUAL_ENV")
DAY = 24 * 60 * 60  # seconds
PREFIXES = ("PIP_", "UV_", "XDG_CONFIG_")


@value()
class Done:
    """A successful build of a pack, and what it looked at beside the options.

    `looked` are the files of the project that were read, by path, with their `inputs.identity`; `beside` are absolute paths of
    other files and folders, there or not; `stored` are the folders of the wheels in the store; `warnings` and `note` are
    what the run said of the lock, `pins` how many it has; `tests` are those that the pack runs, `left_out` says why not others;
    `seen` is how the pack's folder was found after that.
    """

    pack: Pack
    options: PackOptions
    report: PackReport
    tree: Tree
    seen: workspace.Seen
    fingerprint: str
    looked: Mapping[str, str]
    beside: Sequence[str]
    stored: Sequence[str]
    host: Target
    target: Target
    warnings: tuple[str, ...]
    tests: tuple[str, ...]
    left_out: Mapping[str, str]
    pins: int
    note: str


@value()
class Recalled:
    """A pack that is as its last build left it, and what that build said."""

    report: PackReport
    introduction: tuple[str, ...]
    warnings: tuple[str, ...]
    tests: tuple[str, ...]
    left_out: Mapping[str, str]
    pins: int


class Memory:
    """What is recorded of the builds in a folder. What the project holds when this is made is what a build then looks at."""

    def __init__(self, loaded: Loaded, book: Ledger, environ: Mapping[str, str], roots: Sequence[str]) -> None:
        self._loaded, self._book, self._environ, self._roots = loaded, book, environ, roots
        self._since = time.time_ns()
        self._inputs = Inputs(book.inputs_record)
        self._project = self._inputs.project(str(loaded.root), {str(loaded.build_dir), str(loaded.cache_dir)}, TELLING)
        self._config = loaded.config.model_dump(mode="json", exclude=UNTOLD)

    def recall(self, pack: Pack, options: PackOptions) -> Recalled | None:
        """The last build of a pack, if it is as that left it."""
        started, record = time.monotonic(), inputs.read(self._book.looked_record(pack.name))
        try:
            if not self._same(record, self._about(pack, options)) or not self._there(pack.name, record["fingerprint"]):
                return None
            seconds = time.monotonic() - started
            folder = os.path.join(self._loaded.build_dir_given, pack.name)  # noqa: PTH118 - kept as the user wrote it
            warnings = tuple(record["report"]["warnings"])
            _mark_used(record["stored"])
            return Recalled(
                report=PackReport(**{**record["report"], "folder": folder, "seconds": seconds, "warnings": warnings}),
                introduction=tuple(record["introduction"]), warnings=tuple(record["warnings"]), tests=tuple(record["tests"]),
                left_out=record["left_out"], pins=record["pins"],
            )  # fmt: skip
        except (KeyError, TypeError, ValueError):
            return None

    def _same(self, record: Mapping[str, Any], about: str) -> bool:
        """Whether everything is as it was when a build looked at it."""
        return (
            (record["about"], record["project"]) == (about, self._project)
            and all(_interpreter(python[0]) == python for python in record["pythons"])
            and all(_on_path(name, self._environ) == found for name, found in record["commands"].items())
            and all(self._inputs.file(path) == identity for path, identity in record["files"].items())
            and all(self._inputs.place(path) == identity for path, identity in record["beside"].items())
        )

    def _there(self, name: str, fingerprint: str) -> bool:
        """Whether all that the build wrote is as it was written."""
        sealed = workspace.sealed(self._loaded.build_dir / name, self._book.folder_record(name))
        return sealed and self._book.intact(name, fingerprint) is not None

    def _about(self, pack: Pack, options: PackOptions) -> str:
        """A digest of what is known of a pack before anything is looked at; variables enter only through it."""
        names = {*VARIABLES, *options.env_passthrough, *(name for name in self._environ if name.startswith(PREFIXES))}
        return ledger.digest({
            "monopack": [__version__, sys.version, sys.executable, zlib.ZLIB_RUNTIME_VERSION],
            "machine": [sys.platform, *_machine()],
            "pack": [pack.path, pack.module, options.model_dump(mode="json")],
            "project": [str(self._loaded.root), self._roots, self._config],
            "environment": {name: self._environ.get(name) for name in names},
        })  # fmt: skip

    def note(self, done: Done) -> None:
        """Record a build, unless what it looked at may have changed meanwhile or cannot be told by looking."""
        name, root = done.pack.name, self._loaded.root
        files = {f"{root}/{path}": identity for path, identity in done.looked.items()}
        certain = all(self._inputs.file(path) == identity for path, identity in files.items())
        commands = _commands(done, self._loaded.config.python, self._environ)
        if not (certain and self._settled(done.beside) and _are_meant(done, commands, self._loaded.config.python)):
            return
        workspace.seal(done.seen, done.tree, self._loaded.build_dir / name, self._book.folder_record(name))
        beside = {path: self._inputs.place(path) for path in (*done.beside, f"{root}/.venv/bin/python")}
        facts = {
            "about": self._about(done.pack, done.options), "project": self._project, "files": files, "beside": beside,
            "commands": commands, "pythons": [_interpreter(each.python) for each in (done.host, done.target)],
            "introduction": introduction(self._loaded, done.host, done.target, done.note), "fingerprint": done.fingerprint,
            "report": asdict(replace(done.report, failures=())), "warnings": done.warnings, "tests": done.tests,
            "left_out": dict(done.left_out), "stored": done.stored, "pins": done.pins,
        }  # fmt: skip
        inputs.write(self._book.looked_record(name), facts)

    def keep(self, *, everything: bool) -> None:
        """Record what the project holds; `everything` says that all packs were asked for."""
        self._inputs.keep(only_asked=everything)

    def _settled(self, paths: Iterable[str]) -> bool:
        """Whether files are as they were when the run began; those in the build folder are this run's own."""
        return not any(_changed_since(self._since - TICK, path) for path in paths if not self._is_own(path))

    def _is_own(self, path: str) -> bool:
        return path.startswith(f"{self._loaded.build_dir}{os.sep}")


def _mark_used(folders: Iterable[str]) -> None:
    """Note in the store, at most once a day, that wheels are in use: cleaning removes what is not."""
    for folder in folders:
        with contextlib.suppress(OSError):
            if time.time() - os.stat(folder).st_mtime > DAY:  # noqa: PTH116 - as text
                os.utime(folder)


def _changed_since(moment: int, path: str) -> bool:
    """Whether a file was changed after a moment (nanoseconds)."""
    try:
        return os.stat(path).st_ctime_ns > moment  # noqa: PTH116 - as text
    except OSError:
        return False


# ---------------------------------------------------------------- the Python that is meant


def _interpreter(path: str) -> list[Any]:
    """What tells one interpreter from another, without starting it."""
    real = os.path.realpath(path)
    try:
        return [path, real, os.stat(real).st_mtime_ns]  # noqa: PTH116 - as text
    except OSError:
        return [path, real, 0]


def _machine() -> tuple[str, ...]:
    """What markers and wheel tags tell of this machine that may change under the same interpreter."""
    libc = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in getattr(os, "confstr_names", ()) else ""
    system = os.uname() if hasattr(os, "uname") else ("", "", "", "", "")
    return (system[2], system[3], system[4], libc or "")


def _commands(done: Done, given: str | None, environ: Mapping[str, str]) -> dict[str, list[str]]:
    """The commands that interpreters were looked for by, and all that they are on PATH."""
    names = [name for name in (_name_of_host(done, given), _name_of_stand_in(done)) if name]
    return {name: _on_path(name, environ) for name in names}


def _name_of_host(done: Done, given: str | None) -> str:
    """The command by which the host's interpreter was looked for; empty if it was named otherwise."""
    if given:
        return "" if os.sep in given else given
    return f"python{done.host.markers['python_version']}" if done.host.chosen_by == ".python-version" else ""


def _name_of_stand_in(done: Done) -> str:
    """The command by which an interpreter of the target's version was looked for; empty if the host's is one."""
    version = done.target.markers["python_version"]
    return "" if version == done.host.markers["python_version"] else f"python{version}"


def _on_path(command: str, environ: Mapping[str, str]) -> list[str]:
    """The programs of that name: the first that answers counts."""
    folders = environ.get("PATH", "").split(os.pathsep)
    return [found for folder in folders if os.path.isabs(folder) and (found := shutil.which(command, path=folder))]  # noqa: PTH117


def _are_meant(done: Done, commands: Mapping[str, Sequence[str]], given: str | None) -> bool:
    """Whether what names the interpreters is these themselves, and no program that chooses one."""
    name = _name_of_host(done, given)
    named = next(iter(commands[name]), sys.executable) if name else given or done.host.python
    if not (os.path.isdir(named) or _is_same(named, done.host.python)):  # noqa: PTH112 - as text
        return False
    return _is_same(next(iter(commands.get(_name_of_stand_in(done), ())), done.target.python), done.target.python)


def _is_same(path: str, other: str) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)


# ---------------------------------------------------------------- a run that has nothing to do


def unchanged(loaded: Loaded, only: str | None, outside: Outside) -> BuildReport | None:
    """The report of a build that has nothing to do; None where there may be something. Raises `MonopackError`."""
    if forgets(loaded) or loaded.config.auto_fix:  # which may have to be refused
        return None
    found = find(loaded, only)
    with ledger.claim(loaded.build_dir, protected(loaded, found.roots), loaded.config.lock_timeout) as book:
        memory, recalled = Memory(loaded, book, outside.environ, found.roots), []
        for pack, options in zip(found.packs, found.options, strict=True):
            if (known := memory.recall(pack, options)) is None:
                return None
            recalled.append(known)
        memory.keep(everything=only is None)
        outside.tell(Step(name="plan", detail=str(len(recalled))))
        announce(recalled, outside)
        repeat(recalled, frozenset())
        if only is None:
            warn_of_leftovers({each.report.name: each for each in recalled}, book)
    return BuildReport(packs=tuple(each.report for each in recalled), fetches=fetches(recalled))


def recall(found: Found, memory: Memory) -> dict[str, Recalled]:
    """The packs that are as their last builds left them, by name."""
    each = ((pack.name, memory.recall(pack, options)) for pack, options in zip(found.packs, found.options, strict=True))
    return {name: recalled for name, recalled in each if recalled}


def forgets(loaded: Loaded) -> bool:
    """Whether a run does everything again, or has to show how it is done."""
    return loaded.config.debug or not loaded.config.cache


def repeat(recalled: Collection[Recalled], told: Container[str]) -> None:
    """Say what the builds said and this run has not `told` yet, and that they need not be made again."""
    for line in dict.fromkeys(line for each in recalled for line in each.introduction):
        if line not in told:
            log.info("%s", line)
    for warning in dict.fromkeys(warning for each in recalled for warning in each.warnings):
        if warning not in told:
            log.warning("%s", warning)
    for each in recalled:
        log.info("%s: unchanged in %.1f s", each.report.name, each.report.seconds)


def fetches(recalled: Iterable[Recalled]) -> Fetches:
    """What was fetched for packs that need not be built: nothing of the pins that there are."""
    return Fetches(pins=max((each.pins for each in recalled), default=0))


def announce(recalled: Iterable[Recalled], outside: Outside) -> None:
    """Tell which packs need not be built."""
    for each in recalled:
        outside.tell(Step(name="unchanged", pack=each.report.name))


def warn_of_leftovers(packs: Mapping[str, Recalled | TestPlan], book: Ledger) -> None:
    """Say what a run of all packs passes over: tests that fit no pack, artifacts whose pack is gone."""
    chosen = {test for pack in packs.values() for test in pack.tests}
    left_out = {test: reason for pack in packs.values() for test, reason in pack.left_out.items() if test not in chosen}
    if left_out:
        named = sorted(left_out)
        more = f" and {len(named) - 3} more" if len(named) > 3 else ""
        log.warning("no pack runs %s%s: %s", ", ".join(named[:3]), more, left_out[named[0]])
    for name in sorted(book.packs() - packs.keys()):
        log.warning("the build folder still has artifacts of %s, which is no pack any more", name)
