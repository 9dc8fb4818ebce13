"""Whether compiled files fit a target. Thinks only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from monopack.model import Native, Target


def misfits(natives: Iterable[Native], target: Target) -> Iterator[tuple[Native, str]]:
    """Those compiled files that a target cannot load, each with the reason; none for this machine, which is asked itself."""
    match = re.fullmatch(r"(?P<libc>many|musl)linux_(?P<floor>\d+_\d+)_(?P<machine>\w+)", target.platform)
    if match is None:
        return
    libc, floor, machine = match["libc"], match["floor"].replace("_", "."), match["machine"]
    for native in natives:
        if native.machine != machine:
            yield native, f"is for {native.machine}, not for {machine}"
        elif libc == "musl" and native.glibc:
            yield native, f"needs glibc {native.glibc}, and the target has musl"
        elif libc == "many" and native.musl:
            yield native, f"needs musl, and the target has glibc {floor}"
        elif libc == "many" and _numbers(native.glibc) > _numbers(floor):
            yield native, f"needs glibc {native.glibc}, and the target has {floor}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part)
