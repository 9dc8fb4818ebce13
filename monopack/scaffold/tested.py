"""Which of a project's tests will surely run for a pack."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatch

from monopack.model import value
from monopack.scaffold import syntax
from monopack.scaffold.reading import Project
from monopack.scaffold.roots import Roots
from monopack.scaffold.values import Handler

TESTS = ("test_*.py", "*_test.py", "tests.py")
PYTEST = re.compile(rb"^[ \t]*(?:import|from)[ \t]+pytest\b", re.MULTILINE)
# A line of requirements, of uv.lock and poetry.lock, of Pipfile.lock.
PINNED = re.compile(r"""^[ \t]*(?:name[ \t]*=[ \t]*)?"?pytest"?[ \t]*(?:$|[:=<>~!;\[@\\])""", re.MULTILINE | re.IGNORECASE)


@value()
class Test:
    """A test file: what it imports, and whether the runner that the project has finds something to run in it."""

    imports: frozenset[str]
    runs: bool


def is_test(path: str) -> bool:
    """Whether a file is named like a test."""
    return any(fnmatch(posixpath.basename(path), pattern) for pattern in TESTS)


def is_pinned(lock: str) -> bool:
    """Whether the text of a lock names pytest."""
    return bool(PINNED.search(lock))


def need_pytest(project: Project) -> bool:
    """Whether anything in the tests folder, besides what pytest itself loads, cannot be imported without pytest."""
    return any(PYTEST.search(project.read(path)) for path in _inside(project) if not path.endswith("conftest.py"))


def belonging(handlers: Sequence[Handler], project: Project, roots: Roots, *, pytest: bool) -> tuple[Handler, ...]:
    """The handlers, marked as `tested` where a test that is there will surely run for the pack to come.

    `pytest` says whether the project pins it, so that it runs the tests. This is stricter than the rule of a build, which knows
    all that a pack reaches: a handler may turn out to have a test after all.
    """
    there = [test for test in _tests(project, pytest=pytest) if test.runs] if handlers else []
    ours = _names(project, roots)
    packs = [roots.module(f"{project.layout.packs_dir}/{each.pack}.py") for each in handlers]
    return tuple(
        replace(each, tested=any(_belongs(test, (each.module, pack), roots, ours) for test in there))
        for each, pack in zip(handlers, packs, strict=True)
    )


def _tests(project: Project, *, pytest: bool) -> Iterator[Test]:
    for path in sorted(_inside(project)):
        source = project.read(path)
        tree = syntax.parse(source) if is_test(path) else None
        if tree:
            yield Test(imports=syntax.imported(tree), runs=pytest or b"TestCase" in source)


def _inside(project: Project) -> list[str]:
    folder = f"{project.layout.tests_dir}/"
    return [path for path in project.layout.files if path.startswith(folder) and path.endswith(".py")]


def _names(project: Project, roots: Roots) -> frozenset[str]:
    """The top-level names that mean something of the project in a test: its code, its packs, helpers beside the tests."""
    beside = {part for path in _inside(project) for part in path.removesuffix(".py").split("/")}
    return frozenset({name for tops in roots.tops.values() for name in tops} | beside | {project.layout.packs_dir.split("/")[-1]})


def _belongs(test: Test, modules: Sequence[str], roots: Roots, ours: Collection[str]) -> bool:
    """Whether a test imports one of the `modules`, and nothing else that begins with one of the names `ours`."""
    mine = {name for name in test.imports if any(_is_within(name, module, roots) for module in modules)}
    above = {".".join(module.split(".")[:end]) for module in modules for end in range(1, module.count(".") + 1)}
    others = {name for name in test.imports if name.startswith(".") or name.split(".")[0] in ours} - mine - above
    return bool(mine) and not others


def _is_within(name: str, module: str, roots: Roots) -> bool:
    """Whether a dotted name is a module or something that it defines, and no module of its own."""
    return name == module or (name.startswith(f"{module}.") and not roots.found(name))
