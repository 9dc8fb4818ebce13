"""The store on disk: entries that appear by rename, are never modified, and are thrown away when damaged. Only an index of which
an older version wrote less is written anew.

`wheels/<sha256>/<file name>.whl` with `index.json` next to it, and `picks/<key>.json`, which wheel a pin means for a target
(and `imports/`, see `looking`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from filelock import FileLock

from monopack.model import Distribution, Member, Native, value
from monopack.store import wheel
from monopack.store.notes import place
from monopack.store.upkeep import WHEELS, mark_used

log = logging.getLogger(__name__)

FIELDS = tuple(field.name for field in dataclasses.fields(Member))
INDEX = "index.json"
HEAD = len('{"digest":"",') + 64
# What is there while a run writes, and what counts for a day.
WORKING = ("wheels/.new-*", "wheels/*/.new-*", "picks/.new-*", "imports/.new-*", "glances/.new-*", "absent/*", ".fetch-*")
ABANDONED = 24 * 60 * 60  # seconds after which a working folder has no owner any more


@value()
class Pick:
    """Which wheel a pin means: its sha256 (hex), and whether it was built here from an sdist."""

    sha256: str
    built: bool


class Entries:
    """The entries under one folder (absolute); for several threads and processes at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._checked: dict[str, Distribution] = {}

    def pick(self, key: str) -> Pick | None:
        """The remembered pick of that name (hex sha256), if there is a readable one."""
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            found = json.loads(self._pick_file(key).read_text("utf-8"))
            return Pick(sha256=str(found["sha256"]), built=bool(found["built"]))
        return None

    def remember(self, key: str, pick: Pick) -> None:
        """Keep a pick under a name. Raises `OSError`."""
        file = self._pick_file(key)
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_dir():
            _remove(file)
        place(file, json.dumps({"sha256": pick.sha256, "built": pick.built}))

    def names(self) -> dict[str, str]:
        """The file names of all wheels that are there, by their digests (hex)."""
        return {file.parent.name: file.name for file in (self._folder / WHEELS).glob("[0-9a-f]*/*.whl")}

    def get(self, sha256: str) -> Distribution | None:
        """The distribution whose wheel has that digest (hex); None when it is not there or was damaged and is thrown away now."""
        if sha256 not in self._checked:
            folder = self._entry(sha256)
            if not os.path.lexists(folder):
                return None
            distribution = _load(folder, sha256) or self._heal(folder, sha256)
            if distribution is None:
                return None
            mark_used(folder)
            self._checked[sha256] = distribution
        return self._checked[sha256]

    def put(self, file: Path, sha256: str) -> Distribution:
        """Check and index the wheel `file` (it moves away) of that digest and put it in place. Raises `LockError`, `OSError`."""
        if held := self.get(sha256):
            return held
        distribution = wheel.read(file, sha256)
        final = self._entry(sha256)
        final.parent.mkdir(parents=True, exist_ok=True)
        prepared = Path(tempfile.mkdtemp(dir=final.parent, prefix=".new-"))
        try:
            file.rename(prepared / file.name)
            (prepared / INDEX).write_text(_sealed(_dump(distribution)), encoding="utf-8")
            prepared.rename(final)
        except OSError:
            if _load(final, sha256) is None:  # else another process was faster with the same bytes
                raise
        finally:
            shutil.rmtree(prepared, ignore_errors=True)
        placed = dataclasses.replace(distribution, location=str(final / file.name))
        self._checked[sha256] = placed
        return placed

    def working_folder(self) -> tempfile.TemporaryDirectory[str]:
        """A folder on the store's own disk, to fetch into; sweeps what killed runs left. Raises `OSError`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in [path for pattern in WORKING for path in self._folder.glob(pattern)]:
            _sweep(old)
        return tempfile.TemporaryDirectory(dir=self._folder, prefix=".fetch-")

    def _entry(self, sha256: str) -> Path:
        return self._folder / WHEELS / sha256

    def _pick_file(self, key: str) -> Path:
        return self._folder / "picks" / f"{key}.json"

    def _heal(self, folder: Path, sha256: str) -> Distribution | None:
        """Throw a damaged entry away, unless another process has replaced it meanwhile."""
        with FileLock(self._folder / "heal.lock"):
            healed = _load(folder, sha256)
            if healed is None and os.path.lexists(folder):
                log.warning("the store's entry %s was damaged and is thrown away", folder)
                _remove(folder)
        return healed


def _load(folder: Path, sha256: str) -> Distribution | None:
    """An entry's distribution, once its index and its wheel are what they were when they were put there; else None."""
    try:
        text = (folder / INDEX).read_text("utf-8")
        if text != _sealed(text[HEAD:-1]):
            return None
        found = json.loads(text)["distribution"]
        file = folder / found["wheel"]
        with file.open("rb") as stream:
            intact = hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return _told(found, file, sha256) if intact else None


def _told(found: dict[str, Any], file: Path, sha256: str) -> Distribution:
    """What an index says of a wheel; where an older version wrote the index, it is written anew. Raises `LockError`."""
    try:
        return _distribution(found, file, sha256)
    except (ValueError, KeyError, TypeError):
        distribution = wheel.read(file, sha256)
    with contextlib.suppress(OSError):
        place(file.with_name(INDEX), _sealed(_dump(distribution)))
    return distribution


def _sealed(body: str) -> str:
    """The text of an index whose `body` is the JSON text of the rest of the object, with the body's own digest before it."""
    return f'{{"digest":"{hashlib.sha256(body.encode()).hexdigest()}",{body}\n'


def _dump(distribution: Distribution) -> str:
    """A distribution as JSON, as the rest of an object; without its place and digest, which its folder tells."""
    fields = {
        "name": distribution.name, "version": distribution.version, "wheel": distribution.wheel,
        "provides": sorted(distribution.provides), "namespaces": sorted(distribution.namespaces),
        "requires": distribution.requires, "entry_points": sorted(distribution.entry_points),
        "requires_python": distribution.requires_python, "natives": [dataclasses.asdict(each) for each in distribution.natives],
        "members": [[getattr(member, name) for name in FIELDS] for member in distribution.members],
    }  # fmt: skip
    return f'"distribution":{json.dumps(fields, separators=(",", ":"))}}}'


def _distribution(found: dict[str, Any], file: Path, sha256: str) -> Distribution:
    return Distribution(
        name=found["name"], version=found["version"], wheel=found["wheel"], location=str(file), sha256=sha256,
        members=tuple(Member(**dict(zip(FIELDS, row, strict=True))) for row in found["members"]),
        provides=frozenset(found["provides"]), namespaces=frozenset(found["namespaces"]),
        requires=tuple(found["requires"]), entry_points=frozenset(found["entry_points"]),
        requires_python=found["requires_python"],
        natives=tuple(Native(**each) for each in found["natives"]),
    )  # fmt: skip


def _remove(old: Path) -> None:
    """Remove a file or a folder, whichever it is."""
    if old.is_dir() and not old.is_symlink():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.unlink(missing_ok=True)


def _sweep(old: Path) -> None:
    """Remove a working folder or file that a killed run left long ago."""
    with contextlib.suppress(OSError):
        if old.stat().st_mtime > time.time() - ABANDONED:
            return
        _remove(old)
