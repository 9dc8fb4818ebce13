"""The `pdm.lock` dialect, lock version 4.5: packages with their groups, markers and hashes; `pyproject.toml` names the indexes.

Format: written by `pdm lock`. A package that is asked for with extras has an entry of its own for each set of extras.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from packaging.markers import InvalidMarker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from pydantic import Field

from monopack.errors import LockError
from monopack.locks.pins import (
    HASH,
    Choice,
    Item,
    Name,
    Place,
    file_url,
    filename_of,
    first_line,
    git_url,
    holds,
    redact,
    refuse_moving,
    refuse_source,
    refuse_twins,
    shown,
    table_of,
    text_of,
    toml_of,
    version_in,
    without_hashes,
)
from monopack.model import Lock, Pin, Target, WheelFile

VERSION = "4.5"
MAIN = "default"
RELOCK = "run `pdm lock` again"
SYSTEMS = {"linux": "linux", "manylinux": "linux", "musllinux": "linux", "alpine": "linux", "windows": "win32", "macos": "darwin"}
MACHINES = {"arm64": "aarch64", "amd64": "x86_64"}  # other names of machines that targets and PDM call differently


class _File(Item):
    """A file of a package: its name, or with the strategy `static_urls` its address."""

    file: str = ""
    url: str = ""
    hash: str = ""

    @property
    def name(self) -> str:
        """The file's name."""
        return self.file or filename_of(self.url)


class _Package(Item):
    """One `[[package]]`, or the part of one that some of its extras add."""

    name: Name
    version: str = ""
    extras: tuple[Name, ...] = ()
    groups: tuple[Name, ...] = ()
    marker: str = ""
    files: tuple[_File, ...] = ()
    path: str = ""
    url: str = ""
    git: str = ""
    hg: str = ""
    svn: str = ""
    bzr: str = ""
    revision: str = ""
    subdirectory: str = ""


class _For(Item):
    """One of `metadata.targets`: what the lock was made for; a part that is missing means any."""

    requires_python: str = Field("", validation_alias="requires_python")
    platform: str = ""
    implementation: str = ""

    def means(self, target: Target) -> bool:
        """Whether a target is among what this describes; how new its glibc is does not count, as wheels tell that."""
        implementation = target.markers["platform_python_implementation"].lower()
        python = SpecifierSet(self.requires_python).contains(target.version, prereleases=True)
        return python and self.implementation in ("", "any", implementation) and self.has_platform(target)

    def has_platform(self, target: Target) -> bool:
        """Whether the platform, such as `linux`, `macos_arm64` or `manylinux_2_28_x86_64`, is the target's."""
        if not self.platform:
            return True
        system, _, machine = re.sub(r"(_\d+)+(?=_|$)", "", self.platform, count=1).partition("_")
        machine = machine or ("arm64" if system == "macos" else "x86_64")
        its = target.markers["platform_machine"].lower()
        same_machine = MACHINES.get(machine, machine) == MACHINES.get(its, its)
        return same_machine and SYSTEMS.get(system) == target.markers["sys_platform"]

    def __str__(self) -> str:
        return " ".join(text for text in (self.platform, self.implementation, f"Python {self.requires_python}") if text)


class _Metadata(Item):
    """About the lock."""

    groups: tuple[Name, ...] = (MAIN,)
    strategy: tuple[str, ...] = ()
    content_hash: str = Field("", validation_alias="content_hash")
    targets: tuple[_For, ...] = ()


class _Document(Item):
    """A whole `pdm.lock`."""

    metadata: _Metadata = _Metadata()
    package: tuple[_Package, ...] = ()


class _Source(Item):
    """One `[[tool.pdm.source]]`; the one that is called `pypi` stands for the default index."""

    name: str
    url: str = ""
    type: str = "index"
    verify_ssl: bool = Field(True, validation_alias="verify_ssl")
    include_packages: tuple[str, ...] = Field((), validation_alias="include_packages")
    exclude_packages: tuple[str, ...] = Field((), validation_alias="exclude_packages")


class _Settings(Item):
    """What `[tool.pdm]` says of indexes."""

    source: tuple[_Source, ...] = ()


def read(root: Path, path: str, target: Target, choice: Choice) -> Lock:
    """The pins of the `pdm.lock` at `path` (relative to the absolute `root`) that hold for `target`.

    What the default group and the project's extras have ships, and what the chosen groups have; other groups are for tests.
    Raises `LockError` for a file that is not such a lock, was not made for the target, or asks for what is not read yet.
    """
    text = text_of(root, path)
    document = _document(text, path)
    beside = PurePosixPath(path).with_name("pyproject.toml").as_posix()
    manifest = toml_of(text_of(root, beside), beside, "correct it")
    settings = table_of(_Settings, _table(_table(manifest, "tool"), "pdm"), beside, "what pdm reads", "correct it")
    optional = {canonicalize_name(name) for name in _table(_table(manifest, "project"), "optional-dependencies")}
    groups = set(document.metadata.groups) - {MAIN}
    choice.check(groups & optional, groups - optional, path)
    ships = {MAIN, *filter(choice.has_extra, groups & optional), *filter(choice.has_group, groups - optional)}
    place = Place.of(root, path, text)
    reader = _Reader(document, place, target, ships)
    try:
        reader.check()
        pins, local = reader.pins(groups - optional)
    except (InvalidMarker, InvalidSpecifier) as error:
        raise LockError(f"is not what pdm writes: {first_line(error)}", where=path, hint=RELOCK) from error
    sources, stale = _sources(settings), _stale(document, manifest, root / beside, path)
    pins = _indexed(sources, pins)
    return Lock(
        dialect="pdm", path=path, pins=pins, local=local, index_options=_index_options(sources, pins, path),
        stale="".join(stale), warnings=(*stale, *without_hashes(pins.values(), path)),
        indexes={source.url: source.name for source in sources if source.url},
        files=(str(root / beside),),
    )  # fmt: skip


def _document(text: str, path: str) -> _Document:
    """The lock's text as values, or a `LockError` with the place."""
    data = toml_of(text, path, RELOCK)
    metadata = data.get("metadata")
    version = metadata.get("lock_version") if isinstance(metadata, dict) else None
    if not f"{version}.".startswith(f"{VERSION}."):
        line = next((number for number, line in enumerate(text.splitlines(), 1) if line.startswith("lock_version")), 1)
        hint = f"use a pdm that writes {VERSION} (2.17 or newer), or a newer monopack"
        raise LockError(f"lock version {version} is not known, only {VERSION}", where=f"{path}:{line}", hint=hint)
    document = table_of(_Document, data, path, "what pdm writes", RELOCK)
    if "inherit_metadata" not in document.metadata.strategy:
        hint = "run `pdm lock --strategy inherit_metadata`"
        raise LockError("does not say which groups and markers its packages have", where=path, hint=hint)
    return document


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = table.get(key)
    return found if isinstance(found, dict) else {}


class _Reader:
    """The packages of a lock, seen from one target; `ships` are the groups that ship."""

    def __init__(self, document: _Document, place: Place, target: Target, ships: set[str]) -> None:
        self.document, self.place, self.target, self.ships = document, place, target, ships

    def check(self) -> None:
        """Refuse a lock that was not resolved for this target: its markers would drop pins without a word."""
        targets = self.document.metadata.targets
        if targets and not any(locked.means(self.target) for locked in targets):
            what = f"was not resolved for target {self.target.name} ({self.target}), only for {' or '.join(map(str, targets))}"
            hint = "choose another target or Python, or lock for this one too: `pdm lock --append --platform ... --python ...`"
            raise LockError(what, where=self.place.path, hint=hint)

    def pins(self, development: set[str]) -> tuple[dict[str, Pin], dict[str, str]]:
        """What ships and what only the `development` groups have, by name in the lock's order; and the first-party folders."""
        shipping, testing, local = dict[int, Pin](), dict[int, Pin](), dict[str, str]()
        for position, package in enumerate(self.document.package):
            if not holds(package.marker, self.target.markers) or not {*package.groups} & {*self.ships, *development}:
                continue
            if self.is_local(package):
                local[package.name] = shown(self.place.root, self.place.folder / package.path)
            elif {*package.groups} & self.ships:
                shipping[position] = self.pin(position)
            else:
                testing[position] = self.pin(position, development=True)
        return _united(shipping, testing), local

    @staticmethod
    def is_local(package: _Package) -> bool:
        """Whether a package is a first-party folder."""
        try:
            return bool(package.path) and not version_in(filename_of(package.path))
        except ValueError:
            return True

    def pin(self, position: int, development: bool = False) -> Pin:
        """One package as a pin."""
        package, evidence = self.document.package[position], self.place.evidence(position)
        other = next((kind for kind in ("hg", "svn", "bzr") if getattr(package, kind)), "")
        if other:
            raise refuse_source(package.name, other, evidence)
        if package.git and not package.revision:
            raise refuse_moving(package.name, evidence, "lock it as not editable")
        wheels = (file for file in package.files if file.url and file.name.endswith(".whl") and not package.path)
        return Pin(
            name=package.name, version=package.version, evidence=evidence, extras=frozenset(package.extras),
            hashes=frozenset(file.hash for file in package.files if HASH.fullmatch(file.hash)), development=development,
            wheels=tuple(WheelFile(filename=file.name, url=file.url, hash=file.hash) for file in wheels),
            url=self.direct_url(package), sdist=self.sdist(package),
        )  # fmt: skip

    @staticmethod
    def sdist(package: _Package) -> str:
        """The address of the sdist beside a package's wheels."""
        urls = [file.url for file in package.files if file.url and not package.path]
        has_wheels = any(url.endswith(".whl") for url in urls)
        return next((url for url in urls if has_wheels and not url.endswith(".whl")), "")

    def direct_url(self, package: _Package) -> str:
        """The one address of a package: its repository, its file, or its sdist; empty where others are to be asked."""
        if package.git:
            return git_url(package.git, package.revision, package.subdirectory)
        if package.path:
            return file_url(self.place.folder, package.path)
        only = [file.url for file in package.files] if len(package.files) == 1 else []
        return package.url or next((url for url in only if not url.endswith(".whl")), "")


def _united(shipping: Mapping[int, Pin], testing: Mapping[int, Pin]) -> dict[str, Pin]:
    """One pin for each name, with the extras of all its entries; what ships comes before what is for tests."""
    found: dict[str, tuple[int, Pin]] = {}
    for pins in (shipping, testing):
        for position, pin in pins.items():
            first = found.setdefault(pin.name, (position, pin))
            found[pin.name] = first[0], _with_extras(first[1], pin)
    return {name: pin for name, (_, pin) in sorted(found.items(), key=lambda item: item[1][0])}


def _with_extras(pin: Pin, other: Pin) -> Pin:
    """A pin with the extras of another entry of its name, which count for tests where only that one is for tests."""
    if pin.development == other.development:
        refuse_twins([] if pin.version == other.version else [pin, other])
        return replace(pin, extras=pin.extras | other.extras)
    return replace(pin, test_extras=pin.test_extras | (other.extras - pin.extras))


# ---------------------------------------------------------------- indexes


def _sources(settings: _Settings) -> tuple[_Source, ...]:
    """The sources of the project, `pypi` first: where it is not named, it is the index of pip's settings and has no address."""
    named = any(source.name == "pypi" for source in settings.source)
    sources = settings.source if named else (_Source(name="pypi"), *settings.source)
    return tuple(sorted(sources, key=lambda source: source.name != "pypi"))


def _indexed(sources: Sequence[_Source], pins: Mapping[str, Pin]) -> dict[str, Pin]:
    """The pins, each with the one index that PDM would ask for it, where it is one."""
    found = {name: _asked(sources, pin) for name, pin in pins.items()}
    only = {name: asked[0].url for name, asked in found.items() if len(asked) == 1 and asked[0].type == "index"}
    return {name: replace(pin, index=only.get(name, "")) for name, pin in pins.items()}


def _asked(sources: Sequence[_Source], pin: Pin) -> list[_Source]:
    """The sources that PDM asks for a package: those that include it by name, else those that do not exclude it."""
    if pin.url or pin.wheels:
        return []
    including = [source for source in sources if _matches(pin, source.include_packages)]
    return including or [source for source in sources if not _matches(pin, source.exclude_packages)]


def _matches(pin: Pin, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatch(pin.name, canonicalize_name(pattern)) for pattern in patterns)


def _index_options(sources: Sequence[_Source], pins: Mapping[str, Pin], path: str) -> tuple[str, ...]:
    """pip's options for the indexes that are asked beside each other, since PDM asks them all and locks which files may come.

    Raises `LockError` where there are several and a pin has no hash to tell them apart.
    """
    shared = [pin for pin in pins.values() if not pin.index]
    used = [source for source in sources if any(source in _asked(sources, pin) for pin in shared)]
    bare = next((pin.name for pin in shared if not pin.hashes and _asked(sources, pin)), "")
    if bare and len(used) > 1:
        named = " and ".join(redact(source.url) or "the default index" for source in used)
        what = f"takes distributions from {named}, and {bare} has no hash to tell it from those of other indexes"
        raise LockError(what, where=path, hint="lock again with hashes, or say with include_packages what comes from where")
    indexes = {pin.index for pin in pins.values()}
    unchecked = (source for source in sources if not source.verify_ssl and (source in used or source.url in indexes))
    hosts = (f"--trusted-host={urlsplit(source.url).netloc.rpartition('@')[2]}" for source in unchecked)
    return (*(_option(source) for source in used if source.url), *hosts)


def _option(source: _Source) -> str:
    """pip's option for a source."""
    if source.type == "find_links":
        return f"--find-links={source.url}"
    return f"--index-url={source.url}" if source.name == "pypi" else f"--extra-index-url={source.url}"


# ---------------------------------------------------------------- stale locks


def _stale(document: _Document, manifest: Mapping[str, Any], file: Path, path: str) -> tuple[str, ...]:
    """The warning about a manifest (the values of `file`) that changed since it was locked, or nothing."""
    stated = document.metadata.content_hash.removeprefix("sha256:")
    if not stated or "project" not in manifest or stated == _content_hash(manifest, file.parent):
        return ()
    return (f"{path} is older than what {file.name} asks for now: {RELOCK}",)


def _content_hash(manifest: Mapping[str, Any], folder: Path) -> str:
    """What PDM writes as `content_hash`: the digest of the project's requirements, and those of the members of its workspace."""
    own = _requirements_hash(manifest)
    members = _table(_table(_table(manifest, "tool"), "pdm"), "workspace").get("members")
    if not isinstance(members, list):
        return own
    found = {
        file.parent.relative_to(folder).as_posix(): file for text in members for file in folder.glob(f"{text}/pyproject.toml")
    }
    parts = [part for name, file in sorted(found.items()) for part in (name, _requirements_hash(_values(file)))]
    return hashlib.sha256("\0".join([own, *parts]).encode()).hexdigest()


def _values(file: Path) -> Mapping[str, Any]:
    return toml_of(text_of(file.parent, file.name), file.name, "correct it")


def _requirements_hash(manifest: Mapping[str, Any]) -> str:
    project, settings = _table(manifest, "project"), _table(_table(manifest, "tool"), "pdm")
    development: dict[str, list[Any]] = {}
    for groups in (_table(manifest, "dependency-groups"), _table(settings, "dev-dependencies")):
        for name, texts in groups.items():
            development[canonicalize_name(name)] = [*development.get(canonicalize_name(name), ()), *texts]
    content = {
        "sources": settings.get("source", []),
        "dependencies": project.get("dependencies", []),
        "dev-dependencies": development,
        "optional-dependencies": project.get("optional-dependencies", {}),
        "requires-python": project.get("requires-python", ""),
        "resolution": settings.get("resolution", {}),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
