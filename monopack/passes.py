"""ROOM: what was proven and need not be proven again, under the digest of all that the proof looked at.

A pass is a file, named by the digest, with a word on what came of it. Failures are not kept: what failed is tried again.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

LAYOUT = "passes-v1"


def known(cache: Path, key: str) -> str | None:
    """What came of it when what has this digest (hex) was proven, None if it was not. `cache` is absolute."""
    try:
        told = _file(cache, key).read_text("ascii")
    except (OSError, ValueError):
        return None
    with contextlib.suppress(OSError):
        _file(cache, key).touch()
    return told


def keep(cache: Path, key: str, told: str = "") -> None:
    """Remember that what has this digest was proven, with an ASCII word on it. A disk that refuses costs time, not the build."""
    file = _file(cache, key)
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f"{key}.{os.getpid()}.tmp")
        fresh.write_text(told, "ascii")
        fresh.replace(file)


def clean(cache: Path, before: float) -> None:
    """Forget what was last asked for before that time (seconds since 1970). Raises `OSError`."""
    for file in (cache / LAYOUT).glob("*/*"):
        if file.stat().st_mtime < before:
            file.unlink(missing_ok=True)


def _file(cache: Path, key: str) -> Path:
    return cache / LAYOUT / key[:2] / key
