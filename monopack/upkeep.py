"""A side door of the hallway: looking after what was built, and after the store."""

from __future__ import annotations

import time
from pathlib import Path

from monopack import discover, ledger, passes, store, workspace
from monopack.config import Loaded
from monopack.errors import PackError
from monopack.finding import protected
from monopack.model import StoredParsed, StoredWheel, value

DAY = 24 * 60 * 60  # seconds


@value()
class Cleaned:
    """What cleaning a build folder removed, and what it left since monopack did not write it; as the user knows the folder."""

    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def clean(loaded: Loaded) -> Cleaned:
    """Remove what monopack wrote to the build folder. Raises `MonopackError`."""
    build_dir = loaded.build_dir
    if not (build_dir / ".monopack").is_dir():
        return Cleaned()
    roots = discover.source_roots(loaded.root, loaded.config.source_roots)
    removed, kept = list[str](), list[str]()
    with ledger.claim(build_dir, protected(loaded, roots), loaded.config.lock_timeout) as book:
        for pack in sorted(book.packs()):
            gone, left = book.discard(pack)
            removed, kept = removed + gone, kept + left
        book.drop_unused_bytecode()
        for name in sorted(book.folders()):
            there = (build_dir / name).exists()
            workspace.remove(build_dir / name, book.folder_record(name))
            if there:
                (kept if (build_dir / name).exists() else removed).append(name)
    if not kept:
        ledger.vacate(build_dir)
    given = Path(loaded.build_dir_given)
    return Cleaned(removed=tuple(str(given / name) for name in removed), kept=tuple(str(given / name) for name in kept))


def stored(loaded: Loaded) -> tuple[StoredWheel, ...]:
    """What the store holds."""
    return store.held(loaded.cache_dir / store.LAYOUT)


def stored_parsed(loaded: Loaded) -> StoredParsed:
    """What the store holds of source files that were parsed."""
    return store.held_parsed(loaded.cache_dir / store.LAYOUT)


def clean_store(loaded: Loaded, days: int) -> tuple[StoredWheel, ...]:
    """Remove from the store, and of what was proven, what was not used for so many days (0: everything); the wheels that went.

    Raises `PackError`.
    """
    try:
        passes.clean(loaded.cache_dir, time.time() - days * DAY)
        return store.clean(loaded.cache_dir / store.LAYOUT, days)
    except OSError as problem:
        raise PackError(f"the store cannot be cleaned: {problem.strerror}", where=str(problem.filename)) from problem
