"""The project's pinned dependency source, read natively: one module for each dialect, one row for it in `DIALECTS`.

A lock is never written. The package manager that made it need not be installed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from monopack.errors import LockError
from monopack.locks import pdm, pipenv, poetry, pylock, requirements, uv
from monopack.locks.pinning import pin
from monopack.locks.pins import Choice, unguarded
from monopack.locks.running import Resolver
from monopack.model import Lock, Target, value

__all__ = ["DIALECTS", "Choice", "Dialect", "Resolver", "Source", "find", "pin", "read", "unguarded"]


@value()
class Source:
    """Where a project's pins stand: the dialect, the file relative to the project (POSIX), and one line on why this one."""

    dialect: str
    path: str
    note: str


@value()
class Dialect:
    """One kind of lock: its name, the package manager that is configured for it, its reader, its file in the project root.

    `others` is a glob pattern of other names that the file may have.
    """

    name: str
    manager: str
    file: str
    read: Callable[[Path, str, Target, Choice], Lock]
    others: str = ""

    def files(self, root: Path) -> list[str]:
        """The names of the files of this kind in a folder; under its usual name it is the only one that counts."""
        if (root / self.file).is_file():
            return [self.file]
        return sorted(file.name for file in root.glob(self.others) if file.is_file()) if self.others else []

    def manager_of(self, file: str) -> str:
        """What asks for one file of this kind: `pylock`, or `pylock.NAME` for `pylock.NAME.toml`."""
        return self.manager if file == self.file else file.removesuffix(".toml")


DIALECTS = (
    Dialect(name="uv", manager="uv", file="uv.lock", read=uv.read),
    Dialect(name="poetry", manager="poetry", file="poetry.lock", read=poetry.read),
    Dialect(name="pdm", manager="pdm", file="pdm.lock", read=pdm.read),
    Dialect(name="pipenv", manager="pipenv", file="Pipfile.lock", read=pipenv.read),
    Dialect(name="pylock", manager="pylock", file="pylock.toml", others="pylock.*.toml", read=pylock.read),
    Dialect(name="requirements", manager="pip", file="requirements.txt", read=requirements.read),
)


def find(root: Path, manager: str) -> Source | None:
    """The lock in the absolute folder `root` that `manager` uses (`auto`: whichever is there); None when a project has no lock.

    Raises `LockError` when the manager's lock is missing, and when several files could be meant.
    """
    if manager != "auto":
        return _of_manager(root, manager)
    found = [(dialect, file) for dialect in DIALECTS for file in dialect.files(root)]
    if len(found) > 1:
        *others, last = (file for _, file in found)
        ways = " or ".join(f"--package-manager {dialect.manager_of(file)}" for dialect, file in found)
        many = "both here, and either" if len(found) == 2 else "all here, and each"
        what = f"{', '.join(others)} and {last} are {many} could hold the pins"
        raise LockError(what, hint=f"choose one: {ways}")
    if not found:
        return None
    dialect, file = found[0]
    return Source(dialect=dialect.name, path=file, note=f"{file}, the only dependency source there is")


def _of_manager(root: Path, manager: str) -> Source:
    """The lock of a package manager that was asked for by name, or of one of the names that its lock may have."""
    kind, _, name = manager.partition(".")
    dialect = next((dialect for dialect in DIALECTS if dialect.manager == kind), None)
    if dialect is None:
        known = ", ".join(("auto", *sorted(dialect.manager for dialect in DIALECTS)))
        raise LockError(f"locks of the package manager {manager} are not read yet", hint=f"use one of: {known}")
    files = [f"{manager}.toml"] if name else dialect.files(root) or [dialect.file]
    if len(files) > 1:
        ways = " or ".join(f"--package-manager {dialect.manager_of(file)}" for file in files)
        raise LockError(f"{' and '.join(files)} could each hold the pins", hint=f"choose one: {ways}")
    if not (root / files[0]).is_file():
        hint = "create it in the project's root, or use --package-manager auto"
        raise LockError(f"is missing, and the package manager is {manager}", where=files[0], hint=hint)
    return Source(dialect=dialect.name, path=files[0], note=f"{files[0]}, since the package manager is {manager}")


def read(source: Source, root: Path, target: Target, choice: Choice | None = None) -> Lock:
    """The pins in `source` (below the absolute folder `root`) that hold for `target`; `choice` (all extras, no groups): what of
    them may ship. Raises `LockError`.
    """
    dialect = next(dialect for dialect in DIALECTS if dialect.name == source.dialect)
    return dialect.read(root, source.path, target, choice or Choice())
