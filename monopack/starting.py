"""A side door of the hallway: what `init` has to know of a project, gathered from the rooms that know it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from monopack import discover, locks, scaffold, trace
from monopack.config import Loaded


def look(loaded: Loaded, reserved: Iterable[str] = ()) -> scaffold.Findings:
    """What the project of a configuration holds and needs; no pack is to have a name that is `reserved`.

    Raises `MonopackError` for source roots that cannot be used.
    """
    roots = discover.source_roots(loaded.root, loaded.config.source_roots)
    files = trace.survey(loaded.root, roots, (loaded.cache_dir,)).files
    pinning = {file: dialect.manager_of(file) for dialect in locks.DIALECTS for file in dialect.files(loaded.root)}
    layout = scaffold.Layout(
        files=files,
        source_roots=roots,
        projects={folder: discover.subproject(loaded.root, folder) for folder in _projects(files)},
        packs_dir=_shown(loaded.packs_dir, loaded.root),
        tests_dir=_shown(loaded.tests_dir, loaded.root),
        build_dir=_shown(loaded.build_dir, loaded.root),
        handler=loaded.config.pack.handler,
        config=loaded.file.name if loaded.file else "",
        locks=pinning,
        reserved=frozenset(reserved),
    )
    return scaffold.look(loaded.root, layout)


def _projects(files: Iterable[str]) -> set[str]:
    """The folders that hold a project, the root among them or not."""
    return {path.rpartition("/")[0] or "." for path in files if path.rpartition("/")[2] in discover.MANIFESTS}


def _shown(folder: Path, root: Path) -> str:
    return Path(os.path.relpath(folder, root)).as_posix()
