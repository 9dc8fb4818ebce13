"""Tiny compiled files, made by hand: an ELF header and the sections that say what a file wants of the machine."""

from __future__ import annotations

import struct
from collections.abc import Sequence

MACHINES = {"x86_64": 62, "aarch64": 183, "riscv64": 243}
STRTAB, DYNAMIC, VERNEED = 3, 6, 0x6FFFFFFE
NEEDED = 1


def elf(machine: str = "x86_64", *, versions: Sequence[str] = (), library: str = "libc.so.6") -> bytes:
    """A shared object for a machine that needs a library, and of it the symbol `versions` (`GLIBC_2.28`)."""
    strings, offsets = b"\0", {}
    for text in (library, *versions):
        offsets[text] = len(strings)
        strings += text.encode() + b"\0"
    names = b"\0.dynstr\0.dynamic\0.gnu.version_r\0.shstrtab\0"
    dynamic = struct.pack("<4Q", NEEDED, offsets[library], 0, 0)
    parts = [(b".dynstr", STRTAB, strings, 0, 0), (b".dynamic", DYNAMIC, dynamic, 1, 16)]
    if versions:
        parts.append((b".gnu.version_r", VERNEED, _needs([offsets[text] for text in versions], offsets[library]), 1, 0))
    parts.append((b".shstrtab", STRTAB, names, 0, 0))
    body, headers = b"", struct.pack("<64x")
    for name, kind, data, link, size in parts:
        info = 1 if kind == VERNEED else 0
        headers += struct.pack("<2I4Q2I2Q", names.index(name), kind, 0, 0, 64 + len(body), len(data), link, info, 1, size)
        body += data
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<2HI3QI6H", 3, MACHINES[machine], 1, 0, 0, 64 + len(body), 0, 64, 56, 0, 64, len(parts) + 1, len(parts))
    return head + body + headers


def _needs(names: Sequence[int], library: int) -> bytes:
    """One entry of needed versions: the library's and the versions' names are offsets of strings."""
    last = len(names) - 1
    versions = (struct.pack("<I2H2I", 0, 0, 2, name, 0 if n == last else 16) for n, name in enumerate(names))
    return struct.pack("<2H3I", 1, len(names), library, 16, 0) + b"".join(versions)
