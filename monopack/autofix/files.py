"""A pack's file as it is written and as its change is shown."""

from __future__ import annotations

import contextlib
import difflib
import io
import logging
import os
import stat
import tempfile
from hashlib import sha256
from pathlib import Path

from monopack import block
from monopack.errors import PackError

log = logging.getLogger(__name__)


def read(path: Path, digest: str, root: Path) -> bytes:
    """A file's bytes, if their sha256 (hex) is still `digest`. Raises `PackError` when it is not, or they cannot be read."""
    try:
        found = path.read_bytes()
    except OSError as error:
        raise PackError(f"cannot be read: {error.strerror}", where=_shown(path, root), hint="check its permissions") from None
    if sha256(found).hexdigest() != digest:
        raise _changed(_shown(path, root))
    return found


def save(path: Path, old: bytes, new: bytes, root: Path) -> None:
    """Put `new` in the place of `old` as the bytes of a file, whole or not at all, with the same permissions.

    A link is followed, inside the project `root`. Raises `PackError` when the file lies outside it, does not hold `old` any
    more, is read-only or cannot be written.
    """
    real = path.resolve()
    where = _shown(path, root)
    if not real.is_relative_to(root.resolve()):
        raise PackError("lies outside the project, so it is not edited", where=where, hint="edit it by hand")
    try:
        _refuse(real, old, where)
        if new != old:
            _replace(real, new)
    except OSError as error:
        raise PackError(f"cannot be written: {error.strerror}", where=where, hint="check its permissions") from None


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _refuse(file: Path, old: bytes, where: str) -> None:
    if file.read_bytes() != old:
        raise _changed(where)
    # the superuser may write to every file, so the permission bits count too
    if not file.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(file, os.W_OK):
        raise PackError("is read-only, so it is not edited", where=where, hint="make it writable, or use --no-auto-fix")


def _changed(where: str) -> PackError:
    return PackError("changed since it was read, so it is not edited", where=where, hint="run again")


def _replace(file: Path, new: bytes) -> None:
    """Replace a file's content in one step. Raises `OSError`."""
    status = file.stat()
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as made:
            made.write(new)
            made.flush()
            os.fsync(descriptor)
        with contextlib.suppress(OSError, AttributeError):  # only the superuser may, and only POSIX knows owners
            os.chown(temporary, status.st_uid, status.st_gid)
        temporary.chmod(stat.S_IMODE(status.st_mode))
        temporary.replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    log.debug("wrote %s", file)


def diff(path: str, old: bytes, new: bytes) -> str:
    """The change of a file as a unified diff for people; its bytes are decoded by PEP 263. Empty when there is no change."""
    before, after = (io.StringIO(block.decoded(source)).readlines() for source in (old, new))
    lines = difflib.unified_diff(before, after, fromfile=path, tofile=path)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
