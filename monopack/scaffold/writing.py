"""Creating files; none that is there is ever changed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from monopack.errors import MonopackError
from monopack.model import value
from monopack.scaffold.proposing import Proposal


@value()
class Written:
    """The paths of files (relative to the project) that were created, and of those that were there and are as they were."""

    created: tuple[str, ...]
    kept: tuple[str, ...]


def write(root: Path, proposal: Proposal) -> Written:
    """Create the files of a proposal in the project at `root` (absolute), and the folders that they need.

    It is done whole or not at all. Raises `MonopackError` when a file cannot be created, or would lie outside the project.
    """
    created: list[str] = []
    made: list[Path] = []
    try:
        for path, text in proposal.files.items():
            if _create(root, path, text, made):
                created.append(path)
    except BaseException:
        _take_back(made)
        raise
    return Written(created=tuple(created), kept=tuple(path for path in proposal.files if path not in created))


def _create(root: Path, path: str, text: str, made: list[Path]) -> bool:
    """Create one file; whether it was not there. What is made on the way is added to `made`."""
    file = root / path
    try:
        _refuse_outside(file, root, path)
        for folder in reversed([each for each in file.parents if not each.is_dir()]):
            folder.mkdir()
            made.append(folder)
        return _fill(file, text, made)
    except OSError as error:
        what = f"cannot be written: {error.strerror}, so nothing was"
        raise MonopackError(what, where=path, hint=f"make {root} a folder that can be written to, with room in it") from None


def _refuse_outside(file: Path, root: Path, path: str) -> None:
    if not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(root)):
        hint = "name folders inside the project, and remove links that lead out of it"
        raise MonopackError("lies outside the project, so nothing is written", where=path, hint=hint)


def _fill(file: Path, text: str, made: list[Path]) -> bool:
    try:
        with file.open("xb") as opened:
            made.append(file)
            opened.write(text.encode())
    except FileExistsError:
        return False
    return True


def _take_back(made: list[Path]) -> None:
    for path in reversed(made):
        with contextlib.suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()
