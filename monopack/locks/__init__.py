"""The project's pinned dependency source, read natively: one module for each dialect, one row for it in `DIALECTS`.

A lock is never written. The package manager that made it need not be installed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from monopack.errors import LockError
from monopack.locks import pipenv, poetry, requirements, uv
from monopack.locks.pinning import Resolver, pin
from monopack.model import Lock, Target, value

__all__ = ["DIALECTS", "Dialect", "Resolver", "Source", "find", "pin", "read"]


@value()
class Source:
    """Where a project's pins stand: the dialect, the file relative to the project (POSIX), and one line on why this one."""

    dialect: str
    path: str
    note: str


@value()
class Dialect:
    """One kind of lock: its name, the package manager that is configured for it, its file in the project root, its reader."""

    name: str
    manager: str
    file: str
    read: Callable[[Path, str, Target], Lock]


DIALECTS = (
    Dialect(name="uv", manager="uv", file="uv.lock", read=uv.read),
    Dialect(name="poetry", manager="poetry", file="poetry.lock", read=poetry.read),
    Dialect(name="pipenv", manager="pipenv", file="Pipfile.lock", read=pipenv.read),
    Dialect(name="requirements", manager="pip", file="requirements.txt", read=requirements.read),
)

UNREAD = (  # locks that are recognised only, each with the command that writes a requirements.txt from it
    ("pdm.lock", "pdm export --output requirements.txt"),
    ("pylock.toml", "uv pip compile --generate-hashes --output-file requirements.txt pyproject.toml"),
)


def find(root: Path, manager: str) -> Source | None:
    """The lock in the absolute folder `root` that `manager` uses (`auto`: whichever is there); None when a project has no lock.

    Raises `LockError` when the manager's lock is missing, when two could be meant, and for locks that cannot be read yet.
    """
    if manager != "auto":
        return _of_manager(root, manager)
    found = [dialect for dialect in DIALECTS if (root / dialect.file).is_file()]
    if len(found) > 1:
        *others, last = (dialect.file for dialect in found)
        ways = " or ".join(f"--package-manager {dialect.manager}" for dialect in found)
        many = "both here, and either" if len(found) == 2 else "all here, and each"
        what = f"{', '.join(others)} and {last} are {many} could hold the pins"
        raise LockError(what, hint=f"choose one: {ways}")
    if found:
        note = f"{found[0].file}, the only dependency source there is"
        return Source(dialect=found[0].name, path=found[0].file, note=note)
    _refuse_unread(root)
    return None


def _of_manager(root: Path, manager: str) -> Source:
    """The lock of a package manager that was asked for by name."""
    dialect = next((dialect for dialect in DIALECTS if dialect.manager == manager), None)
    if dialect is None:
        known = ", ".join(("auto", *sorted(dialect.manager for dialect in DIALECTS)))
        raise LockError(f"locks of the package manager {manager} are not read yet", hint=f"use one of: {known}")
    if not (root / dialect.file).is_file():
        hint = "create it in the project's root, or use --package-manager auto"
        raise LockError(f"is missing, and the package manager is {manager}", where=dialect.file, hint=hint)
    return Source(dialect=dialect.name, path=dialect.file, note=f"{dialect.file}, since the package manager is {manager}")


def _refuse_unread(root: Path) -> None:
    """Going on without the pins of a lock that is there would build packs without their dependencies."""
    for file, command in UNREAD:
        if (root / file).is_file():
            raise LockError("is not read yet", where=file, hint=f"export it: {command}")


def read(source: Source, root: Path, target: Target) -> Lock:
    """The pins in `source` (below the absolute folder `root`) that hold for `target`. Raises `LockError`."""
    dialect = next(dialect for dialect in DIALECTS if dialect.name == source.dialect)
    return dialect.read(root, source.path, target)
