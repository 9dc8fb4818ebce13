"""ROOM: what the files and folders of a project hold, known by how they look, and read again only when that has changed.

Like the index of git: a file whose size, times and inode are those of its last reading has the bytes that it had then.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterable
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from monopack.passed_over import of_others, passed_over

TICK = 50_000_000  # nanoseconds: two changes that are closer than this may bear the same time stamp
ABSENT = ""  # the digest of what is not there

Look = list[int]  # size in bytes, mtime and ctime in nanoseconds, inode
Listing = list[list[str]]  # the names in a folder with their kinds: `/` is a folder, `@` and its target a link
Known = dict[str, tuple[Look, str]]  # by absolute path; the digest of a file, the JSON of a listing


class Inputs:
    """Digests of files and listings of folders, each looked at once in a run, and kept in a `record` (absolute) between runs."""

    def __init__(self, record: Path) -> None:
        self._record = record
        known = read(record)
        self._files: Known = known.get("files", {})
        self._folders: Known = known.get("folders", {})
        self._now: dict[str, str] = {}
        self._unsettled: set[str] = set()
        self._news = False

    def file(self, path: str) -> str:
        """What a file is (see `identity`) by its absolute path; `ABSENT` where there is none that can be read."""
        if path not in self._now:
            self._now[path] = self._asked(path, self._files, _digest)
        return self._now[path]

    def place(self, path: str) -> str:
        """What a file is, or which names a folder holds, by its absolute path; `ABSENT` where there is nothing."""
        return json.dumps(self._listing(path)) if os.path.isdir(path) else self.file(path)  # noqa: PTH112 - as text

    def project(self, root: str, skip: Iterable[str], telling: tuple[str, ...]) -> str:
        """A digest of the names of all files below `root`, and of the bytes of those whose names end in one of `telling`.

        `root` and `skip` (folders that are passed over) are absolute. Dot-folders, virtual environments and `node_modules` are
        passed over; links are told by where they lead.
        """
        skipped, folders, found = frozenset(skip), [""], sha256()
        for inside in folders:
            listing = self._listing(f"{root}/{inside}" if inside else root)
            if inside and of_others(name for name, _ in listing):
                continue
            for name, kind in listing:
                path = f"{inside}/{name}" if inside else name
                if kind == "/":
                    folders += [path] if f"{root}/{path}" not in skipped else []
                    continue
                digest = self.file(f"{root}/{path}") if name.endswith(telling) else ""
                found.update(f"{path}\0{kind}\0{digest}\n".encode("utf-8", "surrogateescape"))
        return found.hexdigest()

    def keep(self, *, only_asked: bool) -> None:
        """Write the record, if there is news; without what was not asked for if `only_asked`. A disk that refuses costs time."""
        if not self._news:
            return
        kept = [
            {
                path: known
                for path, known in table.items()
                if path not in self._unsettled and (path in self._now or not only_asked)
            }
            for table in (self._files, self._folders)
        ]
        write(self._record, {"files": kept[0], "folders": kept[1]})

    def _listing(self, folder: str) -> Listing:
        if folder not in self._now:
            self._now[folder] = self._asked(folder, self._folders, _listed)
        listing: Listing = json.loads(self._now[folder] or "[]")
        return listing

    def _asked(self, path: str, table: Known, read: Callable[[str], str]) -> str:
        """What a path holds: as the table has it, if it looks the same, else by reading it."""
        try:
            look = _look(os.stat(path))  # noqa: PTH116 - called for thousands of paths
            known = table.get(path)
            if known and known[0] == look:
                return known[1]
            now = time.time_ns()
            told = read(path)
        except OSError:
            self._news = table.pop(path, None) is not None or self._news
            return ABSENT
        table[path] = (look, told)
        self._news = True
        if look[2] > now - TICK:  # it may change once more and look the same
            self._unsettled.add(path)
        return told


def identity(digest: str, *, executable: bool) -> str:
    """What a file is to a build: the digest (hex) of its bytes, and whether it may be executed."""
    return f"{digest}+x" if executable else digest


def write(record: Path, facts: object) -> None:
    """Write a record as JSON below its own digest, whole or not at all: where the disk refuses, there is none."""
    fresh, text = record.with_name(f"{record.name}.{os.getpid()}.tmp"), json.dumps(facts)
    try:
        fresh.write_text(f"{sha256(text.encode()).hexdigest()}\n{text}", "utf-8")
        fresh.replace(record)
    except OSError:
        for path in (fresh, record):
            with contextlib.suppress(OSError):
                path.unlink()


def read(record: Path) -> dict[str, Any]:
    """What a record says; nothing where it is not as it was written."""
    with contextlib.suppress(OSError, ValueError):
        digest, _, text = record.read_text("utf-8").partition("\n")
        if digest == sha256(text.encode()).hexdigest():
            found: dict[str, Any] = json.loads(text)
            return found
    return {}


def _look(seen: os.stat_result) -> Look:
    return [seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino]


def _digest(path: str) -> str:
    with open(path, "rb") as file:  # noqa: PTH123 - called for thousands of files
        digest = file_digest(file, "sha256").hexdigest()
        return identity(digest, executable=bool(os.fstat(file.fileno()).st_mode & stat.S_IXUSR))


def _listed(folder: str) -> str:
    """The names in a folder, sorted, as JSON, without those of folders that are never the project's own."""
    with os.scandir(folder) as entries:
        found = sorted((entry.name, _kind(entry)) for entry in entries)
    return json.dumps([(name, kind) for name, kind in found if not (kind == "/" and passed_over(name))])


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return f"@{os.path.realpath(entry.path)}"
    return "/" if entry.is_dir(follow_symlinks=False) else ""
