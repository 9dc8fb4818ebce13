"""What the lock dialects have in common: reading text, evaluating markers, naming places and indexes, and hiding credentials."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import unquote, urlsplit

from packaging.markers import Marker
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from monopack.errors import LockError
from monopack.model import Evidence, Pin, value

REVISION = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")  # a whole commit id: it names its content
HASH = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")

Name = Annotated[str, AfterValidator(canonicalize_name)]


class Item(BaseModel):
    """A table of a lock: its keys have hyphens where fields have underscores; keys that are not read may be anything."""

    model_config = ConfigDict(frozen=True, alias_generator=lambda field: field.replace("_", "-"), populate_by_name=True)


Table = TypeVar("Table", bound=Item)


@value()
class Choice:
    """What of a lock ships besides the project's own dependencies: some of its extras (None: all), and dependency groups.

    Groups that are not named serve tests only. All names are canonical.
    """

    extras: frozenset[str] | None = None
    groups: frozenset[str] = frozenset()

    def has_extra(self, name: str) -> bool:
        """Whether an extra of the project ships."""
        return self.extras is None or canonicalize_name(name) in self.extras

    def has_group(self, name: str) -> bool:
        """Whether a dependency group ships."""
        return canonicalize_name(name) in self.groups

    def check(self, extras: Iterable[str], groups: Iterable[str], path: str) -> None:
        """Raises `LockError` when a name is not among the `extras` and `groups` that the lock at `path` is about."""
        for option, asked, there in (("extras", self.extras or (), extras), ("groups", self.groups, groups)):
            known = {canonicalize_name(name): name for name in there}
            lost = next((name for name in sorted(asked) if name not in known), "")
            if lost:
                has = ", ".join(sorted(known.values())) or "none"
                hint = f"correct {option} in monopack.toml; there is: {has}" if known else f"leave out {option} in monopack.toml"
                raise LockError(f"has no {option.removesuffix('s')} {lost}", where=path, hint=hint)


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


def toml_of(text: str, path: str, hint: str) -> dict[str, Any]:
    """The values of a TOML text. Raises `LockError` for a syntax error, with its line in `path` and the way out `hint`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        number = line.group(1) if line else str(text.count("\n") + 1)
        message = re.sub(r" \(at .*\)", "", first_line(error))
        place, way_out = f"{path}:{number}", f"is it cut off or half merged? {hint}"
        raise LockError(f"is not TOML: {message}", where=place, hint=way_out) from error


def table_of(kind: type[Table], data: object, path: str, wants: str, hint: str) -> Table:
    """Plain values as a `kind`. Raises `LockError` (`is not WANTS: key: reason`) for values of another shape."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise LockError(f"is not {wants}: {key}: {first['msg']}", where=path, hint=hint) from error


def first_line(error: Exception) -> str:
    """The reason that an exception gives, without its drawings."""
    return str(error).splitlines()[0]


@value()
class Place:
    """Where the lock is: the project's root, the lock's path relative to it, and the line of each package in it."""

    root: Path
    path: str
    lines: list[int]

    @classmethod
    def of(cls, root: Path, path: str, text: str) -> Place:
        """The place of a lock that has this text."""
        return cls(root=root, path=path, lines=package_lines(text))

    @property
    def folder(self) -> Path:
        """The absolute folder of the lock."""
        return (self.root / self.path).parent

    def evidence(self, position: int) -> Evidence:
        """The place of a package."""
        return Evidence(file=self.path, line=self.lines[position] if position < len(self.lines) else 0)


def package_lines(text: str, header: str = "[[package]]") -> list[int]:
    """The line of `name =` in each `[[package]]` of a TOML lock, in the lock's order."""
    found: list[int] = []
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("["):
            inside = line.startswith(header)
        elif inside and line.startswith("name"):
            found.append(number)
    return found


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


def git_url(repository: str, revision: str, subdirectory: str = "") -> str:
    """A Git repository's folder at a revision, as pip writes it: `git+https://...@REVISION#subdirectory=FOLDER`."""
    scp = re.fullmatch(r"([^/@]+@)?([^/:]+):(?!//)(.+)", repository)  # git@git.example:owner/lib.git
    address = f"ssh://{scp[1] or ''}{scp[2]}/{scp[3].lstrip('/')}" if scp else repository
    return f"git+{address.removeprefix('git+')}@{revision}" + (f"#subdirectory={subdirectory}" if subdirectory else "")


def is_fixed(url: str) -> bool:
    """Whether a Git URL names its content for ever: it ends in a whole commit id."""
    return url.startswith("git+") and bool(REVISION.fullmatch(urlsplit(url).path.rpartition("@")[2]))


def refuse_moving(name: str, place: Evidence, relock: str) -> LockError:
    """The refusal of a distribution from Git whose commit the lock does not name."""
    return LockError(f"{name} comes from Git, and no commit is locked for it", where=str(place), hint=relock)


def refuse_source(name: str, kind: str, place: Evidence) -> LockError:
    """The refusal of a distribution that comes from `kind` (`git`)."""
    hint = "publish it as a wheel, or put its code into this repository"
    return LockError(f"{name} comes from {kind}, which is not read yet", where=str(place), hint=hint)


def refuse_twins(pins: Iterable[Pin]) -> None:
    """Refuse two versions of one distribution, which cannot ship together: the extras that ask for them exclude each other."""
    seen: dict[str, Pin] = {}
    for pin in pins:
        if pin.name in seen:
            first = seen[pin.name]
            what = f"{pin.name} is reached as {first.version} and as {pin.version} ({first.evidence})"
            hint = "extras or groups that conflict ask for them: choose with extras and groups in monopack.toml"
            raise LockError(what, where=str(pin.evidence), hint=hint)
        seen[pin.name] = pin


def for_tests_too(pin: Pin, extras: Iterable[str]) -> Pin:
    """A pin that ships, with the extras that development groups ask for besides."""
    return replace(pin, test_extras=frozenset(extras) - pin.extras)


def unguarded(pins: Iterable[Pin]) -> list[str]:
    """The names of the pins whose content neither a hash nor a commit fixes."""
    return sorted(pin.name for pin in pins if not pin.hashes and not is_fixed(pin.url))


def without_hashes(pins: Iterable[Pin], path: str) -> tuple[str, ...]:
    """The one warning line about pins that no hash guards, or nothing."""
    bare = unguarded(pins)
    if not bare:
        return ()
    more = f" and {len(bare) - 3} more" if len(bare) > 3 else ""
    return (f"{path} has no hashes for {', '.join(bare[:3])}{more}: what is fetched for them cannot be checked against it",)


def redact(text: str) -> str:
    """`text` without the user names and passwords of its URLs."""
    return re.sub(r"(?<=://)[^/\s]*@", "", text)
