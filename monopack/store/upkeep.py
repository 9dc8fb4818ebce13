"""What the store holds, and throwing away what is no longer used."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from monopack.model import StoredParsed, StoredWheel
from monopack.store.answers import Answers

DAY = 24 * 60 * 60  # seconds
WHEELS, IMPORTS, PARSED, ABSENT = "wheels", "imports", "parsed", "absent"


def held(store: Path) -> tuple[StoredWheel, ...]:
    """All wheels in the store's layout folder `store` (absolute), by file name."""
    return tuple(sorted((found for _, found in _entries(store)), key=lambda found: found.wheel))


def held_parsed(store: Path) -> StoredParsed:
    """What the store holds of source files that were parsed."""
    files = list(_parsed(store))
    return StoredParsed(files=sum(Answers(file).held() for file in files), size=sum(file.stat().st_size for file in files))


def clean(store: Path, days: float) -> tuple[StoredWheel, ...]:
    """Remove the wheels that no run has used for so many days, all of them for 0; what was removed. Raises `OSError`.

    What is known not to be had is forgotten.
    """
    shutil.rmtree(store / ABSENT, ignore_errors=True)
    before = time.time() - days * DAY
    gone = [(folder, found) for folder, found in _entries(store) if not days or found.used < before]
    for folder, _ in gone:
        moved = folder.with_name(f".new-{folder.name}")  # half removed, an entry would look damaged
        folder.rename(moved)
        shutil.rmtree(moved)
        for file in (store / IMPORTS).glob(f"{folder.name}-*.json"):
            file.unlink(missing_ok=True)
    for file in _parsed(store):
        Answers(file).clean(before)
    if not days:
        shutil.rmtree(store, ignore_errors=True)
    return tuple(sorted((found for _, found in gone), key=lambda found: found.wheel))


def mark_used(entry: Path) -> None:
    """Note that an entry was used, at most once a day; a store that cannot be written keeps no such notes."""
    with contextlib.suppress(OSError):
        if time.time() - entry.stat().st_mtime > DAY:
            os.utime(entry)


def _parsed(store: Path) -> Iterator[Path]:
    return (store / PARSED).glob("*.db")


def _entries(store: Path) -> Iterator[tuple[Path, StoredWheel]]:
    for folder in (store / WHEELS).glob("[0-9a-f]*"):
        files = [file for file in folder.glob("*") if file.is_file()]
        wheel = next((file.name for file in files if file.suffix == ".whl"), folder.name)
        yield folder, StoredWheel(wheel=wheel, size=sum(file.stat().st_size for file in files), used=folder.stat().st_mtime)
