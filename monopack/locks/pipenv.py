"""The `Pipfile.lock` dialect, pipfile-spec 6: flat lists of pins with markers and hashes, made for one Python on one platform.

Format: written by `pipenv lock`. The category `default` ships, every other one (`develop`) is for tests.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name
from pydantic import ConfigDict, Field

from monopack.errors import LockError
from monopack.locks.pins import (
    HASH,
    Choice,
    Item,
    Name,
    file_url,
    filename_of,
    first_line,
    for_tests_too,
    git_url,
    holds,
    refuse_moving,
    refuse_source,
    shown,
    table_of,
    text_of,
    version_in,
    without_hashes,
)
from monopack.model import Evidence, Lock, Pin, Target, value

SPEC = 6
DEFAULT = "default"
SECTIONS = {"packages": DEFAULT, "dev-packages": "develop"}  # of a Pipfile, whose other sections are called like their categories
RELOCK = "run `pipenv lock` again"
VERSION_CONTROL = ("hg", "svn", "bzr")
NO_CATEGORY = ("source", "packages", "dev-packages", "requires", "scripts", "pipfile", "pipenv", "default", "develop")


class _Entry(Item):
    """What is locked for one name: a version on an index, a file, or a folder of first-party code."""

    version: str = ""
    hashes: tuple[str, ...] = ()
    markers: str = ""
    extras: tuple[Name, ...] = ()
    index: str = ""
    path: str = ""
    file: str = ""
    git: str = ""
    hg: str = ""
    svn: str = ""
    bzr: str = ""
    ref: str = ""
    subdirectory: str = ""

    @property
    def exact(self) -> str:
        """The one version, or nothing: Pipenv writes `*` for what it could not find on its own platform."""
        found = re.fullmatch(r"===?\s*([^\s,*]+)", self.version)
        return found[1] if found else ""


class _Index(Item):
    """One of `_meta.sources`."""

    name: str = ""
    url: str
    verify_ssl: bool = Field(True, validation_alias="verify_ssl")


class _Hash(Item):
    """The digest of the Pipfile that was locked."""

    sha256: str = ""


class _Requires(Item):
    """The Python that the Pipfile asks for: `3.12`, or `3.12.1`."""

    python_version: str = Field("", validation_alias="python_version")
    python_full_version: str = Field("", validation_alias="python_full_version")


class _Meta(Item):
    """About the lock."""

    hash: _Hash = _Hash()
    requires: _Requires = _Requires()
    sources: tuple[_Index, ...] = ()


class _Document(Item):
    """A whole `Pipfile.lock`: all keys but `_meta` are categories."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, dict[Name, _Entry]] = Field(init=False)

    meta: _Meta = Field(_Meta(), validation_alias="_meta")

    def categories(self) -> list[tuple[str, Mapping[str, _Entry]]]:
        """The categories, the default one first."""
        return sorted(self.__pydantic_extra__.items(), key=lambda item: item[0] != DEFAULT)


def read(root: Path, path: str, target: Target, choice: Choice) -> Lock:
    """The pins of the `Pipfile.lock` at `path` (relative to the absolute `root`) that hold for `target`.

    Raises `LockError` for a file that is not such a lock, and for what is not read yet.
    """
    text = text_of(root, path)
    document = _document(text, path)
    beside = PurePosixPath(path).with_name("Pipfile").as_posix()
    pipfile = _pipfile(root / beside)
    reader = _Reader(
        document=document, root=root, path=path, lines=_lines(text), stated=_stated(pipfile, target), choice=choice
    )  # fmt: skip
    choice.check((), (category for category, _ in document.categories() if category != DEFAULT), path)
    try:
        found, unpinned = reader.pins(target)
    except ValueError as error:  # a marker
        raise LockError(f"is not what pipenv writes: {first_line(error)}", where=path, hint=RELOCK) from error
    pins = reader.indexed(found)
    stale = _stale(document.meta.hash.sha256, pipfile, path, beside)
    return Lock(
        dialect="pipenv", path=path, pins=pins, local=reader.folders(target), index_options=reader.trusted(pins),
        stale="".join(stale), indexes={source.url: source.name for source in document.meta.sources},
        warnings=(*stale, *_other_python(document.meta.requires, path, target), *unpinned, *without_hashes(pins.values(), path)),
        files=(str(root / beside),),
    )  # fmt: skip


def _document(text: str, path: str) -> _Document:
    """The lock's text as values, or a `LockError` with the place."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        hint = f"is it cut off or half merged? {RELOCK}"
        raise LockError(f"is not JSON: {error.msg}", where=f"{path}:{error.lineno}", hint=hint) from error
    meta = data.get("_meta") if isinstance(data, dict) else None
    spec = meta.get("pipfile-spec") if isinstance(meta, dict) else None
    if spec != SPEC:
        hint = "use a pipenv that writes it, or a newer monopack"
        raise LockError(f"pipfile-spec {spec} is not known, only {SPEC}", where=path, hint=hint)
    return table_of(_Document, data, path, "what pipenv writes", RELOCK)


def _pipfile(file: Path) -> Mapping[str, Any]:
    """What the Pipfile says; nothing where it cannot be read, since it is the lock that says what ships."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _stated(pipfile: Mapping[str, Any], target: Target) -> dict[tuple[str, str], str]:
    """The markers that the Pipfile itself states, by category and canonical name."""
    return {
        (SECTIONS.get(section, section), canonicalize_name(name)): _marker(entry, target)
        for section, entries in pipfile.items()
        for name, entry in (entries.items() if isinstance(entries, dict) else ())
        if isinstance(entry, dict)
    }


def _marker(entry: Mapping[str, Any], target: Target) -> str:
    """One entry's marker: Pipfiles may state its parts as keys, such as `sys_platform = "== 'win32'"`."""
    parts = [f"{name} {entry[name]}" for name in target.markers if name in entry]
    return " and ".join(f"({part})" for part in (*parts, entry.get("markers")) if part)


def _lines(text: str) -> dict[tuple[str, str], int]:
    """The line of each name by category, as Pipenv indents them."""
    found: dict[tuple[str, str], int] = {}
    category = ""
    for number, line in enumerate(text.splitlines(), 1):
        key = re.match(r'( {4}| {8})"([^"]+)": \{', line)
        if key and len(key[1]) == 4:
            category = key[2]
        elif key:
            found.setdefault((category, canonicalize_name(key[2])), number)
    return found


@value()
class _Reader:
    """A lock with its place: the project's absolute root and the lock's path relative to it; and what of it may ship.

    By category and name: the lines of its entries, and the markers that the Pipfile states for them.
    """

    document: _Document
    root: Path
    path: str
    lines: Mapping[tuple[str, str], int]
    stated: Mapping[tuple[str, str], str]
    choice: Choice

    @property
    def folder(self) -> Path:
        """The absolute folder of the lock."""
        return (self.root / self.path).parent

    def ships(self, category: str) -> bool:
        """Whether a category ships."""
        return category == DEFAULT or self.choice.has_group(category)

    def folders(self, target: Target) -> dict[str, str]:
        """The folders of first-party projects, by name."""
        entries = [(name, entry) for _, name, entry in self.holding(target) if self.local(entry)]
        return {name: shown(self.root, self.folder / entry.path) for name, entry in entries}

    def pins(self, target: Target) -> tuple[dict[str, tuple[Pin, _Entry]], tuple[str, ...]]:
        """The pins that hold for `target`, by name, with their entries; and a warning for each entry without a version."""
        found: dict[str, tuple[Pin, _Entry]] = {}
        warnings: dict[str, str] = {}
        for category, name, entry in self.holding(target):
            if self.local(entry):
                continue
            pin = self.pin(category, name, entry)
            if pin is None:
                what = f"{self.path} has no version for {name}, which the target needs: it was locked on another platform"
                warnings[name] = f"{what}; {RELOCK} there, or pin it in the Pipfile"
            elif name not in found:
                found[name] = pin, entry
            elif pin.development and not found[name][0].development:
                found[name] = for_tests_too(found[name][0], pin.extras), found[name][1]
            elif not pin.development:
                found[name] = replace(found[name][0], extras=found[name][0].extras | pin.extras), found[name][1]
        return found, tuple(warnings[name] for name in warnings if name not in found)

    def holding(self, target: Target) -> Iterator[tuple[str, str, _Entry]]:
        """Category, name and entry of what holds for `target`; what ships comes first."""
        for category, entries in sorted(self.document.categories(), key=lambda item: not self.ships(item[0])):
            for name, entry in entries.items():
                if holds(self.marker(category, name, entry), target.markers):
                    yield category, name, entry

    def marker(self, category: str, name: str, entry: _Entry) -> str:
        """The marker of an entry. For what it did not find on its own platform, Pipenv leaves out that of the Pipfile."""
        return entry.markers or ("" if entry.exact else self.stated.get((category, name), ""))

    @staticmethod
    def local(entry: _Entry) -> bool:
        """Whether an entry is a first-party folder."""
        if not entry.path:
            return False
        try:
            version_in(filename_of(entry.path))
        except ValueError:
            return True
        return False

    def pin(self, category: str, name: str, entry: _Entry) -> Pin | None:
        """An entry as a pin; None when it has no version."""
        place = Evidence(file=self.path, line=self.lines.get((category, name), 0))
        kind = next((kind for kind in VERSION_CONTROL if getattr(entry, kind)), "")
        if kind:
            raise refuse_source(name, kind, place)
        url = self.url(name, entry, place)
        version = _version_of(url) if url else entry.exact
        if not version and not url:
            return None
        return Pin(
            name=name, version=version, evidence=place, extras=frozenset(entry.extras), url=url,
            hashes=frozenset(digest for digest in entry.hashes if HASH.fullmatch(digest)), development=not self.ships(category),
        )  # fmt: skip

    def url(self, name: str, entry: _Entry, place: Evidence) -> str:
        """The one address of an entry: its repository or its file; empty where an index is to be asked."""
        if entry.git and not entry.ref:
            raise refuse_moving(name, place, RELOCK)
        if entry.git:
            return git_url(entry.git, entry.ref, entry.subdirectory)
        return file_url(self.folder, entry.path) if entry.path else entry.file

    def indexed(self, found: Mapping[str, tuple[Pin, _Entry]]) -> dict[str, Pin]:
        """The pins with the source that each comes from; an entry that names none comes from the first."""
        sources = {source.name: source.url for source in self.document.meta.sources}
        first = next(iter(sources), "")
        pins: dict[str, Pin] = {}
        for name, (pin, entry) in found.items():
            index = "" if pin.url else entry.index or first
            if index and index not in sources:
                what = f"{name} comes from the source {index}, which is not among those of the lock"
                raise LockError(what, where=str(pin.evidence), hint=RELOCK)
            pins[name] = replace(pin, index=sources.get(index, ""))
        return pins

    def trusted(self, pins: Mapping[str, Pin]) -> tuple[str, ...]:
        """pip's options for the sources in use whose certificates are not to be checked."""
        used = {pin.index for pin in pins.values()}
        unchecked = (source.url for source in self.document.meta.sources if not source.verify_ssl and source.url in used)
        return tuple(f"--trusted-host={urlsplit(url).netloc.rpartition('@')[2]}" for url in unchecked)


def _version_of(url: str) -> str:
    """The version that a file's name tells, or nothing."""
    try:
        return version_in(filename_of(url))
    except ValueError:
        return ""


# ---------------------------------------------------------------- what a lock may be too old for


def _other_python(requires: _Requires, path: str, target: Target) -> tuple[str, ...]:
    """The warning about a lock that was made for another Python: Pipenv locks only what its own Python needs."""
    wanted = requires.python_full_version or requires.python_version
    if not wanted or f"{target.version}.".startswith(f"{wanted}."):
        return ()
    return (f"{path} was locked for Python {wanted}, not for {target.version} (target {target.name}): pins may be missing",)


def _stale(stated: str, pipfile: Mapping[str, Any], path: str, beside: str) -> tuple[str, ...]:
    """The warning about a Pipfile that changed since it was locked, or nothing."""
    if "source" not in pipfile or not stated or stated in _pipfile_hashes(pipfile):  # the default source depends on the machine
        return ()
    return (f"{path} is older than what {beside} asks for now: {RELOCK}",)


def _pipfile_hashes(pipfile: Mapping[str, Any]) -> tuple[str, str]:
    """What Pipenv writes as `_meta.hash.sha256`: newer ones take canonical names, older ones those of the Pipfile."""
    return _pipfile_hash(pipfile, canonical=True), _pipfile_hash(pipfile, canonical=False)


def _pipfile_hash(pipfile: Mapping[str, Any], *, canonical: bool) -> str:
    def named(key: str) -> Any:
        section = pipfile.get(key, {})
        if not canonical or not isinstance(section, dict):
            return section
        return {canonicalize_name(name): content for name, content in section.items()}

    data = {
        "_meta": {"sources": pipfile["source"], "requires": pipfile.get("requires", {})},
        "default": named("packages"),
        "develop": named("dev-packages"),
        **{key: named(key) for key in pipfile if key not in NO_CATEGORY},
    }
    content = json.dumps(data, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(content.encode()).hexdigest()
