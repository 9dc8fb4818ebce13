"""What monopack knows about a build folder: that it may use it, that nobody else does, and what it wrote there.

All of it lies in `<build>/.monopack/`; without that folder monopack treats what it finds as somebody else's.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from filelock import FileLock, Timeout

from monopack.errors import ConfigError, PackError
from monopack.model import value

log = logging.getLogger(__name__)


@value()
class Built:
    """The last successful build of a pack: the fingerprint of all that went into it, and its outputs.

    `outputs` maps file names in the build folder to size in bytes, mtime in nanoseconds and sha256; `tests` is how many passed.
    """

    fingerprint: str
    outputs: Mapping[str, tuple[int, int, str]]
    tests: int


@value()
class Ledger:
    """The records of one build folder (absolute)."""

    build: Path

    def folder_record(self, name: str) -> Path:
        """Where the record of a folder `<build>/<name>` lies."""
        return self.build / ".monopack" / f"{name}.tree.json"

    def intact(self, pack: str, fingerprint: str) -> Built | None:
        """The last build of a pack, if it had this fingerprint and every output is as it was written."""
        try:
            data = json.loads(self._built_record(pack).read_text("utf-8"))
            built = Built(
                fingerprint=data["fingerprint"],
                outputs={name: (size, mtime, sha) for name, (size, mtime, sha) in data["outputs"].items()},
                tests=data["tests"],
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        if built.fingerprint != fingerprint or not all(_same(self.build / n, *seen) for n, seen in built.outputs.items()):
            return None
        return built

    def remember(self, pack: str, fingerprint: str, outputs: Mapping[str, str], tests: int) -> None:
        """Record a successful build; `outputs` maps file names in the build folder to their sha256."""
        seen = {}
        for name, sha in outputs.items():
            status = (self.build / name).stat()
            seen[name] = (status.st_size, status.st_mtime_ns, sha)
        record = self._built_record(pack)
        temporary = record.with_suffix(".tmp")
        temporary.write_text(json.dumps({"fingerprint": fingerprint, "outputs": seen, "tests": tests}), "utf-8")
        temporary.replace(record)

    def _built_record(self, pack: str) -> Path:
        return self.build / ".monopack" / f"{pack}.built.json"


@contextlib.contextmanager
def claim(build: Path, protected: Mapping[str, Path], timeout: float) -> Iterator[Ledger]:
    """Use a build folder alone.

    `build` and the values of `protected` are absolute, its keys say what those folders are; `timeout` is how many seconds to
    wait for another run. Raises `ConfigError` for a folder that must not be a build folder, `PackError` when it cannot be
    written or another run keeps it.
    """
    _refuse(build, protected)
    hidden = build / ".monopack"
    try:
        hidden.mkdir(parents=True, exist_ok=True)
        if not (build / ".gitignore").exists():
            (build / ".gitignore").write_text("*\n", "utf-8")
        lock = _wait(FileLock(hidden / "lock"), build, timeout)
    except OSError as problem:
        raise PackError(f"the build folder cannot be written: {problem.strerror}", where=str(problem.filename or build)) from None
    with lock:
        _sweep(build)
        yield Ledger(build=build)


def digest(facts: object) -> str:
    """sha256 (hex) over plain values, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def _refuse(build: Path, protected: Mapping[str, Path]) -> None:
    """Refuse build folders whose use would endanger what is not monopack's."""
    hint = "choose a folder of its own with --build-dir"
    if build.is_symlink():
        raise ConfigError("the build folder is a link", where=str(build), hint=hint)
    if build.exists() and not build.is_dir():
        raise ConfigError("the build folder is not a folder", where=str(build), hint=hint)
    real = Path(os.path.realpath(build))
    for what, path in protected.items():
        if Path(os.path.realpath(path)).is_relative_to(real):
            raise ConfigError(f"the build folder is or contains {what} ({path})", where=str(build), hint=hint)
    if not (build / ".monopack").exists() and any(build.glob("*.py")):
        raise ConfigError("the build folder holds Python files that monopack did not write", where=str(build), hint=hint)


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
        leftover.unlink(missing_ok=True)


def _same(path: Path, size: int, mtime: int, sha256: str) -> bool:
    """Whether a file is as it was recorded; read only when its time says that it may not be."""
    try:
        status = path.lstat()
        if (status.st_size, status.st_mtime_ns) == (size, mtime):
            return not path.is_symlink()
        return not path.is_symlink() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False
