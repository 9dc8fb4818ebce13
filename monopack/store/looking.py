"""Looking into wheels: what their modules import, found when it is first asked and kept beside the wheels.

`imports/<sha256 of the wheel>-<key of the way of looking>.json`; such a file may be lost or thrown away at any time.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from monopack.model import Distribution, Member, WheelImport, value
from monopack.store import notes

Imports = Mapping[str, tuple[WheelImport, ...]]


@value()
class Look:
    """How to tell what a module imports: `imports` does, from its bytes and the package that its dots start from.

    `key` (for a file name) is another one wherever `imports` may answer otherwise.
    """

    key: str
    imports: Callable[[bytes, str], tuple[WheelImport, ...]]


class Looking:
    """What was found in wheels, below one folder (absolute); safe to share between threads."""

    def __init__(self, folder: Path, look: Look) -> None:
        self._folder = folder
        self._look = look
        self._known: dict[str, dict[str, tuple[WheelImport, ...]]] = {}
        self._lock = Lock()

    def into(self, distribution: Distribution, modules: Iterable[str]) -> Imports:
        """All that is known about what a distribution's modules import, `modules` (dotted) among them.

        Raises `OSError` when its wheel cannot be read; a folder that cannot be written keeps nothing.
        """
        with self._lock:
            known = self._known.setdefault(distribution.sha256, {})
            if not known:
                known |= _load(self._file(distribution))
            new = [module for module in modules if module not in known]
            if new:
                known |= _read(distribution, new, self._look)
                with contextlib.suppress(OSError):
                    _keep(self._file(distribution), known)
            return dict(known)

    def _file(self, distribution: Distribution) -> Path:
        return self._folder / f"{distribution.sha256}-{self._look.key}.json"


def _read(distribution: Distribution, modules: Iterable[str], look: Look) -> dict[str, tuple[WheelImport, ...]]:
    """What modules import; one that is no source file imports nothing that could be seen."""
    members = {member.path: member for member in distribution.members if member.path.endswith(".py")}
    found: dict[str, tuple[WheelImport, ...]] = {}
    with Path(distribution.location).open("rb") as wheel:
        for module in modules:
            stem = module.replace(".", "/")
            package = members.get(f"{stem}/__init__.py")
            member = package or members.get(f"{stem}.py")
            if member is None:
                found[module] = ()
                continue
            wheel.seek(member.offset)
            data = _unpacked(wheel.read(member.packed), member)
            found[module] = look.imports(data, module if package else module.rpartition(".")[0])
    return found


def _unpacked(packed: bytes, member: Member) -> bytes:
    return zlib.decompress(packed, -zlib.MAX_WBITS) if member.method else packed


# ---------------------------------------------------------------- on disk


def _load(file: Path) -> dict[str, tuple[WheelImport, ...]]:
    """What was kept, if it is what was written; else nothing."""

    def read(found: Mapping[str, Any]) -> dict[str, tuple[WheelImport, ...]]:
        return {module: tuple(_import(*row) for row in rows) for module, rows in found.items()}

    return notes.load(file, read) or {}


def _import(name: str, attribute: str, lazy: int, optional: int) -> WheelImport:
    return WheelImport(name=name, attribute=attribute, lazy=bool(lazy), optional=bool(optional))


def _keep(file: Path, known: Imports) -> None:
    """Write what is known, in place of what was known before. Raises `OSError`."""
    rows = {module: [(i.name, i.attribute, int(i.lazy), int(i.optional)) for i in known[module]] for module in known}
    notes.write(file, rows)
