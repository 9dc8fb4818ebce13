"""What a compiled file asks of the machine that loads it: its processor, and the C library whose symbols it wants.

The format: the System V ABI's ELF, and the Linux Standard Base's symbol versions (`.gnu.version_r`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

from monopack.model import Native

MAGIC = b"\x7fELF"
SUFFIX = re.compile(r"\.so(\.[\w.]+)?$")  # `_speedups.so`, `libssl.so.3`
MACHINES = {"x64": "x86_64", "x86": "i686", "AArch64": "aarch64", "ARM": "armv7l", "RISC-V": "riscv64", "IBM S/390": "s390x"}
MOST = 500  # of libraries, and of versions of each: a damaged file may claim any number
VERSION = re.compile(r"GLIBC_(\d+)\.(\d+)")


def is_native(path: str) -> bool:
    """Whether a file is a compiled one of Linux, by its name."""
    return SUFFIX.search(path) is not None


def read(file: BinaryIO, path: str) -> Native | None:
    """What the file, which ships as `path`, asks for; None when it is no ELF file, or a damaged one that nothing could load."""
    if file.read(len(MAGIC)) != MAGIC:
        return None
    from elftools.common.exceptions import ELFError
    from elftools.construct import ConstructError
    from elftools.elf.elffile import ELFFile

    try:
        opened = ELFFile(file)
        return Native(path=path, machine=_machine(opened), glibc=_glibc(opened), musl=_wants_musl(opened))
    except (ELFError, ConstructError, ValueError, KeyError, OverflowError, AssertionError):  # by which damage shows, too
        return None


def _machine(opened: Any) -> str:
    """The processor, as wheel tags call it."""
    name = str(opened.get_machine_arch())
    if name == "64-bit PowerPC":
        return "ppc64le" if opened.little_endian else "ppc64"
    return MACHINES.get(name, name)


def _glibc(opened: Any) -> str:
    """The highest version of glibc that a symbol is wanted of (`2.28`); empty when there is none."""
    found = [(int(match[1]), int(match[2])) for name in _versions(opened) if (match := VERSION.match(name))]
    return "{}.{}".format(*max(found)) if found else ""


def _versions(opened: Any) -> Iterator[str]:
    """The versions of symbols that other libraries have to have."""
    from elftools.elf.gnuversions import GNUVerNeedSection

    for section in opened.iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for _, auxiliaries in islice(section.iter_versions(), MOST):
                yield from (auxiliary.name for auxiliary in islice(auxiliaries, MOST))


def _wants_musl(opened: Any) -> bool:
    """Whether it is linked with musl's libc."""
    from elftools.elf.dynamic import DynamicSection

    tags = (
        tag
        for section in opened.iter_sections()
        if isinstance(section, DynamicSection)
        for tag in islice(section.iter_tags(), MOST)
    )
    return any(tag.entry.d_tag == "DT_NEEDED" and str(getattr(tag, "needed", "")).startswith("libc.musl-") for tag in tags)
