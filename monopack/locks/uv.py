"""The `uv.lock` dialect, version 1: a graph of packages whose edges carry markers and extras.

Format: written by `uv lock`; a revision adds keys that older readers may ignore, a version does not.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from packaging.markers import InvalidMarker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import Field

from monopack.errors import LockError
from monopack.locks.pins import (
    Choice,
    Item,
    Name,
    Place,
    file_url,
    filename_of,
    first_line,
    for_tests_too,
    git_url,
    holds,
    refuse_moving,
    refuse_twins,
    shown,
    table_of,
    text_of,
    toml_of,
    without_hashes,
)
from monopack.locks.uv_manifests import Edge, Kept, Locked, Metadata, changed
from monopack.model import Lock, Pin, Target, WheelFile

VERSION = 1
LOCAL = ("editable", "virtual", "directory")
RELOCK = "run `uv lock` again"


class _File(Item):
    """A wheel or an sdist: at a `url`, at a `path` in a local index, or where the package's source says."""

    url: str = ""
    path: str = ""
    filename: str = ""
    hash: str = ""


class _Package(Item):
    """One `[[package]]`. A `version` is missing where a local project computes its own."""

    name: Name
    version: str = ""
    source: dict[str, str]
    resolution_markers: tuple[str, ...] = ()
    dependencies: tuple[Edge, ...] = ()
    optional_dependencies: dict[Name, tuple[Edge, ...]] = Field({})
    dev_dependencies: dict[Name, tuple[Edge, ...]] = Field({})
    sdist: _File | None = None
    wheels: tuple[_File, ...] = ()
    metadata: Metadata = Metadata()

    @property
    def local(self) -> str | None:
        """The folder of a first-party project, or None for what an index or a URL serves."""
        return next((self.source[kind] for kind in LOCAL if kind in self.source), None)


class _Manifest(Item):
    """What the workspace asks for beside the projects in it."""

    members: tuple[Name, ...] = ()
    requirements: tuple[Edge, ...] = ()
    dependency_groups: dict[Name, tuple[Kept, ...]] = Field({})
    constraints: tuple[Kept, ...] = ()
    overrides: tuple[Kept, ...] = ()


class _Conflict(Item):
    """One side of a declared conflict: an extra or a dependency group of a project."""

    package: Name
    extra: Name = ""
    group: Name = ""

    @property
    def marker_name(self) -> str:
        """The name that uv gives to this choice in `extra ==` markers."""
        kind, name = ("extra", self.extra) if self.extra else ("group", self.group)
        return f"{kind}-{len(self.package)}-{self.package}-{name}"


class _Document(Item):
    """A whole `uv.lock`."""

    requires_python: str = ""
    supported_markers: tuple[str, ...] = ()
    conflicts: tuple[tuple[_Conflict, ...], ...] = ()
    manifest: _Manifest = _Manifest()
    package: tuple[_Package, ...] = ()


def read(root: Path, path: str, target: Target, choice: Choice) -> Lock:
    """The pins of the `uv.lock` at `path` (relative to the absolute `root`) that hold for `target`.

    What the workspace's projects reach by their dependencies and the chosen extras and groups ships; what only other dependency
    groups reach is for tests.
    Raises `LockError` for a file that is not such a lock, was not made for the target, or asks for what is not read yet.
    """
    text = text_of(root, path)
    document = _document(text, path)
    place = Place.of(root, path, text)
    graph = _Graph(document, place, target, choice)
    choice.check(*graph.choices(), path)
    try:
        graph.check()
        pins = graph.pins()
    except (InvalidMarker, InvalidSpecifier) as error:
        raise LockError(f"is not what uv writes: {first_line(error)}", where=path, hint=RELOCK) from error
    indexes = _indexes((root / path).with_name("pyproject.toml"))
    stale = _stale(graph)
    return Lock(
        dialect="uv", path=path, pins=pins, local=graph.local(), indexes=indexes, stale="".join(stale),
        warnings=(*stale, *without_hashes(pins.values(), path)), files=graph.manifests(),
    )  # fmt: skip


def _indexes(manifest: Path) -> dict[str, str]:
    """The names of the indexes in a manifest, by their URLs; none where it cannot be read, since the lock says what ships."""
    try:
        uv = tomllib.loads(manifest.read_text("utf-8")).get("tool", {}).get("uv", {})
        return {index["url"]: index.get("name", "") for index in uv.get("index", ())}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _stale(graph: _Graph) -> tuple[str, ...]:
    """The warning about a manifest that changed since it was locked, or nothing."""
    manifest, packages = graph.document.manifest, graph.document.package
    locked = Locked(
        python=graph.document.requires_python, members=frozenset(member.name for member in graph.members()),
        constraints=manifest.constraints, overrides=manifest.overrides, groups=manifest.dependency_groups,
        projects={graph.folder / item.local: (item.name, item.metadata) for item in packages if item.local is not None},
    )  # fmt: skip
    file = next(changed(locked, graph.folder), None)
    if file is None:
        return ()
    return (f"{graph.path} is older than what {shown(graph.place.root, file)} asks for now: {RELOCK}",)


def _document(text: str, path: str) -> _Document:
    """The lock's text as values, or a `LockError` with the place."""
    data = toml_of(text, path, RELOCK)
    version = data.get("version")
    if version != VERSION:
        hint = "use a uv that writes lock version 1, or a newer monopack"
        raise LockError(f"lock version {version} is not known, only {VERSION}", where=_version_place(text, path), hint=hint)
    return table_of(_Document, data, path, "what uv writes", RELOCK)


def _version_place(text: str, path: str) -> str:
    """Where the lock states its version."""
    numbers = (n for n, line in enumerate(text.splitlines(), 1) if line.startswith("version"))
    return f"{path}:{next(numbers, 1)}"


class _Graph:
    """The packages of a lock, seen from one target. Packages are known by their position in the lock."""

    def __init__(self, document: _Document, place: Place, target: Target, choice: Choice) -> None:
        self.document, self.place, self.target, self.choice = document, place, target, choice
        self.folder, self.path = place.folder, place.path
        self.by_name: dict[str, list[int]] = {}
        for position, package in enumerate(document.package):
            self.by_name.setdefault(package.name, []).append(position)
        self.known: dict[str, bool] = {}
        sides = (side for sides in document.conflicts for side in sides)
        self.extras = ("", *(side.marker_name for side in sides if not side.extra or choice.has_extra(side.extra)))

    def check(self) -> None:
        """Refuse a lock that was not resolved for this target: its markers would drop pins without a word."""
        python, supported = self.document.requires_python, self.document.supported_markers
        version, name = self.target.version, self.target.name
        if python and not SpecifierSet(python).contains(version, prereleases=True):
            hint = "choose another target or Python, or change requires-python and lock again"
            raise LockError(f"holds for Python {python}, not for {version} (target {name})", where=self.path, hint=hint)
        if supported and not any(self.holds(marker) for marker in supported):
            hint = "add the target to [tool.uv] environments and lock again"
            raise LockError(f"was not resolved for target {name}, only for {' or '.join(supported)}", where=self.path, hint=hint)

    def pins(self) -> dict[str, Pin]:
        """What ships and what only tests need, by name, in the lock's order."""
        testing = self.reach(self.development_roots())
        chosen = {
            position: for_tests_too(self.pin(position, extras), testing.get(position, ()))
            for position, extras in self.reach(self.roots()).items()
        }
        refuse_twins(chosen[position] for position in sorted(chosen))
        taken = {pin.name for pin in chosen.values()}
        for position, extras in sorted(testing.items()):
            if self.document.package[position].name not in taken:
                chosen[position] = self.pin(position, extras, development=True)
                taken.add(chosen[position].name)
        return {chosen[position].name: chosen[position] for position in sorted(chosen)}

    def members(self) -> list[_Package]:
        """The projects of the workspace; without a list of them, the one at the lock's own folder."""
        names = self.document.manifest.members
        packages = [package for package in self.document.package if package.local is not None]
        return [package for package in packages if (package.name in names if names else package.local == ".")]

    def local(self) -> dict[str, str]:
        """The folders of first-party projects, by name."""
        folders = {package.name: package.local for package in self.document.package}
        return {name: shown(self.place.root, self.folder / folder) for name, folder in folders.items() if folder is not None}

    def manifests(self) -> tuple[str, ...]:
        """The manifests, there or not, that the lock may be older than."""
        folders = (self.folder / package.local for package in self.document.package if package.local is not None)
        return tuple(str(folder / "pyproject.toml") for folder in (self.folder, *folders))

    def choices(self) -> tuple[set[str], set[str]]:
        """The extras and the dependency groups that may be chosen."""
        return {extra for member in self.members() for extra in member.optional_dependencies}, {name for name, _ in self.groups()}

    def groups(self) -> Iterator[tuple[str, tuple[Edge, ...]]]:
        """The dependency groups of the workspace, and what they ask for."""
        yield from self.document.manifest.dependency_groups.items()
        for member in self.members():
            yield from member.dev_dependencies.items()

    def roots(self) -> Iterator[Edge]:
        """What the workspace asks for to run; an extra of a member may count, since it ships only if it is imported."""
        yield from self.document.manifest.requirements
        for member in self.members():
            yield from member.dependencies
            for extra, edges in member.optional_dependencies.items():
                yield from edges if self.choice.has_extra(extra) else ()
        for name, edges in self.groups():
            yield from edges if self.choice.has_group(name) else ()

    def development_roots(self) -> Iterator[Edge]:
        """What the workspace's dependency groups ask for."""
        for name, edges in self.groups():
            yield from () if self.choice.has_group(name) else edges

    def reach(self, roots: Iterable[Edge]) -> dict[int, set[str]]:
        """The packages that edges lead to when their markers hold, first-party ones left out, each with the extras asked for."""
        reached: dict[int, set[str]] = {}
        waiting = list(roots)
        while waiting:
            edge = waiting.pop()
            if not self.holds(edge.marker):
                continue
            position = self.choose(edge)
            package = self.document.package[position]
            if position not in reached:
                reached[position] = set()
                waiting.extend(package.dependencies)
            for extra in sorted(set(edge.extra) - reached[position]):
                reached[position].add(extra)
                waiting.extend(package.optional_dependencies.get(extra, ()))
        return {position: extras for position, extras in reached.items() if self.document.package[position].local is None}

    def choose(self, edge: Edge) -> int:
        """The one package that an edge means: by name, then by its version and source, then by the fork that holds."""
        found = [position for position in self.by_name.get(edge.name, ()) if self.fits(edge, self.document.package[position])]
        if len(found) > 1:
            found = [position for position in found if self.in_fork(self.document.package[position])]
        if len(found) != 1:
            count = f"{len(found)} packages" if found else "no package"
            wanted = f"{edge.name} {edge.version}".strip()
            raise LockError(f"has {count} for the dependency {wanted} on target {self.target.name}", where=self.path, hint=RELOCK)
        return found[0]

    @staticmethod
    def fits(edge: Edge, package: _Package) -> bool:
        return edge.version in ("", package.version) and (not edge.source or edge.source == package.source)

    def in_fork(self, package: _Package) -> bool:
        return not package.resolution_markers or any(self.holds(marker) for marker in package.resolution_markers)

    def holds(self, marker: str) -> bool:
        """Whether a marker holds for the target, whatever side of a declared conflict is taken."""
        if marker not in self.known:
            self.known[marker] = holds(marker, self.target.markers, self.extras)
        return self.known[marker]

    def pin(self, position: int, extras: Iterable[str], development: bool = False) -> Pin:
        """One package as a pin."""
        package = self.document.package[position]
        evidence = self.place.evidence(position)
        if "git" in package.source and not urlsplit(package.source["git"]).fragment:
            raise refuse_moving(package.name, evidence, RELOCK)
        registry = package.source.get("registry", "")
        files = (*package.wheels, *([package.sdist] if package.sdist else []))
        return Pin(
            name=package.name, version=package.version, evidence=evidence, extras=frozenset(extras), development=development,
            hashes=frozenset(file.hash for file in files if file.hash),
            wheels=tuple(self.wheel(package, file) for file in package.wheels),
            url=self.direct_url(package), index=registry if "://" in registry else "",
            sdist=self.url(package, package.sdist) if package.sdist and package.wheels else "",
        )  # fmt: skip

    def wheel(self, package: _Package, file: _File) -> WheelFile:
        url = self.url(package, file)
        return WheelFile(filename=file.filename or filename_of(url), url=url, hash=file.hash)

    def direct_url(self, package: _Package) -> str:
        """The one address of a package: its own, or that of its sdist; empty when the lock has wheels to choose from."""
        if "git" in package.source:
            return _git_url(package.source["git"])
        if "registry" not in package.source:
            return self.url(package, _File())
        return self.url(package, package.sdist) if package.sdist and not package.wheels else ""

    def url(self, package: _Package, file: _File) -> str:
        """The absolute URL of a file of a package."""
        if file.url or "url" in package.source:
            return file.url or package.source["url"]
        if "path" in package.source:
            return file_url(self.folder, package.source["path"])
        registry = package.source.get("registry", "")
        if "://" in registry:
            return f"{registry.rstrip('/')}/{file.path}"
        return file_url(self.folder / registry, file.path)


def _git_url(source: str) -> str:
    """A Git source, which uv writes as `https://git.example/lib?subdirectory=FOLDER&rev=main#COMMIT`, as pip writes it."""
    parts = urlsplit(source)
    folder = parse_qs(parts.query).get("subdirectory", [""])[0]
    return git_url(source.partition("#")[0].partition("?")[0], parts.fragment, folder)
