"""The archives: a tree becomes one file of a format, written beside its destination and then published with its digests."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import zlib
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from monopack.archive import zip as zip_format
from monopack.errors import ConfigError, PackError, disk_words
from monopack.model import Artifact, Tree

DIGEST_SUFFIXES: Mapping[str, str] = MappingProxyType({"hex": ".package.sha256", "b64": ".package.sha256.b64"})
FORMATS: Mapping[str, Callable[[Tree, zip_format.Output, zip_format.Style], None]] = MappingProxyType({"zip": zip_format.write})
DEFLATE = f"zlib-{zlib.ZLIB_RUNTIME_VERSION}"  # what the bytes that `deflated` gives depend on
deflated = zip_format.deflated


class _Hashing:
    """A file that knows the sha256 and the size of what was written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes, /) -> None:
        self._file.write(data)
        self.sha256.update(data)
        self.size += len(data)


def write(tree: Tree, destination: Path, date: int | None, *, stored: bool = False) -> Artifact:
    """Write the tree to a temporary file beside `destination` (absolute, its suffix names the format), ready to be published.

    All members are dated `date` (seconds since 1970, UTC; None: 1980-01-01), and none is compressed when they are to be `stored`.
    The artifact's path is the temporary file, which is on the disk when this returns. When this raises, it is gone: `PackError`
    when a source is not what the tree says, when the format cannot hold the tree, and when the file cannot be written.
    """
    _replaceable(destination)
    temporary = _beside(destination)
    with _explained(destination), _removed_on_error([temporary]):
        with temporary.open("wb", buffering=1 << 20) as file:
            output = _Hashing(file)
            FORMATS[destination.suffix.removeprefix(".")](tree, output, zip_format.Style(epoch=date, stored=stored))
            _flush(file)
        return Artifact(path=str(temporary), sha256=output.sha256.hexdigest(), size=output.size)


def publish(artifact: Artifact, destination: Path, digests: Mapping[Path, str], stale: Sequence[Path]) -> Artifact:
    """Put a written artifact in its place, with the files that tell of it; gives the artifact where it is now.

    `digests` are the whole texts (UTF-8) of digest files and manifest, by absolute path in the same folder; `stale` are
    files of earlier runs to remove. Whenever this is killed, the destination is whole, old or new, and no file tells of another
    artifact: the old ones are taken away before the destination is replaced, the new ones appear after. Raises `PackError` when
    a destination is a link or a folder or cannot be written; the temporary files are then gone, and the old artifact is intact.
    """
    temporaries = {path: _beside(path) for path in digests}
    with _explained(destination), _removed_on_error([Path(artifact.path), *temporaries.values()]):
        _replaceable(destination)
        old = {path: _old_content(path) for path in (*digests, *stale)}
        for path, text in digests.items():  # all that needs room on the disk is written before anything is taken away
            _written(temporaries[path], text)
        for path in old:
            path.unlink(missing_ok=True)
        _flush_folder(destination.parent)
        try:
            Path(artifact.path).replace(destination)
        except OSError:
            for path, content in old.items():  # the old artifact is still there, and so is what tells of it
                if content is not None:
                    path.write_bytes(content)
            raise
        for path, temporary in temporaries.items():
            temporary.replace(path)
        _flush_folder(destination.parent)
    return Artifact(path=str(destination), sha256=artifact.sha256, size=artifact.size)


def digest_files(destination: Path, sha256: str, formats: Collection[str]) -> tuple[dict[Path, str], list[Path]]:
    """The digest files of an artifact with their whole texts, and those of the formats that are not asked for.

    `sha256` is hex, `formats` are `hex` (as `sha256sum` prints it) and `b64` (AWS Lambda's `CodeSha256`).
    """
    spelled = {"hex": sha256, "b64": b64encode(bytes.fromhex(sha256)).decode("ascii")}
    paths = {form: destination.with_name(f"{destination.stem}{suffix}") for form, suffix in DIGEST_SUFFIXES.items()}
    wanted = {path: f"{spelled[form]}\n" for form, path in paths.items() if form in formats}
    return wanted, [path for path in paths.values() if path not in wanted]


def epoch(environ: Mapping[str, str]) -> int | None:
    """The date of all members, in seconds since 1970 (https://reproducible-builds.org/specs/source-date-epoch/).

    Raises `ConfigError` when the variable is set to something else.
    """
    given = environ.get("SOURCE_DATE_EPOCH", "").strip()
    if given and not re.fullmatch(r"[0-9]{1,15}", given):
        hint = "set it to whole seconds since 1970"
        raise ConfigError(f"{given!r} is no number of seconds", where="SOURCE_DATE_EPOCH", hint=hint)
    return int(given) if given else None


def _old_content(path: Path) -> bytes | None:
    """What a digest file or manifest holds now (None: there is none). Raises `OSError` when it is no file."""
    return path.read_bytes() if path.exists() else None


def _beside(path: Path) -> Path:
    """The temporary name for a file: in its own folder, so that it can be renamed."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def _replaceable(destination: Path) -> None:
    """Refuse a destination that is not a plain file of ours to replace."""
    if destination.is_symlink():
        raise PackError("is a link, and is not written through", where=str(destination), hint="remove the link")
    if destination.is_dir():
        raise PackError("is a folder where the artifact should be", where=str(destination), hint="move it out of the way")


@contextlib.contextmanager
def _explained(destination: Path) -> Iterator[None]:
    """What the system refuses, as a refusal that names the file."""
    try:
        yield
    except OSError as problem:
        named = str(problem.filename or destination)
        where = str(destination) if named.endswith(".tmp") else named
        what, hint = disk_words(problem, "--build-dir")
        raise PackError(f"cannot be written: {what}", where=where, hint=hint) from problem


@contextlib.contextmanager
def _removed_on_error(temporaries: Sequence[Path]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        for temporary in temporaries:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise


def _written(path: Path, text: str) -> None:
    with path.open("wb") as file:
        file.write(text.encode("utf-8"))
        _flush(file)


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the folder's names survive a power cut, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
