"""Projects inside the project: the members of its workspace, what it depends on by path, and what holds handlers."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from typing import Any

from pathspec import GitIgnoreSpec

from monopack.scaffold.reading import Project, table

MANIFESTS = ("pyproject.toml", "setup.py", "setup.cfg")
LOCAL_LINE = re.compile(r"^(?:-e[ \t]*|--editable[ \t=]+)?([\w./-]+)(?:\[[\w,. -]*\])?[ \t]*(?:[;#].*)?$", re.MULTILINE)


def members(project: Project, code: Collection[str], handlers: Collection[str]) -> tuple[str, ...]:
    """The source roots of projects inside the project, sorted.

    They are those that the manifests in the project's root name as workspace members or by their path, those that hold one of
    the files `handlers`, and those that the manifests of these name in turn. `code` are all files that may hold code.
    """
    inner = {path.rpartition("/")[0] for path in project.layout.files if posixpath.basename(path) in MANIFESTS} - {""}
    found: set[str] = set()
    waiting = {"", *(_holding(path, inner) for path in handlers)}
    while waiting:
        folder = waiting.pop()
        found.add(folder)
        waiting |= (set(_declared(project, folder)) & inner) - found
    coded = (_code_of(folder, code) for folder in found - {""})
    return tuple(sorted(root for root in coded if root))


def _holding(path: str, projects: Collection[str]) -> str:
    """The innermost project that holds a file; an empty string stands for the root."""
    return next((str(folder) for folder in PurePosixPath(path).parents if str(folder) in projects), "")


def _code_of(folder: str, code: Collection[str]) -> str:
    """Where a project has its code: in `src`, or in its own folder; an empty string when it has none."""
    source = f"{folder}/src"
    for place in (source, folder):
        if f"{place}/__init__.py" not in code and any(path.startswith(f"{place}/") for path in code):
            return place
    return ""


def _declared(project: Project, folder: str) -> Iterator[str]:
    """The folders that a project's manifests name."""
    for name in ("pyproject.toml", "Pipfile"):
        manifest = project.toml(posixpath.join(folder, name))
        yield from (_joined(folder, path) for path in _paths(manifest))
        yield from _workspace(project, folder, table(manifest, "tool", "uv", "workspace"))
    for line in LOCAL_LINE.findall(project.text(posixpath.join(folder, "requirements.txt"))):
        yield _joined(folder, line)


def _paths(node: Any) -> Iterator[str]:
    """Every `path = "..."` in a manifest: uv, Poetry and pipenv all name other projects that way."""
    if isinstance(node, list):
        yield from (path for each in node for path in _paths(each))
    if isinstance(node, dict):
        yield from (each for key, each in node.items() if key == "path" and isinstance(each, str))
        yield from (path for each in node.values() for path in _paths(each))


def _workspace(project: Project, folder: str, workspace: dict[str, Any]) -> Iterator[str]:
    """The members of a uv workspace, without those that it excludes."""
    wanted, gone = (_manifests(folder, workspace.get(key)) for key in ("members", "exclude"))
    yield from (posixpath.dirname(path) for path in set(wanted.match_files(project.layout.files)) if not gone.match_file(path))


def _manifests(folder: str, patterns: object) -> GitIgnoreSpec:
    """What matches the manifests in the folders that glob patterns name."""
    texts = [each for each in patterns if isinstance(each, str)] if isinstance(patterns, list) else []
    return GitIgnoreSpec.from_lines([f"/{_joined(folder, each)}/pyproject.toml" for each in texts])


def _joined(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))
