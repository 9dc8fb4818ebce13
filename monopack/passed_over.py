"""GROUND: which folders of a project hold nothing of it, by their names and by what lies in them."""

from __future__ import annotations

from collections.abc import Iterable

NEVER_SOURCE = frozenset({"__pycache__", "node_modules"})
MARKS_OTHERS = frozenset({"pyvenv.cfg", ".monopack"})  # of a virtual environment, of a build folder


def passed_over(folder: str) -> bool:
    """Whether a folder of that name is a dot-folder, a cache, `node_modules` or the metadata of an editable install."""
    return folder.startswith(".") or folder in NEVER_SOURCE or folder.endswith(".egg-info")


def of_others(names: Iterable[str]) -> bool:
    """Whether these names in a folder tell that it is a virtual environment or a build folder.

    Not to be asked about the project root, which is the project whatever lies in it.
    """
    return not MARKS_OTHERS.isdisjoint(names)
