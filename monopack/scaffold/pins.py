"""What pins a project's dependencies, and what does not."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from monopack.scaffold.reading import Project, table
from monopack.scaffold.values import Candidate


def managers(project: Project) -> tuple[str, ...]:
    """The package managers that have a lock here, those that `pyproject.toml` has a table for first."""
    tools = table(project.toml("pyproject.toml"), "tool")
    return tuple(sorted(project.layout.locks.values(), key=lambda manager: manager not in tools))


def unpinned(project: Project, found: Sequence[Candidate]) -> Iterator[str]:
    """What to do about dependencies that no lock in the project's root pins, in a line each."""
    if not project.layout.locks:
        manifest, command = _manifest(project)
        if manifest:
            yield f"{manifest} names dependencies that nothing pins yet; run `{command}` before the first build"
        for folder in sorted({posixpath.dirname(each.path) for each in found}):
            if f"{folder}/requirements.txt" in project.layout.files:
                yield f"{folder}/requirements.txt is not read: one lock in the project's root pins what all packs need"


def _manifest(project: Project) -> tuple[str, str]:
    """The manifest that names dependencies, and the command that pins them; empty when none does."""
    pyproject = project.toml("pyproject.toml")
    if project.toml("Pipfile").get("packages"):
        return "Pipfile", "pipenv lock"
    if set(table(pyproject, "tool", "poetry", "dependencies")) - {"python"}:
        return "pyproject.toml", "poetry lock"
    return ("pyproject.toml", "uv lock") if table(pyproject, "project").get("dependencies") else ("", "")
