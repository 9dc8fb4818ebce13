"""ROOM: what was proven and need not be proven again, under the digest of all that the proof looked at.

A pass is a file without content, named by the digest. Failures are not kept: what failed is tried again.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

LAYOUT = "passes-v1"


def holds(cache: Path, key: str) -> bool:
    """Whether what has this digest (hex) was proven. `cache` is absolute."""
    there = _file(cache, key).is_file()
    if there:
        keep(cache, key)
    return there


def keep(cache: Path, key: str) -> None:
    """Remember that what has this digest was proven, and was asked for now. A disk that refuses costs time, not the build."""
    with contextlib.suppress(OSError):
        _file(cache, key).parent.mkdir(parents=True, exist_ok=True)
        _file(cache, key).touch()


def clean(cache: Path, before: float) -> None:
    """Forget what was last asked for before that time (seconds since 1970). Raises `OSError`."""
    for file in (cache / LAYOUT).glob("*/*"):
        if file.stat().st_mtime < before:
            file.unlink(missing_ok=True)


def _file(cache: Path, key: str) -> Path:
    return cache / LAYOUT / key[:2] / key
