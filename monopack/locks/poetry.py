"""The `poetry.lock` dialect, lock versions 1.1, 2.0 and 2.1: packages with their dependencies; `pyproject.toml` asks for them.

Format: written by `poetry lock`. From 2.1 each package states its groups and its marker. Before, what holds for a target follows
from the roots in `pyproject.toml` and the markers of the edges. Constraints: https://python-poetry.org/docs/dependency-specification/.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from pydantic import BeforeValidator, Field

from monopack.errors import LockError
from monopack.locks.pins import (
    HASH,
    Choice,
    Item,
    Name,
    Place,
    file_url,
    first_line,
    for_tests_too,
    git_url,
    holds,
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
from monopack.model import Lock, Pin, Target, value

VERSIONS = ("1.1", "2.0", "2.1")
STATED = ("2.1",)  # versions in which packages state their groups and markers
MAIN = "main"
RELOCK = "run `poetry lock` again"
CONSTRAINT = re.compile(r"(\^|~=|~|===?|=|!=|<=|>=|<|>)?\s*([^\s,<>=!~^]+)")
HASHED = ("dependencies", "source", "extras", "dev-dependencies")  # keys that count even where they are missing
HASHED_PROJECT = ("requires-python", "dependencies", "optional-dependencies")


def _of_table(given: object) -> object:
    """Dependencies as Poetry writes them, `{name: "^1", other: [{...}, {...}]}`, one after the other."""
    if not isinstance(given, dict):
        return given
    pairs = [(name, one) for name, some in given.items() for one in (some if isinstance(some, list) else [some])]
    return [{"name": name, **(one if isinstance(one, dict) else {"version": one})} for name, one in pairs]


def _of_requirements(given: object) -> object:
    """PEP 508 texts in the same form. What is no text (PEP 735's `include-group`) adds nothing, since every group is read."""
    if not isinstance(given, list):
        return given
    found = [Requirement(text) for text in given if isinstance(text, str)]
    return [
        {"name": need.name, "version": str(need.specifier), "markers": str(need.marker or ""), "extras": sorted(need.extras)}
        for need in found
    ]


class _Edge(Item):
    """A dependency: `version` and `python` are constraints in Poetry's words, `source` the name of an index."""

    name: Name
    version: str = ""
    markers: str = ""
    python: str = ""
    platform: str = ""
    extras: tuple[Name, ...] = ()
    source: str = ""
    url: str = ""
    optional: bool = False


Edges = Annotated[tuple[_Edge, ...], BeforeValidator(_of_table)]
Requirements = Annotated[tuple[_Edge, ...], BeforeValidator(_of_requirements)]


class _File(Item):
    """A file of a package, without its address."""

    file: str = ""
    hash: str = ""

    @property
    def version(self) -> str:
        """The version that the file's name tells, or nothing."""
        try:
            return version_in(self.file)
        except ValueError:
            return ""


class _Source(Item):
    """Where a package comes from: nothing for the default index, `legacy` for another, or `directory`, `file`, `url`, `git`."""

    type: str = ""
    url: str = ""
    reference: str = ""
    resolved_reference: str = Field("", validation_alias="resolved_reference")
    subdirectory: str = ""


class _Package(Item):
    """One `[[package]]`. `markers` is one for all groups, or one for each."""

    name: Name
    version: str
    python_versions: str = ""
    groups: tuple[Name, ...] = ()
    markers: str | dict[Name, str] = ""
    dependencies: Edges = ()
    files: tuple[_File, ...] = ()
    source: _Source = _Source()

    def marker(self, group: str) -> str:
        """The marker under which a group has this package."""
        return self.markers if isinstance(self.markers, str) else self.markers.get(group, "")


class _Metadata(Item):
    """About the lock; `files` of all packages stand here in version 1.1."""

    python_versions: str = ""
    content_hash: str = ""
    files: dict[Name, tuple[_File, ...]] = Field({})

    def files_of(self, package: _Package) -> list[_File]:
        """The files of a package; those of its other versions stand among them."""
        named = self.files.get(package.name, ())
        return [file for file in named if file.version in ("", package.version)]


class _Document(Item):
    """A whole `poetry.lock`."""

    package: tuple[_Package, ...] = ()
    extras: dict[Name, tuple[str, ...]] = Field({})
    metadata: _Metadata


class _Project(Item):
    """PEP 621's table."""

    dependencies: Requirements = ()
    optional_dependencies: dict[Name, Requirements] = Field({})


class _Group(Item):
    """One `[tool.poetry.group.NAME]`."""

    dependencies: Edges = ()


class _Poetry(Item):
    """The table `[tool.poetry]`."""

    dependencies: Edges = ()
    dev_dependencies: Edges = ()
    group: dict[str, _Group] = Field({})


class _Tool(Item):
    """The table `[tool]`."""

    poetry: _Poetry = _Poetry()


class _Manifest(Item):
    """What a `pyproject.toml` asks for."""

    project: _Project = _Project()
    dependency_groups: dict[str, Requirements] = Field({})
    tool: _Tool = _Tool()

    def shipping(self, choice: Choice, optional: Collection[str]) -> tuple[_Edge, ...]:
        """What is asked for to run; an extra may count, since it ships only if it is imported.

        `optional` are the names that the chosen extras of `[tool.poetry]` have.
        """
        extras = (
            edge for extra, edges in self.project.optional_dependencies.items() if choice.has_extra(extra) for edge in edges
        )
        poetry = (edge for edge in self.tool.poetry.dependencies if not edge.optional or edge.name in optional)
        groups = (edge for name, edges in self.groups() if choice.has_group(name) for edge in edges)
        return (*self.project.dependencies, *extras, *poetry, *groups)

    def development(self, choice: Choice) -> tuple[_Edge, ...]:
        """What all groups but the main one and the chosen ones ask for."""
        return tuple(edge for name, edges in self.groups() if not choice.has_group(name) for edge in edges)

    def groups(self) -> Iterator[tuple[str, tuple[_Edge, ...]]]:
        """All groups but the main one, and what they ask for."""
        yield from self.dependency_groups.items()
        yield from ((name, group.dependencies) for name, group in self.tool.poetry.group.items())
        if self.tool.poetry.dev_dependencies:
            yield "dev", self.tool.poetry.dev_dependencies


def read(root: Path, path: str, target: Target, choice: Choice) -> Lock:
    """The pins of the `poetry.lock` at `path` (relative to the absolute `root`) that hold for `target`.

    What the main group and the chosen ones have ships, with the chosen extras; what only other groups have is for tests. The
    `pyproject.toml` beside the lock says what is asked for. Raises `LockError` for files that are not such, that were not made
    for the target, or that ask for what is not read yet.
    """
    text = text_of(root, path)
    document, version = _document(text, path)
    manifest_path = PurePosixPath(path).with_name("pyproject.toml").as_posix()
    manifest = toml_of(text_of(root, manifest_path), manifest_path, "correct it")
    asks = table_of(_Manifest, manifest, manifest_path, "what poetry reads", "`poetry check` tells more")
    place = Place.of(root, path, text)
    asked = _Asked(manifest=asks, choice=choice, extras=document.extras)
    choice.check(*asked.choices(document), path)
    graph = _Graph(document, asked, place, target)
    try:
        graph.check()
        found = graph.pins(stated=version in STATED)
    except ValueError as error:  # a marker, a constraint or a version
        raise LockError(f"is not what poetry writes: {first_line(error)}", where=path, hint=RELOCK) from error
    pins = {pin.name: pin for pin in found.values()}
    stale = _stale(document, manifest, path, manifest_path)
    return Lock(
        dialect="poetry", path=path, pins=pins, local=graph.local(), stale="".join(stale),
        warnings=(*stale, *without_hashes(pins.values(), path)),
        indexes={package.source.url: package.source.reference for package in document.package if package.source.type == "legacy"},
        files=(str(root / manifest_path),),
    )  # fmt: skip


def _document(text: str, path: str) -> tuple[_Document, str]:
    """The lock's text as values and its version, or a `LockError` with the place."""
    data = toml_of(text, path, RELOCK)
    metadata = data.get("metadata")
    version = metadata.get("lock-version") if isinstance(metadata, dict) else None
    if version not in VERSIONS:
        lines = (number for number, line in enumerate(text.splitlines(), 1) if line.startswith("lock-version"))
        hint = "use a poetry that writes one of them, or a newer monopack"
        what = f"lock version {version} is not known, only {', '.join(VERSIONS)}"
        raise LockError(what, where=f"{path}:{next(lines, 1)}", hint=hint)
    return table_of(_Document, data, path, "what poetry writes", RELOCK), version


# ---------------------------------------------------------------- stale locks


def _stale(document: _Document, manifest: Mapping[str, Any], path: str, manifest_path: str) -> tuple[str, ...]:
    """The warning about a manifest that changed since it was locked, or nothing."""
    stated = document.metadata.content_hash
    if not stated or stated in (_content_hash(manifest, groups=True), _content_hash(manifest, groups=False)):
        return ()
    return (f"{path} is older than what {manifest_path} asks for now: {RELOCK}",)


def _content_hash(manifest: Mapping[str, Any], *, groups: bool) -> str:
    """What Poetry writes as `content-hash`; PEP 735's groups count from Poetry 2.3."""
    project = _tables(manifest, "project")
    whole = {
        "project": {key: project[key] for key in HASHED_PROJECT if key in project},
        "dependency-groups": _tables(manifest, "dependency-groups") if groups else {},
    }
    standard = {key: content for key, content in whole.items() if content}
    poetry = _tables(_tables(manifest, "tool"), "poetry")
    own = {key: poetry.get(key) for key in (*HASHED, "group") if key in poetry or (key in HASHED and not standard)}
    content = {**standard, "tool": {"poetry": own}} if standard else own
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _tables(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = table.get(key)
    return found if isinstance(found, dict) else {}


# ---------------------------------------------------------------- constraints


def _allows(constraint: str, version: str, *, python: bool = False) -> bool:
    """Whether a constraint in Poetry's words (`^1.2 || ~3.4`, `>=1,<2`, `*`) has a version in it.

    For a `python` constraint, `3.9` means every 3.9. Raises `ValueError` for what is no constraint or no version.
    """
    parts = re.split(r"\|\|?", constraint)
    sets = [",".join(_specifier(op, text, python) for op, text in CONSTRAINT.findall(part) if text != "*") for part in parts]
    return any(SpecifierSet(text).contains(version, prereleases=True) for text in sets)


def _specifier(operator: str, text: str, python: bool) -> str:
    """One constraint as a PEP 440 specifier."""
    if operator in ("^", "~"):
        return f">={text},<{_ceiling(operator, Version(text).release)}"
    if operator not in ("", "=", "=="):
        return f"{operator}{text}"
    return f"=={text}.*" if python and text.count(".") < 2 and "*" not in text else f"=={text}"


def _ceiling(operator: str, release: tuple[int, ...]) -> str:
    """The first release that `^` or `~` excludes: `^` keeps the first part that is not zero, `~` the first two."""
    first = next((index for index, part in enumerate(release) if part), len(release) - 1)
    kept = first if operator == "^" else min(1, len(release) - 1)
    return ".".join(str(part) for part in (*release[:kept], release[kept] + 1))


# ---------------------------------------------------------------- the graph


@value()
class _Asked:
    """What is asked of a lock: what the manifest says, what of it is chosen, and what each extra adds (as the lock states it)."""

    manifest: _Manifest
    choice: Choice
    extras: Mapping[str, tuple[str, ...]]

    def choices(self, document: _Document) -> tuple[set[str], set[str]]:
        """The extras and the groups that may be chosen."""
        groups = {name for name, _ in self.manifest.groups()} | {
            group for package in document.package for group in package.groups
        }
        return {*self.extras, *self.manifest.project.optional_dependencies}, groups - {MAIN}

    def chosen_extras(self) -> tuple[str, ...]:
        """The extras that may ship, for markers; the first one stands for none."""
        names = {*self.extras, *self.manifest.project.optional_dependencies}
        return ("", *sorted(name for name in names if self.choice.has_extra(name)))

    def shipping(self) -> tuple[_Edge, ...]:
        """What is asked for to run."""
        texts = (text for extra in self.chosen_extras() for text in self.extras.get(extra, ()))
        return self.manifest.shipping(self.choice, {canonicalize_name(re.split(r"[\s\[(<>=!~;]", text)[0]) for text in texts})

    def development(self) -> tuple[_Edge, ...]:
        """What is asked for by tests alone."""
        return self.manifest.development(self.choice)

    def ships(self, group: str) -> bool:
        """Whether a group ships."""
        return group == MAIN or self.choice.has_group(group)


class _Graph:
    """The packages of a lock, seen from one target. Packages are known by their position in the lock."""

    def __init__(self, document: _Document, asked: _Asked, place: Place, target: Target) -> None:
        self.document, self.asked, self.place, self.target = document, asked, place, target
        self.extras = asked.chosen_extras()
        self.by_name: dict[str, list[int]] = {}
        for position, package in enumerate(document.package):
            self.by_name.setdefault(package.name, []).append(position)

    def check(self) -> None:
        """Refuse a lock that was not resolved for the target's Python: its markers would drop pins without a word."""
        python, version = self.document.metadata.python_versions, self.target.version
        if not _allows(python, version, python=True):
            hint = "choose another target or Python, or change the python constraint and lock again"
            what = f"holds for Python {python}, not for {version} (target {self.target.name})"
            raise LockError(what, where=self.place.path, hint=hint)

    def pins(self, *, stated: bool) -> dict[int, Pin]:
        """What ships and what only tests need, in the lock's order; `stated` if the packages themselves say which they are."""
        main, others = (self.in_groups(ship=True), self.in_groups(ship=False)) if stated else ([], [])
        chosen = self.by_name_of((*others, *main)) if stated else self.choose()
        shipping = self.reach(self.asked.shipping(), chosen)
        testing = self.reach(self.asked.development(), chosen)
        if stated:
            shipping = {position: shipping.get(position, set()) for position in main}
            testing = {position: testing.get(position, set()) for position in others}
        found = {
            position: for_tests_too(self.pin(position, shipping[position]), testing.get(position, ()))
            for position in self.foreign(shipping)
        }
        refuse_twins(found.values())
        taken = {pin.name for pin in found.values()}
        for position in self.foreign(testing):
            if self.document.package[position].name not in taken:
                found[position] = self.pin(position, testing[position], development=True)
        return dict(sorted(found.items()))

    def foreign(self, positions: Iterable[int]) -> list[int]:
        """Those packages that are not first-party, in the lock's order."""
        return [position for position in sorted(positions) if self.document.package[position].source.type != "directory"]

    def local(self) -> dict[str, str]:
        """The folders of first-party projects, by name."""
        packages = (package for package in self.document.package if package.source.type == "directory")
        return {package.name: shown(self.place.root, self.place.folder / package.source.url) for package in packages}

    def in_groups(self, *, ship: bool) -> list[int]:
        """The packages that groups which ship have on the target, or those that others have."""
        return [
            position
            for position, package in enumerate(self.document.package)
            if any(self.asked.ships(group) is ship and self.holds(package.marker(group), self.extras) for group in package.groups)
        ]

    def by_name_of(self, positions: Iterable[int]) -> dict[str, int]:
        return {self.document.package[position].name: position for position in positions}

    # ------------------------------------------------ before 2.1: what the roots reach

    def choose(self) -> dict[str, int]:
        """The package that each name means on the target: of several versions, the highest that all edges to it allow."""
        roots = (*self.asked.shipping(), *self.asked.development())
        chosen = {name: self.best(name, ()) for name in self.by_name}
        edges: dict[str, list[_Edge]] = {}
        for _ in self.by_name:  # what is chosen decides which edges there are; one round is enough where forks do not nest
            edges = self.edges(roots, chosen)
            found = {name: self.best(name, edges.get(name, ())) for name in self.by_name}
            if found == chosen:
                break
            chosen = found
        self.check_forks(chosen, edges)
        return chosen

    def best(self, name: str, edges: Iterable[_Edge]) -> int:
        """The package of a name that most edges allow, and of these the highest version."""
        found = self.by_name[name]
        if len(found) == 1:
            return found[0]
        asked = list(edges)

        def rank(position: int) -> tuple[bool, int, Version]:
            package = self.document.package[position]
            fitting = sum(self.fits(edge, package) for edge in asked)
            return _allows(package.python_versions, self.target.version, python=True), fitting, Version(package.version)

        return max(found, key=rank)

    def check_forks(self, chosen: Mapping[str, int], edges: Mapping[str, list[_Edge]]) -> None:
        """Refuse a lock none of whose forks is what all edges ask for. (A name with one version is taken as the lock says.)"""
        for name, asked in edges.items():
            found = self.by_name[name]
            package = self.document.package[chosen[name]]
            wrong = [edge for edge in asked if len(found) > 1 and not self.fits(edge, package)]
            if wrong:
                what = f"has {len(found)} packages for the dependency {name} {wrong[0].version}".rstrip()
                raise LockError(f"{what} on target {self.target.name}, and none fits", where=self.place.path, hint=RELOCK)

    @staticmethod
    def fits(edge: _Edge, package: _Package) -> bool:
        same_source = edge.source in ("", package.source.reference) and edge.url in ("", package.source.url)
        return same_source and _allows(edge.version, package.version)

    def edges(self, roots: Iterable[_Edge], chosen: Mapping[str, int]) -> dict[str, list[_Edge]]:
        """All edges that hold on the target, by the name that they lead to."""
        found: dict[str, list[_Edge]] = {}
        for edge in self.follow(roots, chosen, {}):
            found.setdefault(edge.name, []).append(edge)
        return found

    def reach(self, roots: Iterable[_Edge], chosen: Mapping[str, int]) -> dict[int, set[str]]:
        """The packages that roots lead to when their markers hold, each with the extras asked for."""
        reached: dict[int, set[str]] = {}
        for _ in self.follow(roots, chosen, reached):
            pass
        return reached

    def follow(self, roots: Iterable[_Edge], chosen: Mapping[str, int], reached: dict[int, set[str]]) -> Iterator[_Edge]:
        """Every edge that holds, once for each set of extras; fills `reached`. Poetry does not lock everything (`pip`)."""
        waiting = [(edge, self.extras) for edge in roots]
        while waiting:
            edge, extras = waiting.pop()
            if edge.name not in chosen or not self.edge_holds(edge, extras):
                continue
            yield edge
            position = chosen[edge.name]
            known = reached.get(position)
            if known is None or not known.issuperset(edge.extras):
                asked = reached[position] = {*(known or ()), *edge.extras}
                waiting += [(inner, ("", *sorted(asked))) for inner in self.document.package[position].dependencies]

    def edge_holds(self, edge: _Edge, extras: Iterable[str]) -> bool:
        """Whether a dependency holds on the target where `extras` are asked for of the one that has it."""
        platforms = (
            [text.strip() for text in edge.platform.split("||")] if edge.platform else [self.target.markers["sys_platform"]]
        )
        if self.target.markers["sys_platform"] not in platforms or not _allows(edge.python, self.target.version, python=True):
            return False
        return self.holds(edge.markers, extras)

    def holds(self, marker: str, extras: Iterable[str]) -> bool:
        return holds(marker, self.target.markers, extras)

    # ------------------------------------------------ pins

    def pin(self, position: int, extras: Iterable[str], *, development: bool = False) -> Pin:
        """One package as a pin."""
        package = self.document.package[position]
        evidence = self.place.evidence(position)
        if package.source.type not in ("", "legacy", "file", "url", "git"):
            raise refuse_source(package.name, package.source.type, evidence)
        if package.source.type == "git" and not package.source.resolved_reference:
            raise refuse_moving(package.name, evidence, RELOCK)
        files = package.files or self.document.metadata.files_of(package)
        return Pin(
            name=package.name, version=package.version, evidence=evidence, extras=frozenset(extras), development=development,
            hashes=frozenset(file.hash for file in files if HASH.fullmatch(file.hash)), url=self.url(package.source),
            index=package.source.url if package.source.type == "legacy" else "",
        )  # fmt: skip

    def url(self, source: _Source) -> str:
        """The address of a package that no index serves."""
        if source.type == "git":
            return git_url(source.url, source.resolved_reference, source.subdirectory)
        if source.type == "file":
            return file_url(self.place.folder, source.url)
        return source.url if source.type == "url" else ""
