"""Which tests belong to a pack: those whose own first-party imports lie within it.

Like `walk`, a generator that asks for the files it wants to know about.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import field, replace
from fnmatch import fnmatch

from monopack.errors import PackError
from monopack.model import Evidence, Import, LeftOut, Reach, Target, TestPlan, Trace, TracedFile, value
from monopack.trace.findings import Reference
from monopack.trace.meaning import Place, absolute, meaning_of, too_many_dots
from monopack.trace.reading import read
from monopack.trace.sources import Facts, SourceTree
from monopack.trace.walk import Start, mentioned, walk

TEST_FILES = ("test_*.py", "*_test.py", "tests.py")
RUNNER_FILES = (
    "conftest.py",
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    ".pytest.toml",
    "pyproject.toml",
    "setup.cfg",
    "tox.ini",
)

Reading = Generator[frozenset[str], dict[str, Facts], "dict[str, Uses]"]
Choosing = Generator[frozenset[str], dict[str, Facts], TestPlan]


@value()
class Uses:
    """What one file of the tests folder imports itself: helpers beside it, first-party files (with evidence), and the rest.

    `reads` are the files that it reads, project-relative.
    """

    helpers: frozenset[str] = frozenset()
    first_party: Mapping[str, Evidence]
    imports: tuple[Import, ...] = ()
    reads: frozenset[str] = frozenset()
    broken: LeftOut | None = None


@value()
class Folder:
    """The tests folder of a project: `name` is relative to the project. `packages` are those whose names tests may ask for."""

    name: str
    tree: SourceTree
    target: Target
    packages: Mapping[str, Facts] = field(default_factory=dict)

    def holds(self, path: str) -> bool:
        """Whether a file lies in the tests folder."""
        return path.startswith(f"{self.name}/")

    def helper(self, name: str, importer: str) -> str | None:
        """A file that `import name` finds because the runner puts the test's own folder, or the tests folder, on `sys.path`."""
        relative = name.replace(".", "/")
        for folder in (importer.rpartition("/")[0], self.name):
            for path in (f"{folder}/{relative}.py", f"{folder}/{relative}/__init__.py"):
                if path in self.tree.files:
                    return path
        return None


def choose(traced: Trace, tests_dir: str, tree: SourceTree, target: Target) -> Choosing:
    """Choose the tests of a traced pack.

    Yields sets of paths and must be sent the `Facts` of each; returns the `TestPlan`. `tests_dir` is relative to the project.
    """
    folder = Folder(name=tests_dir, tree=tree, target=target)
    everything = frozenset(p for p in tree.files if folder.holds(p))
    tests = sorted(p for p in everything if is_test(p))
    uses = yield from _read_all({*tests, *_conftests(tests, tree)}, folder)
    own = {f.source.path for f in traced.files}
    chosen, left_out = _sort_out(tests, uses, own, tree)
    if not chosen:
        return TestPlan(tests=(), left_out=left_out, support=(), for_conftest=(), imports=())

    conftests = _conftests(chosen, tree)
    beside = yield from _walk_beside(conftests, uses, own, folder)
    helpers = closure(conftests, uses) | closure(chosen, uses)
    wanted = {p for p in everything if not is_test(p)} | set(chosen) | {p for p in helpers if folder.holds(p)}
    wanted |= {name for name in RUNNER_FILES if name in tree.files} | {path for p in helpers for path in uses[p].reads}
    facts = yield frozenset(wanted)
    support = tuple(_as_is(facts[path]) for path in sorted(wanted))
    return TestPlan(
        tests=tuple(chosen),
        left_out=left_out,
        support=(*support, *(f for f in beside.files if f.source.path not in own | wanted)),
        for_conftest=tuple(sorted(f.source.path for f in beside.files if f.source.path not in own | wanted)),
        imports=tuple(dict.fromkeys((*(i for p in sorted(helpers) for i in uses[p].imports), *beside.imports))),
    )


def is_test(path: str) -> bool:
    """Whether a file is named like a test."""
    return any(fnmatch(path.rpartition("/")[2], pattern) for pattern in TEST_FILES)


def closure(paths: Iterable[str], uses: Mapping[str, Uses]) -> set[str]:
    """Files of the tests folder and all helpers that they import, directly or through others."""
    reached: set[str] = set()
    waiting = list(paths)
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting.extend(uses[path].helpers)
    return reached


def _conftests(tests: Iterable[str], tree: SourceTree) -> list[str]:
    """The `conftest.py` files that pytest loads for some tests: in their folders and in every folder above."""
    folders = {"/".join(path.split("/")[:depth]) for path in tests for depth in range(path.count("/") + 1)}
    candidates = {f"{folder}/conftest.py" if folder else "conftest.py" for folder in folders}
    return sorted(candidates & tree.files)


def _sort_out(
    tests: list[str], uses: Mapping[str, Uses], own: set[str], tree: SourceTree
) -> tuple[list[str], dict[str, LeftOut]]:
    """Tests that belong to a pack (its own files are `own`), and those left out, with the reason."""
    chosen: list[str] = []
    left_out: dict[str, LeftOut] = {}
    for test in tests:
        needs: dict[str, Evidence] = {}
        reached = sorted(closure([test], uses))
        for path in reached:
            needs |= uses[path].first_party
        beyond = {path: evidence for path, evidence in needs.items() if path not in own}
        broken = next((found for path in reached if (found := uses[path].broken)), None)
        if broken:
            left_out[test] = broken
        elif needs.keys() & own and beyond:
            left_out[test] = _foreign(beyond, tree)
        elif needs.keys() & own:
            chosen.append(test)
    return chosen, left_out


def _foreign(beyond: Mapping[str, Evidence], tree: SourceTree) -> LeftOut:
    """The first import of what a pack does not have: of `import app.admin` not the package, but the module."""
    places = sorted((evidence.file, evidence.line, -tree.module(path).count("."), path) for path, evidence in beyond.items())
    path = places[0][-1]
    module, evidence = tree.module(path), beyond[path]
    return LeftOut(where=str(evidence), reason=f"it also imports {module}, which is not in the pack", module=module)


def _read_all(paths: Iterable[str], folder: Folder) -> Reading:
    """What test files import, and the helpers behind them, to the end."""
    uses: dict[str, Uses] = {}
    waiting = frozenset(paths)
    while waiting:
        facts = yield waiting
        packages = yield frozenset(package for path in waiting for package in _packages(path, facts[path], folder))
        for path in sorted(waiting):
            uses[path] = _uses(path, facts[path], replace(folder, packages=packages))
        waiting = frozenset(h for path in waiting for h in uses[path].helpers if h not in uses)
    return uses


def _packages(path: str, facts: Facts, folder: Folder) -> Iterable[str]:
    """The packages of which a file may import submodules by `from package import name`."""
    package, tree = folder.tree.package(path), folder.tree
    for reference in facts.references if not facts.error else ():
        base = absolute(reference, package) if reference.rule == "from_statement" else None
        if base and tree.locate(f"{base}.{reference.attribute}") and (found := tree.locate(base)):
            yield found


def _uses(path: str, facts: Facts, folder: Folder) -> Uses:
    """What one file of the tests imports itself."""
    if facts.error:
        return Uses(first_party={}, broken=LeftOut(where=str(facts.error.where), reason=facts.error.message))
    helpers: set[str] = set()
    first_party: dict[str, Evidence] = {}
    imports: list[Import] = []
    for reference in facts.references:
        evidence = Evidence(file=path, line=reference.line)
        try:
            looked_up = _look_up(reference, evidence, folder)
        except PackError as refused:
            return Uses(first_party={}, broken=LeftOut(where=refused.where, reason=refused.what))
        for found in looked_up:
            if isinstance(found, Import):
                imports.append(found)
            elif folder.holds(found):
                helpers.add(found)
            else:
                first_party.setdefault(found, evidence)
    for found, evidence in _patched(path, facts, folder):
        first_party.setdefault(found, evidence)
    reads = frozenset(_reads(path, facts, folder))
    return Uses(helpers=frozenset(helpers - {path}), first_party=first_party, imports=tuple(imports), reads=reads)


def _patched(path: str, facts: Facts, folder: Folder) -> Iterable[tuple[str, Evidence]]:
    """The first-party modules that a test patches by name, which imports them."""
    for mention in facts.mentions:
        module, _ = mentioned(mention, folder.tree) if mention.rule == "patched_name" else ("", "")
        found = folder.tree.locate(module) if module else None
        if found and not folder.holds(found):
            yield found, Evidence(file=path, line=mention.line)


def _reads(path: str, facts: Facts, folder: Folder) -> Iterable[str]:
    """The files outside the tests folder that a test reads; those in it are there anyway."""
    for data in facts.data:
        for found in read(data, Evidence(file=path, line=data.line), {path: facts.places}, folder.tree):
            yield from (each for each in found.files if not folder.holds(each))


def _look_up(reference: Reference, evidence: Evidence, folder: Folder) -> Iterable[str | Import]:
    """The files that a reference in a test means, or the import that a distribution has to provide."""
    place = Place(evidence=evidence, reach=Reach.EAGER, package=folder.tree.package(evidence.file))
    meaning = meaning_of(reference, place, folder.tree, folder.target)
    if meaning.beyond and not reference.lazy:
        raise too_many_dots(reference, place)
    if meaning.package in folder.packages and meaning.attribute in folder.packages[meaning.package].names.first:
        return meaning.files[:-1]
    if not meaning.others or meaning.standard or meaning.beyond:
        return meaning.files
    beside = [folder.helper(name, evidence.file) for name in dict.fromkeys((meaning.base, meaning.dotted))]
    if any(beside):
        return [path for path in beside if path]
    wanted = Import(
        name=meaning.base, attribute=meaning.attribute, evidence=evidence, reach=Reach.LAZY, optional=reference.optional
    )  # fmt: skip
    return (*meaning.files, wanted)


def _walk_beside(
    conftests: Iterable[str], uses: Mapping[str, Uses], own: set[str], folder: Folder
) -> Generator[frozenset[str], dict[str, Facts], Trace]:
    """Trace the first-party code that only `conftest.py` files need."""
    needs = {p: e for c in sorted(closure(conftests, uses)) for p, e in uses[c].first_party.items() if p not in own}
    starts = [Start(name=folder.tree.module(p), path=p, because=e) for p, e in sorted(needs.items())]
    return (yield from walk("", starts, folder.tree, folder.target))


def _as_is(facts: Facts) -> TracedFile:
    """A file of the tests, at the same place in the workspace as in the project."""
    path = facts.source.path
    return TracedFile(
        source=facts.source, ships_as=path, module="", reach=Reach.LAZY, because=Evidence(file=path, line=0)
    )  # fmt: skip
