"""Looking at a project: from its files to what it holds and what it needs."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from monopack.scaffold import naming, pins, syntax
from monopack.scaffold.candidates import candidates
from monopack.scaffold.members import members
from monopack.scaffold.places import Places, needed, refused, why_not
from monopack.scaffold.reading import Project
from monopack.scaffold.roots import Roots, roots_of
from monopack.scaffold.tested import belonging, is_pinned, is_test, need_pytest
from monopack.scaffold.values import Candidate, Findings, Handler, Layout

# Folders, at any depth, whose code nobody deploys from where it is.
NO_CODE = frozenset({"build", "cdk.out", "dist", "docs", "examples", "site-packages", "test", "tests"})
BLIND = "the tests import pytest, which nothing pins, so they cannot run; pin it for development"


def look(root: Path, layout: Layout) -> Findings:
    """What a project holds, and what it needs for a first build.

    `root` is absolute. Files that cannot be read, or are no Python, are passed over. Where there is a config file, the layout is
    what it says, and only handlers are looked for.
    """
    project = Project(root=root, layout=layout if layout.config else _settled(layout))
    code = frozenset(path for path in layout.files if _is_code(path, project.layout))
    found = tuple(candidates(project, code))
    places = _places(project, code, found)
    managers = pins.managers(project)
    pytest = any(is_pinned(project.text(file)) for file, manager in layout.locks.items() if manager in managers[:1])
    blind = not pytest and need_pytest(project)
    return Findings(
        layout=replace(project.layout, source_roots=tuple(places.roots.tops)),
        new_roots=tuple(places.roots.tops) != layout.source_roots,
        managers=managers if len(managers) > 1 else (),
        packs=_packs(project.layout),
        handlers=belonging(_handlers(found, project, places), project, places.roots, pytest=pytest),
        blind=blind,
        notes=(*_left_out(found, places), *pins.unpinned(project, found), *([BLIND] if blind else [])),
    )


def _places(project: Project, code: frozenset[str], found: Sequence[Candidate]) -> Places:
    """The source roots that the config file says, else those that the project needs."""
    given = roots_of(project.layout.source_roots, code)
    inner = members(project.layout.projects, code, [each.path for each in found])
    return Places(roots=given if project.layout.config else needed(given, inner, found), inner=inner)


# ---------------------------------------------------------------- the layout


def _settled(layout: Layout) -> Layout:
    """The layout with a tests folder that has the tests, and a build folder that is free."""
    tests_dir, build_dir = layout.tests_dir, layout.build_dir
    if not any(_below(path, tests_dir) for path in layout.files) and any(_below(p, "test") and is_test(p) for p in layout.files):
        tests_dir = "test"
    if any(path == build_dir or (posixpath.dirname(path) == build_dir and path.endswith(".py")) for path in layout.files):
        build_dir = f"{build_dir}-packs"
    return replace(layout, tests_dir=tests_dir, build_dir=build_dir)


def _is_code(path: str, layout: Layout) -> bool:
    """Whether a file may be a module that packs ship."""
    others = (layout.packs_dir, layout.tests_dir, layout.build_dir)
    return path.endswith(".py") and not NO_CODE & set(path.split("/")) and not any(_below(path, folder) for folder in others)


def _below(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")


def _packs(layout: Layout) -> tuple[str, ...]:
    """The names of the packs that are there."""
    inside = (posixpath.basename(path) for path in layout.files if posixpath.dirname(path) == layout.packs_dir)
    return tuple(sorted(name.removesuffix(".py") for name in inside if name.endswith(".py") and not name.startswith(("_", "."))))


def _hiding(layout: Layout) -> Iterator[str]:
    """The names of packages in the packs folder, each of which would hide a pack beside it."""
    for path in layout.files:
        folder, _, file = path.rpartition("/")
        if file == "__init__.py" and posixpath.dirname(folder) == layout.packs_dir:
            yield posixpath.basename(folder)


# ---------------------------------------------------------------- handlers


def _handlers(found: Sequence[Candidate], project: Project, places: Places) -> tuple[Handler, ...]:
    """The handlers that can be imported and have no pack, with names for their packs."""
    imports = _imports_of_packs(project)
    chosen = [each for each in found if not why_not(each, places) and not _is_packed(each, places.roots, imports)]
    modules = [places.roots.module(each.path) for each in chosen]
    pairs = [(module, each.function) for module, each in zip(modules, chosen, strict=True)]
    names = naming.names(pairs, (*_packs(project.layout), *_hiding(project.layout)), project.layout.reserved)
    return tuple(
        Handler(
            path=each.path, line=each.line, module=module, function=each.function, pack=name, certain=each.certain, tested=False
        )
        for each, module, name in zip(chosen, modules, names, strict=True)
    )  # fmt: skip


def _left_out(found: Sequence[Candidate], places: Places) -> Iterator[str]:
    for each in found:
        reason = why_not(each, places)
        if reason:
            yield f"{each} is left out: {reason}"
    yield from refused(places, found)


def _imports_of_packs(project: Project) -> frozenset[str]:
    """The dotted names that the packs which are there import."""
    folder = project.layout.packs_dir
    trees = (syntax.parse(project.read(f"{folder}/{name}.py")) for name in _packs(project.layout))
    return frozenset(name for tree in trees if tree for name in syntax.imported(tree))


def _is_packed(candidate: Candidate, roots: Roots, imports: frozenset[str]) -> bool:
    """Whether a pack imports a handler, or its module as a whole."""
    module = roots.module(candidate.path)
    parts = any(name.startswith(f"{module}.") for name in imports)
    return f"{module}.{candidate.function}" in imports or (module in imports and not parts)
