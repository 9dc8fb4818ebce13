"""What monopack knows about a build folder: that it may use it, that nobody else does, and what it wrote there.

All of it lies in `<build>/.monopack/`; without that folder monopack treats what it finds as somebody else's.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from filelock import FileLock, Timeout

from monopack.errors import ConfigError, PackError, disk_words
from monopack.model import value

log = logging.getLogger(__name__)

IGNORE_ALL = "*\n"

# Temporaries of outputs (archive) and of records (workspace, and here).
LEFTOVER = re.compile(
    r"\..+\.(zip|sha256|b64|json)\.\d+\.tmp|.+\.(built|pip\.json|(tree|looked)\.json\.\d+)\.tmp|inputs\.json\.\d+\.tmp"
)


@value()
class Built:
    """The last successful build of a pack: the fingerprint of all that went into it, and its outputs.

    `outputs` maps file names in the build folder to how they looked (size in bytes, mtime and ctime in nanoseconds, inode)
    and their sha256; `tests` is how many tests passed. A build that was announced and not finished has no fingerprint.
    """

    fingerprint: str
    outputs: Mapping[str, tuple[tuple[int, ...], str]]
    tests: int


@value()
class Ledger:
    """The records of one build folder (absolute)."""

    build: Path

    def folder_record(self, name: str) -> Path:
        """Where the record of a folder `<build>/<name>` lies."""
        return self.build / ".monopack" / f"{name}.tree.json"

    @property
    def inputs_record(self) -> Path:
        """Where it is recorded what the files of the project hold."""
        return self.build / ".monopack" / "inputs.json"

    def looked_record(self, pack: str) -> Path:
        """Where it is recorded what the last build of a pack looked at."""
        return self.build / ".monopack" / f"{pack}.looked.json"

    def bytecode_folder(self, pack: str) -> Path:
        """Where the compiled modules of a pack are kept that it is verified with."""
        return self.build / ".monopack" / "bytecode" / pack

    @property
    def bytecode_pool(self) -> Path:
        """Where the compiled modules of all packs are kept, which those of each pack are links to."""
        return self.build / ".monopack" / "compiled"

    def drop_unused_bytecode(self) -> None:
        """Forget the compiled modules that no pack is verified with any more; a disk that refuses costs room, not the build."""
        with contextlib.suppress(OSError), os.scandir(self.bytecode_pool) as compiled:
            for each in compiled:
                if os.stat(each.path).st_nlink == 1:  # noqa: PTH116 - those of a DirEntry may not be known
                    Path(each.path).unlink(missing_ok=True)

    def intact(self, pack: str, fingerprint: str) -> Built | None:
        """The last build of a pack, if it had this fingerprint and every output is as it was written."""
        built = self._last(pack)
        if built is None or built.fingerprint != fingerprint or f"{pack}.zip" not in built.outputs:
            return None
        return built if all(_same(self.build / name, *seen) for name, seen in built.outputs.items()) else None

    def announce(self, pack: str, outputs: Iterable[str], *, force: bool) -> None:
        """Record the names of files that are about to be written.

        Raises `PackError` where one is there that no build of the pack wrote, unless `force` lets it be replaced, and when the
        disk refuses.
        """
        last = self._last(pack)
        known = last.outputs if last else {}
        for name in outputs:
            if name not in known and os.path.lexists(self.build / name) and not force:
                hint = "move it away, or let it be replaced with --force"
                raise PackError("exists and was not written by monopack", where=str(self.build / name), hint=hint)
        self._record(pack, "", {**dict.fromkeys(outputs, ((), "")), **known}, 0)

    def remember(self, pack: str, fingerprint: str, outputs: Mapping[str, str], tests: int) -> None:
        """Record a successful build; `outputs` maps file names in the build folder to their sha256.

        Where the disk refuses, the build is as good, and the next run makes it again.
        """
        seen = {name: (_look(self.build / name), sha256) for name, sha256 in outputs.items()}
        try:
            self._record(pack, fingerprint, seen, tests)
        except PackError as refused:
            log.warning("%s; %s is built, and will be built again by the next run", refused, pack)

    def wrote(self, pack: str) -> frozenset[str]:
        """The names of the outputs that a pack's builds wrote."""
        last = self._last(pack)
        return frozenset(last.outputs) if last else frozenset()

    def packs(self) -> set[str]:
        """The names of all packs that were ever built here."""
        return {path.name.removesuffix(".built.json") for path in (self.build / ".monopack").glob("*.built.json")}

    def folders(self) -> set[str]:
        """The names of all folders that were ever written here."""
        return {path.name.removesuffix(".tree.json") for path in (self.build / ".monopack").glob("*.tree.json")}

    def discard(self, pack: str) -> tuple[list[str], list[str]]:
        """Delete the outputs of a pack and their record: the names of those removed, and of those changed since, which stay."""
        last = self._last(pack)
        outputs = last.outputs if last else {}
        there = [name for name in sorted(outputs) if os.path.lexists(self.build / name)]
        kept = [name for name in there if outputs[name][1] and not _same(self.build / name, *outputs[name])]
        removed = [name for name in there if name not in kept]
        for name in removed:
            (self.build / name).unlink()
        self._built_record(pack).unlink()
        self.looked_record(pack).unlink(missing_ok=True)
        shutil.rmtree(self.bytecode_folder(pack), ignore_errors=True)
        return removed, kept

    def _last(self, pack: str) -> Built | None:
        """What was recorded of a pack, if it can be read."""
        try:
            data = json.loads(self._built_record(pack).read_text("utf-8"))
            outputs = {str(name): (tuple(look), str(sha256)) for name, (look, sha256) in data["outputs"].items()}
            return Built(fingerprint=data["fingerprint"], outputs=outputs, tests=data["tests"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _record(
        self, pack: str, fingerprint: str, outputs: Mapping[str, tuple[tuple[int, ...], str]], tests: int
    ) -> None:  # fmt: skip
        record = self._built_record(pack)
        temporary = record.with_suffix(".tmp")
        with _explained(self.build):
            try:
                temporary.write_text(json.dumps({"fingerprint": fingerprint, "outputs": outputs, "tests": tests}), "utf-8")
                temporary.replace(record)
            finally:
                temporary.unlink(missing_ok=True)

    def _built_record(self, pack: str) -> Path:
        return self.build / ".monopack" / f"{pack}.built.json"


@contextlib.contextmanager
def claim(build: Path, protected: Mapping[str, Path], timeout: float) -> Iterator[Ledger]:
    """Use a build folder alone.

    `build` and the values of `protected` are absolute, its keys say what those folders are; `timeout` is how many seconds to
    wait for another run. Raises `ConfigError` for a folder that must not be a build folder, `PackError` when it cannot be
    written or another run keeps it.
    """
    refuse(build, "the build folder", "--build-dir", protected)
    hidden = build / ".monopack"
    if hidden.is_symlink():
        raise ConfigError("is a link; nothing is written through it", where=str(hidden), hint="remove the link")
    with _explained(build):
        hidden.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(build / ".gitignore"):
            (build / ".gitignore").write_text(IGNORE_ALL, "utf-8")
        lock = _wait(FileLock(hidden / "lock"), build, timeout)
    with lock:
        _sweep(build)
        yield Ledger(build=build)


def vacate(build: Path) -> None:
    """Remove monopack's own records from a build folder (absolute) that nobody uses, and the folder if nothing else is in it."""
    shutil.rmtree(build / ".monopack", ignore_errors=True)
    if [path.name for path in build.iterdir()] == [".gitignore"] and (build / ".gitignore").read_text("utf-8") == IGNORE_ALL:
        (build / ".gitignore").unlink()
        build.rmdir()


def digest(facts: object) -> str:
    """sha256 (hex) over plain values, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def refuse(folder: Path, what: str, option: str, protected: Mapping[str, Path]) -> None:
    """Refuse a folder to write in whose use would endanger what is not monopack's.

    `what` names its use (`the build folder`) and `option` the way to choose another. Raises `ConfigError`.
    """
    reason = _unfit(folder, protected)
    if reason:
        hint = f"choose a folder with nothing else in it, or a new one: {option} DIR"
        raise ConfigError(f"cannot be {what}: it {reason}", where=str(folder), hint=hint)


def _unfit(folder: Path, protected: Mapping[str, Path]) -> str:
    """Why a folder must not be written in; empty when it may be."""
    if folder.is_symlink():
        return "is a link"
    if folder.exists() and not folder.is_dir():
        return "is a file"
    real = Path(os.path.realpath(folder))
    for name, path in protected.items():
        inner = Path(os.path.realpath(path))
        if inner.is_relative_to(real):
            return f"is {name}" if inner == real else f"contains {name} ({path})"
    code = [] if (folder / ".monopack").exists() else sorted(file.name for file in folder.glob("*.py"))
    return f"holds Python files that monopack did not write ({code[0]})" if code else ""


@contextlib.contextmanager
def _explained(build: Path) -> Iterator[None]:
    """What the system refuses in a build folder, as a refusal that names the folder."""
    try:
        yield
    except OSError as problem:
        what, hint = disk_words(problem, "--build-dir")
        raise PackError(f"the build folder cannot be written: {what}", where=str(build), hint=hint) from problem


def _wait(lock: FileLock, build: Path, timeout: float) -> FileLock:
    """Acquire a lock, saying so when that takes waiting. The kernel frees it when its holder dies."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.warning("another run is using %s; waiting up to %g s", build, timeout)
        try:
            lock.acquire(timeout=timeout)
        except Timeout:
            hint = "wait for it, or give this run a build folder of its own with --build-dir"
            raise PackError(
                f"another run is still using the build folder after {timeout:g} s", where=str(build), hint=hint
            ) from None
    return lock


def _sweep(build: Path) -> None:
    """Remove what a killed run had not yet renamed; nobody else writes here while the lock is held."""
    for leftover in (*build.glob(".*.tmp"), *(build / ".monopack").glob("*.tmp")):
        if LEFTOVER.fullmatch(leftover.name) and leftover.is_file():
            leftover.unlink()


def _look(path: Path) -> tuple[int, ...]:
    """How a file looks without reading it."""
    status = path.lstat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _same(path: Path, look: tuple[int, ...], sha256: str) -> bool:
    """Whether a file is as it was recorded; read only when its look says that it may not be."""
    try:
        if path.is_symlink():
            return False
        return _look(path) == look or hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False
