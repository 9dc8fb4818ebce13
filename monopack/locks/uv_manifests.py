"""Whether manifests have changed since `uv.lock` was made of them, as `uv lock --check` would find: it keeps what they asked for.

Not compared: the projects' own versions, which index a requirement names, sources with conditions, groups with settings, and what
cannot be read, since it is the lock that says what ships.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from packaging.dependency_groups import resolve_dependency_groups
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from pydantic import AliasChoices, Field

from monopack.locks.pins import Item, Name, holds, redact
from monopack.model import value

SYSTEMS = (
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "aarch64"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
)
PYTHONS = tuple({"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.1"} for minor in range(6, 17))
KINDS = tuple({"implementation_name": kind.lower(), "platform_python_implementation": kind} for kind in ("CPython", "PyPy"))
ENVIRONMENTS = tuple({**system, **python, **kind} for system, python, kind in product(SYSTEMS, PYTHONS, KINDS))


class Edge(Item):
    """A dependency: `version` and `source` are given where the lock has several packages of that name."""

    name: Name
    version: str = ""
    source: dict[str, str] = Field({})
    marker: str = ""
    extra: tuple[Name, ...] = Field((), validation_alias=AliasChoices("extra", "extras"))


class Kept(Edge):
    """A requirement of a manifest, as the lock keeps it."""

    specifier: str = ""
    git: str = ""
    url: str = ""
    path: str = ""
    editable: str = ""
    directory: str = ""
    virtual: str = ""

    @property
    def origin(self) -> tuple[str, ...]:
        """Where it is to come from: a repository with its branch and folder, a URL, this machine, or an index (empty)."""
        if self.git:
            query = parse_qs(urlsplit(self.git).query)
            return redact(self.git.partition("?")[0]), *(
                query.get(name, [""])[0] for name in ("subdirectory", "rev", "tag", "branch")
            )
        local = self.path or self.editable or self.directory or self.virtual
        return ("local",) if local else (redact(self.url.partition("#")[0]),)


class Metadata(Item):
    """What the lock keeps of a project's manifest."""

    requires_dist: tuple[Kept, ...] = ()
    requires_dev: dict[Name, tuple[Kept, ...]] = Field({})


@value()
class Locked:
    """What a lock keeps of manifests: that of the workspace, and by their absolute folders, name and metadata of projects.

    `members` are the names of the workspace's projects, `groups` the dependency groups of a root that is none.
    """

    python: str
    members: frozenset[str]
    constraints: tuple[Kept, ...]
    overrides: tuple[Kept, ...]
    groups: Mapping[str, tuple[Kept, ...]]
    projects: Mapping[Path, tuple[str, Metadata]]


class _Project(Item):
    """`[project]` of a manifest."""

    name: Name = ""
    requires_python: str = ""
    dependencies: tuple[str, ...] = ()
    optional_dependencies: dict[Name, tuple[str, ...]] = Field({})
    dynamic: tuple[str, ...] = ()


class _Workspace(Item):
    """`[tool.uv.workspace]`: folders, as glob patterns."""

    members: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class _Settings(Item):
    """`[tool.uv]` of a manifest."""

    workspace: _Workspace = _Workspace()
    sources: dict[Name, Any] = Field({})
    dev_dependencies: tuple[str, ...] = ()
    constraint_dependencies: tuple[str, ...] = ()
    override_dependencies: tuple[str, ...] = ()
    dependency_groups: dict[Name, Any] = Field({})
    managed: bool = True


class _Tool(Item):
    """`[tool]` of a manifest."""

    uv: _Settings = _Settings()


class _Manifest(Item):
    """A `pyproject.toml`."""

    project: _Project | None = None
    dependency_groups: dict[str, Any] = Field({})
    tool: _Tool = _Tool()


def changed(locked: Locked, folder: Path) -> Iterator[Path]:
    """The manifests, the one in the lock's absolute `folder` first, that ask for something else than when they were locked."""
    file = folder / "pyproject.toml"
    root = _manifest(file)
    if root is None:
        return
    asked = _Asked(sources=root.tool.uv.sources, environments=_environments(locked.python))
    if _differs(partial(_same_workspace, locked, root, folder, asked)):
        yield file
    for place, (name, metadata) in locked.projects.items():
        file = place / "pyproject.toml"
        manifest = _manifest(file)
        if manifest and manifest.project:
            sources = {**(asked.sources if name in locked.members else {}), **manifest.tool.uv.sources}
            if _differs(partial(_same_project, name, metadata, manifest, replace(asked, sources=sources))):
                yield file


def _differs(same: Callable[[], bool]) -> bool:
    """Whether a comparison fails; where a manifest states what is no requirement, there is none."""
    try:
        return not same()
    except (ValueError, ExceptionGroup):  # of a specifier or a marker; of dependency groups
        return False


def _manifest(file: Path) -> _Manifest | None:
    try:
        return _Manifest.model_validate(tomllib.loads(file.read_text("utf-8")))
    except (OSError, ValueError):
        return None


def _members(root: _Manifest, folder: Path) -> list[_Manifest]:
    """The manifests of the workspace."""
    workspace = root.tool.uv.workspace
    inside, outside = (
        {file for text in patterns for file in folder.glob(f"{text}/pyproject.toml".lstrip("/"))}
        for patterns in (workspace.members, workspace.exclude)
    )
    found = map(_manifest, sorted(inside - outside - {folder / "pyproject.toml"}))
    return [root, *(manifest for manifest in found if manifest and manifest.tool.uv.managed)]


def _same_workspace(locked: Locked, root: _Manifest, folder: Path, asked: _Asked) -> bool:
    """Whether a workspace has the same members, Pythons, constraints and overrides as when it was locked."""
    projects = [manifest.project for manifest in _members(root, folder) if manifest.project]
    stated = [project.requires_python for project in projects if project.requires_python]
    settings = root.tool.uv
    return (
        {project.name for project in projects} == locked.members
        and (not stated or _same_python(stated, locked.python))
        and asked.same(asked.kept(settings.constraint_dependencies), locked.constraints)
        and asked.same(asked.kept(settings.override_dependencies), locked.overrides)
        and (root.project is not None or asked.same_groups(root, locked.groups))
    )


def _same_python(stated: Iterable[str], locked: str) -> bool:
    """Whether a lock is for those Pythons that all projects are for; what they leave out with `!=` does not count for uv."""
    sets, kept = [_range(text) for text in stated], _range(locked)
    edges = (each.version.removesuffix(".*") for some in (*sets, kept) for each in some)
    versions = {*edges, *(f"3.{minor}.{patch}" for minor in range(20) for patch in (0, 1))}
    return all(all(_has(each, version) for each in sets) == _has(kept, version) for version in versions)


def _range(text: str) -> SpecifierSet:
    return SpecifierSet(",".join(str(each) for each in SpecifierSet(text) if each.operator != "!="))


def _has(pythons: SpecifierSet, version: str) -> bool:
    return pythons.contains(version, prereleases=True)


def _environments(python: str) -> list[dict[str, str]]:
    """The environments that a lock for some Pythons is for; where it is for one patch alone, all."""
    pythons = SpecifierSet(python)
    return [each for each in ENVIRONMENTS if _has(pythons, each["python_full_version"])] or list(ENVIRONMENTS)


def _same_project(name: str, metadata: Metadata, manifest: _Manifest, asked: _Asked) -> bool:
    """Whether a project asks for the same as when it was locked; what only its build tells is not compared."""
    project = manifest.project or _Project()
    extras = (asked.kept(texts, extra) for extra, texts in project.optional_dependencies.items())
    now = [*asked.kept(project.dependencies), *(kept for some in extras for kept in some)]
    told = {"dependencies", "optional-dependencies"}.isdisjoint(project.dynamic)
    return (
        project.name == name
        and (not told or asked.same(now, metadata.requires_dist))
        and asked.same_groups(manifest, metadata.requires_dev)
    )


@value()
class _Asked:
    """What manifests ask for, with the `sources` that they name for it, and the environments in which markers are compared."""

    sources: Mapping[str, Any]
    environments: Sequence[Mapping[str, str]]

    def kept(self, texts: Iterable[str], extra: str = "") -> list[Kept]:
        """Requirements, those of an extra with its marker, as uv keeps them."""
        return [self.one(Requirement(text), extra) for text in texts]

    def one(self, requirement: Requirement, extra: str) -> Kept:
        name = canonicalize_name(requirement.name)
        conditions = (f"({requirement.marker})" if requirement.marker else "", f"extra == '{extra}'" if extra else "")
        source = self.sources.get(name)
        content = {
            "name": name, "extras": sorted(requirement.extras), "specifier": str(requirement.specifier),
            "marker": " and ".join(filter(None, conditions)),
            **_origin(requirement.url or "", source if isinstance(source, dict) else {}),
        }  # fmt: skip
        return Kept.model_validate(content)

    def same(self, now: Iterable[Kept], then: Iterable[Kept]) -> bool:
        """Whether requirements mean the same, without those whose sources have conditions."""
        return self.meanings(now) == self.meanings(then)

    def meanings(self, requirements: Iterable[Kept]) -> set[object]:
        compared = [each for each in requirements if not _has_conditions(self.sources.get(each.name, {}))]
        markers = {marker: self.meaning(marker) for marker in {each.marker for each in compared}}
        return {
            (each.name, frozenset(each.extra), SpecifierSet(each.specifier), markers[each.marker], each.origin)
            for each in compared
        }

    def meaning(self, marker: str) -> tuple[str, tuple[bool, ...]]:
        """The extra that a marker asks for, and in which environments it then holds: uv writes markers in its own words."""
        named = re.search(r"extra == ['\"]([^'\"]+)", marker)
        extra, parsed = named[1] if named else "", Marker(marker) if marker else None
        return extra, tuple(holds(parsed, environment, (extra,)) for environment in self.environments)

    def same_groups(self, manifest: _Manifest, then: Mapping[str, Collection[Kept]]) -> bool:
        """Whether a manifest's dependency groups are the same, without those that settings change."""
        settings = manifest.tool.uv
        groups = manifest.dependency_groups
        now: dict[str, tuple[str, ...]] = {canonicalize_name(name): resolve_dependency_groups(groups, name) for name in groups}
        now["dev"] = (*now.get("dev", ()), *settings.dev_dependencies)
        names = {*now, *then} - set(settings.dependency_groups)
        return all(self.same(self.kept(now.get(name, ())), then.get(name, ())) for name in names)


def _has_conditions(source: object) -> bool:
    return not isinstance(source, dict) or not {"marker", "extra", "group"}.isdisjoint(source)


def _origin(url: str, source: Mapping[str, Any]) -> dict[str, str]:
    """Where a requirement comes from, by its own URL or what the manifest names for it, as uv keeps that."""
    if "git" in source:
        return {"git": f"{source['git']}?{urlencode({key: source[key] for key in source if key != 'git'})}"}
    if url.startswith("git+"):
        parts = urlsplit(url.removeprefix("git+"))
        path, _, revision = parts.path.partition("@")
        query = {"rev": revision, "subdirectory": parse_qs(parts.fragment).get("subdirectory", [""])[0]}
        return {"git": parts._replace(path=path, fragment="", query=urlencode(query)).geturl()}
    if "path" in source or source.get("workspace") or url.startswith("file:"):
        return {"path": "local"}
    return {"url": source.get("url", url)}
