"""Projects inside the project: where their code is, and which others their manifests name."""

from __future__ import annotations

import logging
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from pathspec import GitIgnoreSpec

from monopack.discover.settings import table, texts, told
from monopack.model import Subproject

log = logging.getLogger(__name__)

MANIFESTS = ("pyproject.toml", "setup.py", "setup.cfg")
# `-e ./libs/x`, `./libs/x[extra] ; marker`, `x @ file:libs/x`, `-e file:///${PROJECT_ROOT}/libs/x#egg=x`
LOCAL = re.compile(
    r"^[ \t]*(-e[ \t]*|--editable[ \t=]+)?(?:[\w.-]+[ \t]*(?:\[[^\]\n]*\])?[ \t]*@[ \t]*)?"
    r"(file:(?:///?\$\{PROJECT_ROOT\}/|//)?)?([^\s;#\[\]@]+)",
    re.MULTILINE,
)


def subproject(root: Path, folder: str) -> Subproject:
    """What the manifests in a folder tell, `.` being the project's own; what cannot be read, or leads out of it, says nothing.

    `root` is absolute, `folder` relative to it.
    """
    manifest = _toml(root / folder / "pyproject.toml")
    sources = table(manifest, "tool", "uv", "sources")
    name = table(manifest, "project").get("name")
    return Subproject(
        roots=_roots(root, folder, told(manifest, _text(root / folder / "setup.cfg"))),
        installed="build-system" in manifest or any((root / folder / file).is_file() for file in MANIFESTS[1:]),
        members=tuple(_members(root, folder, table(manifest, "tool", "uv", "workspace"))),
        needs=tuple(_existing(root, folder, _paths(root / folder, manifest))),
        name=canonicalize_name(name) if isinstance(name, str) else "",
        wants=frozenset(canonicalize_name(each) for each in sources if table(sources, each).get("workspace") is True),
    )


def importable(root: Path) -> dict[str, Subproject]:
    """The project itself as `.`, and by their folders those inside it whose modules its package manager lets others import.

    They are found from the manifests in `root` (absolute): members of a uv workspace and path dependencies, and those of these.
    An application among the members that nobody depends on, and that says nothing about being installed, is none of them.
    """
    found: dict[str, Subproject] = {}
    waiting = ["."]
    for folder in waiting:
        if folder not in found:
            found[folder] = subproject(root, folder)
            waiting += [*found[folder].members, *found[folder].needs]
    needed = {".", *(folder for each in found.values() for folder in each.needs)}
    wanted = frozenset[str]().union(*(each.wants for each in found.values()))
    return {
        folder: each
        for folder, each in found.items()
        if folder in needed or each.installed or each.name in wanted or each.roots != (folder,)
    }


def below(root: Path, path: Path) -> Path | None:
    """A path relative to the root, also where one of them is reached through a link; None when it lies outside."""
    for one, other in ((path, root), (path.resolve(), root.resolve())):
        if one.is_relative_to(other):
            return one.relative_to(other)
    return None


# ---------------------------------------------------------------- where its code is


def _roots(root: Path, folder: str, given: Iterable[str]) -> tuple[str, ...]:
    """The source roots of one project: those that it tells, else `src`, where that can be one, else its own folder."""
    places = [below(root, Path(os.path.normpath(root / folder / each))) for each in given]
    existing = [place.as_posix() for place in places if place is not None and (root / place).is_dir()]
    if existing:
        return tuple(dict.fromkeys(existing))
    return (_below_folder(folder, "src"),) if is_root(root / folder / "src") else (folder,)


def is_root(folder: Path) -> bool:
    """Whether a folder can be a source root, and is no package itself."""
    return folder.is_dir() and not (folder / "__init__.py").exists()


def _below_folder(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


# ---------------------------------------------------------------- which others it names


def _members(root: Path, folder: str, workspace: dict[str, Any]) -> Iterator[str]:
    """The members of a uv workspace, without those that it excludes."""
    gone = GitIgnoreSpec.from_lines([f"/{os.path.normpath(each)}/pyproject.toml" for each in texts(workspace.get("exclude"))])
    for pattern in texts(workspace.get("members")):
        try:
            found = sorted(os.path.relpath(path, root / folder) for path in (root / folder).glob(pattern))
        except (OSError, ValueError, NotImplementedError) as problem:  # such as a null byte, or an absolute path
            log.debug("%s: %s: %s", folder, pattern, problem)
            continue
        yield from _existing(root, folder, [path for path in found if not gone.match_file(f"{path}/pyproject.toml")])


def _paths(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """The paths of other projects that the manifests in a folder may name: uv, Poetry and pipenv all call them `path`."""
    waiting: list[Any] = [manifest, _toml(folder / "Pipfile")]
    for node in waiting:
        if isinstance(node, dict):
            yield from texts(node.get("path"))
            waiting += node.values()
        elif isinstance(node, list):
            yield from _local("\n".join(each for each in texts(node) if "file:" in each))
            waiting += [each for each in node if not isinstance(each, str)]
    yield from _local(_text(folder / "requirements.txt"))


def _local(requirements: str) -> Iterator[str]:
    """The paths among requirements, one on each line."""
    for editable, scheme, path in LOCAL.findall(requirements):
        if editable or scheme or "/" in path:
            yield path


def _existing(root: Path, folder: str, paths: Iterable[str]) -> Iterator[str]:
    """The folders at some paths that hold a project, and may hold source."""
    for path in dict.fromkeys(paths):
        try:
            found = below(root, Path(os.path.normpath(root / folder / path)))
            holds = found is not None and any((root / found / file).is_file() for file in MANIFESTS)
        except (OSError, ValueError):  # such as a null byte in it, or more letters than a name may have
            continue
        if found is not None and holds and not any(part.startswith(".") for part in found.parts):
            yield found.as_posix()


# ---------------------------------------------------------------- reading


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(file))
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        log.debug("%s: %s", file, problem)
        return {}


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig", errors="replace")
    except OSError:
        return ""
