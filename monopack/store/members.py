"""The members of one .whl: which are safe, where their bytes lie, and what their digests are.

The format is .ZIP's APPNOTE 6.3 and the recommendations of the binary distribution format (PEP 427).
"""

from __future__ import annotations

import hashlib
import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from monopack import elf
from monopack.model import Native, value

CHUNK = 64 * 1024  # packed bytes inflated at a time: at most 66 MB of output
BOMB_RATIO, BOMB_SIZE = 100, 100_000_000
LOCAL_HEADER = struct.Struct("<4s5H3L2H")
SHARED_INIT = re.compile(rb"extend_path\(\s*__path__|declare_namespace\(\s*__name__")


class UnsoundError(Exception):
    """The wheel is refused; the message says why, to be read after the wheel's file name."""


@value()
class Content:
    """What reading a member to its end gave.

    `offset` is where its data starts in the .whl, `sha256` is hex, `packed_sha256` that of its data as it lies there,
    `recorded` its digest by the algorithm that was asked for, and `shared_init` says that it is an `__init__.py` which shares
    its package with other distributions (pkgutil, pkg_resources). `native` is what a compiled file asks for.
    """

    info: zipfile.ZipInfo
    offset: int
    sha256: str
    packed_sha256: str
    recorded: bytes
    shared_init: bool
    native: Native | None


def files(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The members that are files, by name, of an archive of `size` bytes.

    Raises `UnsoundError` for an unsafe or duplicate member and for an archive that unpacks to far more than it is.
    """
    found: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        _check(info)
        if info.filename in found:
            raise UnsoundError(f"holds {info.filename!r} twice")
        if not info.is_dir():
            found[info.filename] = info
    unpacked = sum(info.file_size for info in found.values())
    if unpacked > BOMB_SIZE and unpacked > BOMB_RATIO * size:
        raise UnsoundError(f"unpacks to more than {BOMB_RATIO} times its size ({unpacked} bytes)")
    return found


def _check(info: zipfile.ZipInfo) -> None:
    """Refuse a member that a careless installer would write elsewhere, or that cannot be shipped as it is."""
    name = info.orig_filename
    if name != info.filename or "\\" in name or any(_unsafe(part) for part in name.removesuffix("/").split("/")):
        raise UnsoundError(f"holds a path that leads out of it: {name!r}")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UnsoundError(f"holds a link or a device: {name!r}")
    if info.flag_bits & 1:
        raise UnsoundError(f"holds an encrypted file: {name!r}")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnsoundError(f"holds a file that is neither stored nor deflated: {name!r}")


def _unsafe(part: str) -> bool:
    return part in ("", ".", "..") or re.match(r"[A-Za-z]:", part) is not None


def content(file: BinaryIO, info: zipfile.ZipInfo, algorithm: str) -> Content:
    """Read one member of the .whl open as `file`, hashing it with sha256 and `algorithm` (a name `hashlib` knows).

    Raises `UnsoundError` when its size or CRC-32 is not that of the archive's directory.
    """
    offset = _offset(file, info)
    sha256, packed, recorded = hashlib.sha256(), hashlib.sha256(), hashlib.new(algorithm)
    size, crc, head = 0, 0, b""
    compiled = io.BytesIO() if elf.is_native(info.filename) else None
    for block in _unpacked(file, offset, info, packed.update):
        size, crc, head = size + len(block), zlib.crc32(block, crc), head or block
        sha256.update(block)
        if algorithm != "sha256":
            recorded.update(block)
        if compiled:
            compiled.write(block)
        if size > info.file_size:
            break
    if (size, crc) != (info.file_size, info.CRC):
        raise UnsoundError(f"holds a damaged file: {info.filename!r}")
    digest = sha256.digest() if algorithm == "sha256" else recorded.digest()
    shared = info.filename.endswith("__init__.py") and SHARED_INIT.search(head) is not None
    if compiled:
        compiled.seek(0)
    return Content(
        info=info, offset=offset, sha256=sha256.hexdigest(), packed_sha256=packed.hexdigest(), recorded=digest,
        shared_init=shared, native=elf.read(compiled, info.filename) if compiled else None,
    )  # fmt: skip


def _offset(file: BinaryIO, info: zipfile.ZipInfo) -> int:
    """Where a member's data starts: after its local header, whose name and extra field have lengths of their own."""
    file.seek(info.header_offset)
    signature, *_, name_length, extra_length = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
    if signature != b"PK\3\4":
        raise UnsoundError(f"holds a damaged file: {info.filename!r}")
    return info.header_offset + LOCAL_HEADER.size + int(name_length) + int(extra_length)


def _unpacked(file: BinaryIO, offset: int, info: zipfile.ZipInfo, seen: Callable[[bytes], None]) -> Iterator[bytes]:
    """The member's bytes in blocks; its deflate stream must end exactly where the archive says. `seen` gets the stream."""
    file.seek(offset)
    packed = _blocks(file, info.compress_size, seen)
    if info.compress_type == zipfile.ZIP_STORED:
        yield from packed
        return
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    yield from map(inflate.decompress, packed)
    yield inflate.flush()
    if not inflate.eof or inflate.unused_data:
        raise UnsoundError(f"holds a damaged file: {info.filename!r}")


def _blocks(file: BinaryIO, length: int, seen: Callable[[bytes], None]) -> Iterator[bytes]:
    while length and (block := file.read(min(CHUNK, length))):
        length -= len(block)
        seen(block)
        yield block
