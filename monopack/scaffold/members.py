"""Projects inside the project: the members of its workspace, what it depends on by path, and what holds handlers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from monopack.model import Subproject


def members(projects: Mapping[str, Subproject], code: Collection[str], handlers: Collection[str]) -> tuple[str, ...]:
    """The source roots of projects inside the project, sorted.

    They are those that the manifests in the project's root name as workspace members or by their path, those that hold one of
    the files `handlers`, and those that the manifests of these name in turn. `code` are all files that may hold code.
    """
    found: set[str] = set()
    waiting = {".", *(_holding(path, projects) for path in handlers)}
    while waiting:
        folder = waiting.pop()
        found.add(folder)
        named = {*projects[folder].members, *projects[folder].needs} if folder in projects else set()
        waiting |= (named & projects.keys()) - found
    return tuple(sorted(root for folder in found - {"."} for root in _coded(projects[folder].roots, code)))


def _holding(path: str, projects: Collection[str]) -> str:
    """The innermost project that holds a file."""
    return next((str(folder) for folder in PurePosixPath(path).parents if str(folder) in projects), ".")


def _coded(roots: Collection[str], code: Collection[str]) -> Iterator[str]:
    """The roots in which there is code, and which are no packages themselves."""
    for root in roots:
        if f"{root}/__init__.py" not in code and any(path.startswith(f"{root}/") for path in code):
            yield root
