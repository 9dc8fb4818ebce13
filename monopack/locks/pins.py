"""What the lock dialects have in common: reading text, evaluating markers, naming places, and hiding credentials."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.markers import Marker
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from monopack.errors import LockError
from monopack.model import Pin


def shown(root: Path, path: Path | str) -> str:
    """`path` as messages and evidence name it: relative to `root`, POSIX."""
    return Path(os.path.relpath(path, root)).as_posix()


def text_of(root: Path, path: str) -> str:
    """The text of the file `path` (relative to `root`): UTF-8, with or without a byte order mark.

    Raises `LockError` when it cannot be read or is not UTF-8.
    """
    try:
        return (root / path).read_text("utf-8-sig")
    except OSError as error:
        raise LockError(f"cannot be read: {error.strerror}", where=path, hint="check the path and its permissions") from error
    except UnicodeDecodeError as error:
        hint = "save it as UTF-8 (a `>` in PowerShell may write UTF-16)"
        raise LockError(f"is not UTF-8: byte {error.start} cannot be decoded", where=path, hint=hint) from error


def holds(marker: str | Marker | None, markers: Mapping[str, str], extras: Iterable[str] = ("",)) -> bool:
    """Whether a PEP 508 marker holds in the environment `markers` for one of the `extras`; no marker always holds.

    Raises `packaging.markers.InvalidMarker` for a text that is none.
    """
    if not marker:
        return True
    parsed = Marker(marker) if isinstance(marker, str) else marker
    return any(parsed.evaluate({**markers, "extra": extra}) for extra in extras)


def version_in(filename: str) -> str:
    """The version that the file name of a wheel or an sdist states (PEP 427, PEP 625).

    Raises `ValueError` when the name is neither.
    """
    try:
        if filename.endswith(".whl"):
            return str(parse_wheel_filename(filename)[1])
        return str(parse_sdist_filename(filename)[1])
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise ValueError(str(error)) from error


def filename_of(url: str) -> str:
    """The file name at the end of a URL or path, percent-decoded."""
    return unquote(urlsplit(url).path).rsplit("/", 1)[-1]


def file_url(root: Path, path: str) -> str:
    """The `file:` URL of `path`, taken from the absolute folder `root` when it is relative."""
    return Path(os.path.normpath(root / path)).as_uri()


def without_hashes(pins: Iterable[Pin], path: str) -> tuple[str, ...]:
    """The one warning line about pins that no hash guards, or nothing."""
    bare = sorted(pin.name for pin in pins if not pin.hashes)
    if not bare:
        return ()
    more = f" and {len(bare) - 3} more" if len(bare) > 3 else ""
    return (f"{path} has no hashes for {', '.join(bare[:3])}{more}: what is fetched for them cannot be checked against it",)


def redact(text: str) -> str:
    """`text` without the user names and passwords of its URLs."""
    return re.sub(r"(?<=://)[^/\s]*@", "", text)
