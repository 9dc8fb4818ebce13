"""ROOM: brings a folder on disk to hold exactly a Tree, and tells what has changed in it since.

What was written is recorded outside the folder, so that unchanged files are left alone and a folder that is not ours is never
touched. A record says `writing` from before the first change until after the last: a folder in that state is written anew.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import shutil
import stat
import time
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from io import RawIOBase
from itertools import groupby
from pathlib import Path
from threading import Lock

from monopack.errors import PackError, disk_words
from monopack.model import Entry, Tree, value

log = logging.getLogger(__name__)

NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
BLOCK = 1 << 16  # bytes read at a time
TICK = 50_000_000  # nanoseconds: two changes that are closer than this may bear the same time stamp

Stats = dict[str, os.stat_result]
Scanned = tuple[Stats, dict[str, int]]


@value()
class Seen:
    """How a folder was found: what differs from its Tree, the time (ns) when that was looked at, and when each file and folder in
    it had last changed (ns, the folder itself under an empty path).
    """

    changes: tuple[str, ...]
    at: int
    changed: Mapping[str, int]


@value()
class _Known:
    """A file as it was written: the digest of its bytes, and its stat afterwards (None: it is still being written)."""

    sha256: str
    stat: tuple[int, ...] | None = None


@value()
class _Record:
    """What is known about a folder: whether its writing came to an end, its files, and the time (ns) when that was noted."""

    complete: bool
    files: Mapping[str, _Known]
    noted_at: int


class Unpacked:
    """What members of wheels hold that several folders get: unpacked and checked once, as much as there is room for (bytes)."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._held: dict[str, Sequence[bytes]] = {}
        self._lock = Lock()

    def of(self, entry: Entry) -> Sequence[bytes] | None:
        """The blocks of an entry, if they are held."""
        return self._held.get(entry.sha256)

    def takes(self, entry: Entry) -> bool:
        """Whether the blocks of an entry are worth holding, and there is room for them."""
        return entry.method != 0 and entry.size <= self._room

    def hold(self, entry: Entry, blocks: Sequence[bytes]) -> None:
        """Hold the blocks of an entry, which were checked."""
        with self._lock:
            if entry.sha256 not in self._held and self.takes(entry):
                self._room -= entry.size
                self._held[entry.sha256] = blocks


def materialize(tree: Tree, folder: Path, record: Path, *, force: bool, unpacked: Unpacked | None = None) -> None:
    """Bring `folder` to hold exactly the entries of `tree`, with modes 0o644 or 0o755; write what is missing, remove the rest.

    `record` is the JSON file that remembers what was written. Both paths are absolute. Every byte is checked against its entry;
    those in `unpacked` were.
    Raises PackError when the folder is a symbolic link, or holds what monopack did not write (with `force` it is replaced),
    when the bytes of an entry are no longer what they were, and when the disk refuses.
    """
    with _refusals(folder):
        known, held = _claim(folder, record, force=force)
        wanted = {entry.path: entry for entry in tree.entries}
        _note(record, {**known.files, **{path: _Known(sha256=entry.sha256) for path, entry in wanted.items()}}, complete=False)
        keep = _keep(wanted, folder, known, held)
        missing = [entry for path, entry in wanted.items() if path not in keep]
        log.debug("%s: %d kept, %d to write", folder, len(keep), len(missing))
        now = keep | _write(missing, folder, unpacked or Unpacked(0))
        _note(record, {path: _Known(sha256=wanted[path].sha256, stat=_print(seen)) for path, seen in now.items()}, complete=True)


def look(tree: Tree, folder: Path, record: Path) -> Seen:
    """What in `folder` differs from `tree` now that code ran there, sorted: paths added, removed, or with other bytes or mode.

    An added folder without files ends in `/`; a file in a folder of its own stands for that folder. Raises PackError when the
    folder cannot be read.
    """
    now = time.time_ns()
    if not os.path.lexists(folder):
        return Seen(changes=tuple(sorted(entry.path for entry in tree.entries)), at=now, changed={})
    with _refusals(folder):
        top = os.lstat(folder).st_ctime_ns
        files, folders = _scan(folder)
        changed = {"": top, **folders, **{path: seen.st_ctime_ns for path, seen in files.items()}}
        return Seen(changes=_changes(tree, folder, record, (files, folders)), at=now, changed=changed)


def _changes(tree: Tree, folder: Path, record: Path, scanned: Scanned) -> tuple[str, ...]:
    known = _read(record) or _Record(complete=False, files={}, noted_at=0)
    files, folders = scanned
    wanted = {entry.path: entry for entry in tree.entries}
    differs = wanted.keys() ^ files.keys()
    differs |= {p for p in wanted.keys() & files.keys() if not _intact(wanted[p], folder, files[p], known)}
    needed = _parents((*wanted, *files))
    empty = {f"{path}/" for path in folders.keys() - needed if not any(inner.startswith(f"{path}/") for inner in folders)}
    return tuple(sorted(differs | empty))


def seal(seen: Seen, tree: Tree, folder: Path, record: Path) -> None:
    """Note when everything in `folder` had last changed as it was `seen`, if it held exactly `tree`, so that `sealed` can answer
    without `tree`. What was new then is looked at once more.

    What has changed just now might change once more at the same time, and is not sealed; a disk that refuses keeps no seal.
    """
    with contextlib.suppress(OSError, PackError):
        settled = seen if _is_settled(seen) else look(tree, folder, record)
        if _is_settled(settled) and not settled.changes:
            times = array("q", settled.changed.values()).tobytes()
            paths = "\0".join(settled.changed).encode("utf-8", "surrogateescape")
            _seal_of(record).write_bytes(b"%d\n" % len(settled.changed) + times + paths)


def _is_settled(seen: Seen) -> bool:
    return max(seen.changed.values(), default=0) < seen.at - TICK


def sealed(folder: Path, record: Path) -> bool:
    """Whether nothing in `folder` was changed, added or removed since it was sealed.

    A program cannot set back the change time of a file, and that of a folder tells of names that come and go.
    """
    try:
        count, _, held = _seal_of(record).read_bytes().partition(b"\n")
        size = 8 * int(count)
        paths, top = held[size:].decode("utf-8", "surrogateescape").split("\0"), f"{folder}/"
        return [os.lstat(top + path).st_ctime_ns for path in paths] == array("q", held[:size]).tolist()
    except (OSError, ValueError):
        return False


def _seal_of(record: Path) -> Path:
    return record.with_suffix(".seal")


def remove(folder: Path, record: Path) -> None:
    """Delete the files that were recorded as written to `folder`, then the folders that are left empty, and the record.

    Files that others put there stay, and the record with them, so that `folder` is still known as monopack's. Nothing is done
    without a record. Raises PackError when the folder is a symbolic link and when the disk refuses.
    """
    with _refusals(folder):
        known = _read(record)
        if known is None:
            return
        _refuse_link(folder)
        if folder.is_dir():
            files, folders = _scan(folder)
            _delete(folder, files.keys() & known.files.keys(), folders)
            _delete_if_empty(folder)
        _seal_of(record).unlink(missing_ok=True)
        if os.path.lexists(folder):
            _note(record, {}, complete=True)
        else:
            record.unlink()


# ---------------------------------------------------------------- whose folder it is


def _claim(folder: Path, record: Path, *, force: bool) -> tuple[_Record, Scanned]:
    """Make sure that the folder exists and is ours to change; give what is known about the files in it, and what is there."""
    _refuse_link(folder)
    known = _read(record)
    nothing: tuple[_Record, Scanned] = _Record(complete=True, files={}, noted_at=0), ({}, {})
    if folder.is_dir():
        held, folders = _scan(folder)
        if not held and not folders:
            return nothing
        whole = known is not None and known.complete and known.files and held
        ours = known is not None and (not whole or not known.files.keys().isdisjoint(held))
        if known is not None and known.complete and ours:
            return known, (held, folders)
        if not ours and not force:
            raise _not_ours(folder)
        _clear(folder)
    elif os.path.lexists(folder):
        if not force:
            raise _not_ours(folder)
        folder.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    return nothing


def _refuse_link(folder: Path) -> None:
    if folder.is_symlink():
        raise PackError("is a symbolic link; nothing is written through it", where=str(folder), hint="remove the link")


def _not_ours(folder: Path) -> PackError:
    hint = "move it away, or let it be replaced with --force"
    return PackError("exists and was not written by monopack", where=str(folder), hint=hint)


def _clear(folder: Path) -> None:
    with os.scandir(folder) as found:
        for item in found:
            if item.is_dir(follow_symlinks=False):
                shutil.rmtree(item.path)
            else:
                Path(item.path).unlink()


# ---------------------------------------------------------------- the record


def _read(record: Path) -> _Record | None:
    """What was recorded, or None when there is nothing that can be read."""
    try:
        with record.open(encoding="utf-8") as file:
            noted_at = os.fstat(file.fileno()).st_ctime_ns
            data = json.load(file)
        files = {
            path: _Known(sha256=sha256, stat=tuple(seen) if seen else None) for path, (sha256, seen) in data["files"].items()
        }
        return _Record(complete=data["state"] == "complete", files=files, noted_at=noted_at)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _note(record: Path, files: Mapping[str, _Known], *, complete: bool) -> None:
    """Write the record, whole or not at all."""
    data = {"state": "complete" if complete else "writing", "files": {path: (k.sha256, k.stat) for path, k in files.items()}}
    record.parent.mkdir(parents=True, exist_ok=True)
    fresh = record.with_name(f"{record.name}.{os.getpid()}.tmp")
    try:
        fresh.write_text(json.dumps(data), encoding="utf-8")
        fresh.replace(record)
    finally:
        fresh.unlink(missing_ok=True)


def _print(seen: os.stat_result) -> tuple[int, ...]:
    """What would differ if a file had been touched: the change time cannot be set back by a program."""
    return (seen.st_size, seen.st_mode, seen.st_mtime_ns, seen.st_ino, seen.st_ctime_ns)


# ---------------------------------------------------------------- the folder


def _scan(folder: Path) -> Scanned:
    """Everything in a folder by relative POSIX path: files and links (not followed) with their stat; folders, outer first, with
    the time (ns) when they had last changed before they were read.
    """
    files: Stats = {}
    folders: dict[str, int] = {}
    waiting = [""]
    for inside in waiting:
        with os.scandir(folder / inside) as found:
            for item in found:
                path = f"{inside}/{item.name}" if inside else item.name
                seen = item.stat(follow_symlinks=False)
                if item.is_dir(follow_symlinks=False):
                    folders[path] = seen.st_ctime_ns
                    waiting.append(path)
                else:
                    files[path] = seen
    return files, folders


def _intact(entry: Entry, folder: Path, seen: os.stat_result, known: _Record) -> bool:
    """Whether a file is what the entry says: by its stat where that settles it, else by its bytes."""
    was = known.files.get(entry.path)
    settled = seen.st_ctime_ns < known.noted_at - TICK
    if was and was.sha256 == entry.sha256 and was.stat == _print(seen) and _plain(entry, seen) and settled:
        return True
    return _plain(entry, seen) and _digest(folder / entry.path) == entry.sha256


def _plain(entry: Entry, seen: os.stat_result) -> bool:
    """A file of the right size and mode that shares its bytes with no other name."""
    return seen.st_mode == stat.S_IFREG | entry.mode and seen.st_size == entry.size and seen.st_nlink == 1


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keep(wanted: Mapping[str, Entry], folder: Path, known: _Record, held: Scanned) -> Stats:
    """Remove what is not wanted or not intact of what the folder held, and make folders for all that is; the files that stay."""
    files, folders = held
    keep = {path: seen for path, seen in files.items() if path in wanted and _intact(wanted[path], folder, seen, known)}
    needed = _parents(wanted)
    _delete(folder, files.keys() - keep.keys(), [path for path in folders if path not in needed])
    for path in sorted(needed - folders.keys()):
        (folder / path).mkdir()
        (folder / path).chmod(0o755)
    return keep


def _parents(paths: Iterable[str]) -> set[str]:
    """All folders that these paths lie in."""
    found: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return found


def _delete(folder: Path, files: Iterable[str], folders: Iterable[str]) -> None:
    """Delete files, then those of the folders (listed outer ones first) that are empty."""
    for path in files:
        (folder / path).unlink()
    for path in sorted(folders, reverse=True):
        _delete_if_empty(folder / path)


def _delete_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


# ---------------------------------------------------------------- bytes


def _write(entries: Iterable[Entry], folder: Path, unpacked: Unpacked) -> Stats:
    """Write entries as new files; each file that they come from is opened once."""
    by_source = sorted(entries, key=lambda entry: (entry.location, entry.offset or 0))
    written: Stats = {}
    for location, group in groupby(by_source, key=lambda entry: entry.location):
        with Path(location).open("rb", buffering=0) as source:
            for entry in group:
                written[entry.path] = _write_one(entry, f"{folder}/{entry.path}", _checked(entry, source, unpacked))
    return written


def _write_one(entry: Entry, path: str, blocks: Iterable[bytes]) -> os.stat_result:
    file = os.open(path, NEW_FILE, entry.mode)  # a file object would cost more than small files themselves
    try:
        os.chmod(path, entry.mode)  # noqa: PTH101 - whatever the umask is
        for block in blocks:
            left = memoryview(block)
            while left:
                left = left[os.write(file, left) :]
        return os.fstat(file)
    finally:
        os.close(file)


def _checked(entry: Entry, source: RawIOBase, unpacked: Unpacked) -> Iterable[bytes]:
    """The unpacked bytes of an entry; raises `PackError` at their end where they are not what it says."""
    return unpacked.of(entry) or _read_and_checked(entry, source, unpacked)


def _read_and_checked(entry: Entry, source: RawIOBase, unpacked: Unpacked) -> Iterator[bytes]:
    digest, size, blocks = hashlib.sha256(), 0, list[bytes]()
    takes = unpacked.takes(entry)
    for block in _blocks(entry, source):
        digest.update(block)
        size += len(block)
        if takes:
            blocks.append(block)
        yield block
    if (digest.hexdigest(), size) != (entry.sha256, entry.size):
        raise _broken(entry)
    unpacked.hold(entry, blocks)


def _blocks(entry: Entry, source: RawIOBase) -> Iterator[bytes]:
    """The unpacked bytes of an entry."""
    source.seek(entry.offset or 0)
    if entry.offset is None:
        yield from iter(partial(source.read, BLOCK), b"")
        return
    inflate = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method else None
    unpack: Callable[[bytes], bytes] = inflate.decompress if inflate else bytes
    left = entry.packed
    try:
        while left and (packed := source.read(min(left, BLOCK))):
            left -= len(packed)
            yield unpack(packed)
    except zlib.error:
        raise _broken(entry) from None


def _broken(entry: Entry) -> PackError:
    if entry.offset is None:
        return PackError("changed while it was being packed", where=entry.location, hint="run monopack again")
    what = f"no longer holds {entry.path} as it was stored"
    return PackError(what, where=entry.location, hint="run monopack again: the store fetches a damaged wheel anew")


@contextlib.contextmanager
def _refusals(folder: Path) -> Iterator[None]:
    """Turn what the operating system refuses into one line with the path."""
    try:
        yield
    except OSError as error:
        what, hint = disk_words(error, "--build-dir")
        raise PackError(what, where=str(error.filename or folder), hint=hint) from error
