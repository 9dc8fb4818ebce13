"""Compiled modules that the packs of a project share, so that each source file is compiled once for all that ship it.

The pool is a flat folder of `<sha256 of the source>.<tag of the interpreter>.pyc`, each of which Python takes as it is (the
unchecked hash-based kind of PEP 552). Before a pack's code runs, the pack's own folder (Python's `pycache_prefix`) holds nothing
but links to what the pool has of its sources; what is compiled then becomes part of the pool.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from threading import get_ident

from monopack.model import value
from monopack.verify.words import Bytecode

CHANGES_WITH_TIME, TAKEN_AS_IT_IS = bytes(4), b"\1\0\0\0"  # the flags of a .pyc, after its magic number


@value()
class Loan:
    """What was in the pool when a pack got its share (names and inodes), and when that was: the time (ns) by the disk's clock."""

    pool: Mapping[str, int]
    since: int


def lend(bytecode: Bytecode, folder: Path) -> Loan | None:
    """Bring the pack's own folder to hold what the pool has for the pack in `folder` (absolute); None where the disk refuses."""
    with contextlib.suppress(OSError):
        return _lent(bytecode, folder)
    return None


def _lent(bytecode: Bytecode, folder: Path) -> Loan:
    own = f"{bytecode.own}{folder}"
    os.makedirs(bytecode.pool, exist_ok=True)  # noqa: PTH103 - as text, like all that is done for thousands of files
    os.makedirs(own, exist_ok=True)  # noqa: PTH103
    with os.scandir(bytecode.pool) as found:
        pool = {item.name: item.inode() for item in found}
    missing = dict(_places(pool, bytecode.sources))
    for path, inode in _files(own):
        if pool.get(missing.get(path, "")) == inode:
            del missing[path]
        else:
            os.unlink(f"{own}/{path}")  # noqa: PTH108
    for parent in {path.rpartition("/")[0] for path in missing}:
        os.makedirs(f"{own}/{parent}", exist_ok=True)  # noqa: PTH103
    for path, name in missing.items():
        _link(f"{bytecode.pool}/{name}", f"{own}/{path}")
    os.utime(own)
    return Loan(pool=pool, since=os.stat(own).st_ctime_ns)  # noqa: PTH116


def adopt(bytecode: Bytecode, folder: Path, loan: Loan, plain: Collection[str]) -> None:
    """Add to the pool what the pack in `folder` compiled since it got the loan, of sources that are as they were then.

    `plain` are the paths of compiled modules that Python has made as it always does: code may bring loaders of its own.
    """
    own, lent = f"{bytecode.own}{folder}", frozenset(loan.pool.values())
    with contextlib.suppress(OSError):  # it is compiled again
        for path, inode in _files(own):
            stem, _, tag = path.removesuffix(".pyc").rpartition(".")
            sha256 = bytecode.sources.get(f"{stem}.py")
            fresh = sha256 and inode not in lent and f"{own}/{path}" in plain and _says_no_encoding(f"{folder}/{stem}.py")
            if sha256 and fresh and os.stat(f"{folder}/{stem}.py").st_ctime_ns <= loan.since:  # noqa: PTH116
                _seal(f"{own}/{path}", bytes.fromhex(sha256))
                name = f"{sha256}.{tag}.pyc"
                if name in loan.pool:  # it was of no use to Python
                    os.unlink(f"{bytecode.pool}/{name}")  # noqa: PTH108
                _link(f"{own}/{path}", f"{bytecode.pool}/{name}")


def _says_no_encoding(source: str) -> bool:
    """Whether the first two lines of a source name no encoding (PEP 263), which code may define."""
    with open(source, "rb") as file:  # noqa: PTH123
        return b"coding" not in file.readline() + file.readline()


def discard(bytecode: Bytecode) -> None:
    """Throw everything away."""
    shutil.rmtree(bytecode.own, ignore_errors=True)
    shutil.rmtree(bytecode.pool, ignore_errors=True)


def _places(pool: Mapping[str, int], sources: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Where Python looks for what the pool has of some sources, below a pack's own folder, with its name in the pool."""
    tags: dict[str, list[str]] = {}
    for name in pool:
        sha256, _, tag = name.removesuffix(".pyc").partition(".")
        if name.endswith(".pyc"):
            tags.setdefault(sha256, []).append(tag)
    for path, sha256 in sources.items():
        for tag in tags.get(sha256, ()):
            yield f"{path.removesuffix('.py')}.{tag}.pyc", f"{sha256}.{tag}.pyc"


def _files(folder: str) -> Iterator[tuple[str, int]]:
    """All files below a folder: their relative POSIX paths and their inodes."""
    folders = [""]
    for inside in folders:
        with os.scandir(f"{folder}/{inside}") as found:
            for item in found:
                if item.is_dir(follow_symlinks=False):
                    folders.append(f"{inside}{item.name}/")
                else:
                    yield f"{inside}{item.name}", item.inode()


def _seal(compiled: str, sha256: bytes) -> None:
    """Let Python take a compiled file as it is, whatever the times of its source."""
    with open(compiled, "r+b") as file:  # noqa: PTH123
        if file.read(8)[4:] == CHANGES_WITH_TIME:
            file.seek(4)
            file.write(TAKEN_AS_IT_IS + sha256[:8])


def _link(compiled: str, place: str) -> None:
    """Give a compiled file another name, if that is free; a copy where there are no links."""
    try:
        os.link(compiled, place)
    except FileExistsError:
        return
    except OSError:
        fresh = f"{place}.{get_ident()}.tmp"
        with contextlib.suppress(OSError):
            shutil.copyfile(compiled, fresh)
            Path(fresh).replace(place)
