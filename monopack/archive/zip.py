"""The zip format: a tree's bytes, the same for the same tree, with the wheels' own deflate streams spliced in.

The format is .ZIP's APPNOTE 6.3; the standard library's zipfile cannot write streams that are compressed already.
"""

from __future__ import annotations

import hashlib
import itertools
import stat
import struct
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from monopack.errors import PackError
from monopack.model import Entry, Tree, value

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR64 = struct.Struct("<4sLQL")
VERSION, VERSION64, UNIX = 20, 45, 3 << 8
STORED, DEFLATED, UTF8 = 0, 8, 0x800
MOST_ENTRIES, MOST_BYTES = 0xFFFF, 0xFFFF_FFFE
EARLIEST, LATEST = 315_532_800, 4_354_819_198  # 1980-01-01 00:00:00 and 2107-12-31 23:59:58, UTC
CHUNK = 1 << 20  # bytes copied at a time


class Output(Protocol):
    """Where the archive goes: bytes, one piece after the other."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes."""


@value()
class _Packed:
    """An entry's data as it stands in the archive: `size` bytes (CRC-32 `crc`) as `length` bytes of `method`, to be read once."""

    method: int
    crc: int
    size: int
    length: int
    blocks: Iterable[bytes]


@value()
class Style:
    """How to write: all members dated `epoch` (seconds since 1970, UTC; None: 1980-01-01), and all of them `stored`, or not."""

    epoch: int | None = None
    stored: bool = False


def write(tree: Tree, output: Output, style: Style) -> None:
    """Write the tree as a zip, sorted by UTF-8 bytes.

    Raises `PackError` for a source that is not what the tree says, a name that is not UTF-8, and a zip of 4 GiB or more.
    """
    date = _dos_date(style.epoch)
    directory: list[bytes] = []
    offset = 0
    for entry, packed in _all_packed(sorted(tree.entries, key=_name), stored=style.stored):
        name = _name(entry)
        header = _header(name, packed, date)
        directory.append(_central(entry, name, header, offset))
        output.write(b"PK\3\4" + header + name)
        for block in packed.blocks:
            output.write(block)
        offset += LOCAL.size + len(name) + packed.length
        _limit(offset)
    listing = b"".join(directory)
    _limit(offset + len(listing))
    output.write(listing + _end(len(directory), len(listing), offset))


# ---------------------------------------------------------------- data


def _all_packed(entries: Iterable[Entry], *, stored: bool) -> Iterator[tuple[Entry, _Packed]]:
    """Each entry with its data; neighbours from one wheel are read from it without opening it again."""
    for wheel, group in itertools.groupby(entries, key=lambda entry: entry.location if entry.offset is not None else None):
        if wheel is None:
            yield from ((entry, _whole(entry, stored=stored)) for entry in group)
            continue
        member = _inflated if stored else _spliced
        with _opened(wheel) as file:
            yield from ((entry, member(entry, file)) for entry in group)


def deflated(data: bytes) -> bytes:
    """A raw deflate stream (RFC 1951) of the data, as short as zlib makes it: another build of zlib may give other bytes."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflate.compress(data) + deflate.flush()


def _whole(entry: Entry, *, stored: bool) -> _Packed:
    """A whole file, deflated, or stored when that is asked for or not longer."""
    with _opened(entry.location) as file:
        data = file.read()
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise _changed(entry.location)
    packed = data if stored else deflated(data)
    method, shorter = (DEFLATED, packed) if len(packed) < len(data) else (STORED, data)
    return _Packed(method=method, crc=zlib.crc32(data), size=len(data), length=len(shorter), blocks=(shorter,))


def _spliced(entry: Entry, file: BinaryIO) -> _Packed:
    """A member of a wheel, as it stands there; its digest is checked while it is copied."""
    file.seek(entry.offset or 0)
    blocks = _blocks(file, entry)
    return _Packed(method=entry.method, crc=entry.crc, size=entry.size, length=entry.packed, blocks=blocks)


def _inflated(entry: Entry, file: BinaryIO) -> _Packed:
    """A member of a wheel, not compressed."""
    if entry.method == STORED:
        return _spliced(entry, file)
    file.seek(entry.offset or 0)
    return _Packed(method=STORED, crc=entry.crc, size=entry.size, length=entry.size, blocks=_unpacked(file, entry))


def _unpacked(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    """What a member's deflate stream holds; the stream's digest is checked, so it is the one that was checked when it came in."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for block in _blocks(file, entry):
            rest = block
            while rest:
                yield inflate.decompress(rest, CHUNK)
                rest = inflate.unconsumed_tail
    except zlib.error as problem:
        raise _changed(entry.location) from problem
    yield inflate.flush()


def _blocks(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    left, digest = entry.packed, hashlib.sha256()
    while left:
        block = file.read(min(left, CHUNK))
        if not block:
            raise _changed(entry.location)
        left -= len(block)
        digest.update(block)
        yield block
    if digest.hexdigest() != entry.packed_sha256:
        raise _changed(entry.location)


def _opened(location: str) -> BinaryIO:
    try:
        return Path(location).open("rb")
    except OSError as problem:
        raise PackError(f"cannot be read: {problem.strerror}", where=location, hint="run again") from problem


def _changed(location: str) -> PackError:
    return PackError("changed while it was being packed", where=location, hint="leave the files alone and run again")


# ---------------------------------------------------------------- headers


def _name(entry: Entry) -> bytes:
    try:
        return entry.path.encode("utf-8")
    except UnicodeEncodeError:
        hint = "rename the file, or exclude it"
        raise PackError(f"the file name {entry.path!r} is not UTF-8", where=repr(entry.location), hint=hint) from None


def _header(name: bytes, packed: _Packed, date: tuple[int, int]) -> bytes:
    """What the local header has after its signature, and the directory too."""
    flags = 0 if name.isascii() else UTF8
    fields = (VERSION, flags, packed.method, *date, packed.crc, packed.length, packed.size, len(name), 0)
    return LOCAL.pack(b"", *fields)[4:]


def _central(entry: Entry, name: bytes, header: bytes, offset: int) -> bytes:
    """The entry's record in the directory."""
    *shared, _extra = struct.unpack("<5H3L2H", header)
    mode = (stat.S_IFREG | entry.mode) << 16
    return CENTRAL.pack(b"PK\1\2", UNIX | VERSION, *shared, 0, 0, 0, 0, mode, offset) + name


def _end(count: int, length: int, offset: int) -> bytes:
    """The end of the directory; with the zip64 record only where the number of entries needs it."""
    few = min(count, MOST_ENTRIES)
    end = END.pack(b"PK\5\6", 0, 0, few, few, length, offset, 0)
    if count <= MOST_ENTRIES:
        return end
    record = END64.pack(b"PK\6\6", END64.size - 12, UNIX | VERSION64, VERSION64, 0, 0, count, count, length, offset)
    return record + LOCATOR64.pack(b"PK\6\7", 0, offset + length, 1) + end


def _limit(size: int) -> None:
    if size > MOST_BYTES:
        raise PackError("the zip would be larger than 4 GiB", hint="leave something out: the report names the largest parts")


def _dos_date(epoch: int | None) -> tuple[int, int]:
    """Time and date in MS-DOS format, of an epoch clamped to what it can express."""
    moment = datetime.fromtimestamp(EARLIEST if epoch is None else min(max(epoch, EARLIEST), LATEST), UTC)
    time = moment.hour << 11 | moment.minute << 5 | moment.second // 2
    return time, (moment.year - 1980) << 9 | moment.month << 5 | moment.day
