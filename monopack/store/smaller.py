"""Wheels that are compressed once more: the shortest stream of each member, made when first asked for and kept beside the wheel.

`wheels/<sha256>/small-<key of the recipe>.streams` has the members' streams one after the other; `.json` beside it tells where
each lies, after a line with the sha256 of that text. Both are checked when they are used and made again when they are damaged.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import logging
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock

from monopack.errors import LockError, disk_words
from monopack.model import Distribution, Member, value
from monopack.store import notes

log = logging.getLogger(__name__)

STORED, DEFLATED = 0, 8
AT_ONCE = 64  # members whose bytes are in memory at the same time
FIELDS = ("offset", "packed", "packed_sha256", "method")


@value()
class Recipe:
    """How to compress: `deflated` gives a raw deflate stream.

    `key` (for a file name) is another one wherever that may give other bytes.
    """

    key: str
    deflated: Callable[[bytes], bytes]


def smaller(distribution: Distribution, recipe: Recipe) -> Distribution:
    """The distribution with each member lying where its stream is: the wheel's own, or the recipe's, or plain, as is shortest.

    `distribution` is one that the store gave. For several threads and processes at once: a wheel is compressed once. Raises
    `LockError` when the store cannot be used.
    """
    wheel = Path(distribution.location)
    streams = wheel.with_name(f"small-{recipe.key}.streams")
    try:
        with FileLock(wheel.parent.parent / "smaller.lock"):
            return _load(streams, distribution) or _made(streams, distribution, recipe)
    except OSError as problem:
        what, hint = disk_words(problem, "--cache-dir")
        raise LockError(f"cannot be compressed once more: {what}", where=str(wheel), hint=hint) from problem
    except zlib.error as problem:
        raise LockError(f"cannot be compressed once more: {problem}", where=str(wheel), hint="build again") from problem


def _made(streams: Path, distribution: Distribution, recipe: Recipe) -> Distribution:
    """Compress a wheel's members and keep that. Raises `OSError`, `zlib.error`."""
    if os.path.lexists(streams):
        log.warning("the store's file %s was damaged and is made again", streams)
    log.info("compressing %s once more", distribution.wheel)
    placed: list[Member] = []
    with _appearing(streams) as file:
        for packed, member in _packed(distribution, recipe):
            placed.append(dataclasses.replace(member, offset=file.tell()))
            file.write(packed)
    rows = [[getattr(member, name) for name in FIELDS] for member in placed]
    notes.write(streams.with_suffix(".json"), {"streams": _digest(streams), "members": rows})
    return dataclasses.replace(distribution, location=str(streams), members=tuple(placed))


def _packed(distribution: Distribution, recipe: Recipe) -> Iterator[tuple[bytes, Member]]:
    """Each member with its shortest stream; zlib works outside of the interpreter's lock."""
    with Path(distribution.location).open("rb") as wheel, ThreadPoolExecutor(os.cpu_count()) as threads:
        for start in range(0, len(distribution.members), AT_ONCE):
            members = distribution.members[start : start + AT_ONCE]
            own = [_read(wheel, member) for member in members]
            yield from threads.map(lambda data, member: _shortest(data, member, recipe), own, members)


def _read(wheel: BinaryIO, member: Member) -> bytes:
    wheel.seek(member.offset)
    return wheel.read(member.packed)


def _shortest(own: bytes, member: Member, recipe: Recipe) -> tuple[bytes, Member]:
    """The shortest of a member's streams; of equal ones the wheel's own."""
    data = zlib.decompress(own, -zlib.MAX_WBITS) if member.method == DEFLATED else own
    choices = ((own, member.method), (recipe.deflated(data), DEFLATED), (data, STORED))
    packed, method = min(choices, key=lambda choice: len(choice[0]))
    digest = hashlib.sha256(packed).hexdigest()
    return packed, dataclasses.replace(member, packed=len(packed), packed_sha256=digest, method=method)


# ---------------------------------------------------------------- on disk


def _load(streams: Path, distribution: Distribution) -> Distribution | None:
    """What was kept, if it is what was written; else None."""

    def read(kept: Mapping[str, Any]) -> Distribution | None:
        if kept["streams"] != _digest(streams):
            return None
        rows = zip(distribution.members, kept["members"], strict=True)
        members = tuple(dataclasses.replace(member, **dict(zip(FIELDS, row, strict=True))) for member, row in rows)
        return dataclasses.replace(distribution, location=str(streams), members=members)

    return notes.load(streams.with_suffix(".json"), read)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextlib.contextmanager
def _appearing(file: Path) -> Iterator[BinaryIO]:
    """A file to write that appears by rename. Raises `OSError`."""
    handle, name = tempfile.mkstemp(dir=file.parent.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as new:
            yield new
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
