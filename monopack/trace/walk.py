"""Following imports: which first-party files an entry module reaches, eagerly or lazily, and what is left for others to provide.

`walk` is a generator: it yields the paths it wants to know about and is sent their facts, so that only reachable files are
ever read and the thinking touches no disk.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace

from monopack.errors import PackError
from monopack.model import Edge, Evidence, Import, Reach, SourceFile, Target, Trace, TracedFile, value
from monopack.trace.rules import Reference
from monopack.trace.sources import Facts, SourceTree

INCLUDE = Evidence(file="include", line=0)

Walk = Generator[frozenset[str], dict[str, Facts], Trace]


@value()
class Start:
    """Where a walk begins: a module's dotted name (or, when `path` is set, a file), why, and how it is reached."""

    name: str
    because: Evidence
    reach: Reach = Reach.LAZY
    path: str = ""


@value()
class Step:
    """A file to visit, how it is reached and what led there."""

    path: str
    reach: Reach
    because: Evidence


@value()
class Meaning:
    """What one reference means: first-party files (parents first), or an import that somebody else has to provide.

    `standard` says that the standard library is that somebody, `missing` that the import lies inside a first-party package that
    has no such module, `namespace` that a bare folder answers to the name where no distribution does.
    """

    files: tuple[str, ...] = ()
    other: str = ""
    attribute: str = ""
    standard: bool = False
    missing: bool = False
    namespace: bool = False


def walk(module: str, starts: Sequence[Start], tree: SourceTree, target: Target) -> Walk:
    """Trace from starts to everything they reach.

    Yields sets of project-relative paths and must be sent the `Facts` of each; returns the `Trace` of `module`. The eager
    part is walked first, so a file's reach is known when it is visited. Raises `PackError` with `file:line` for a reached
    file that cannot be read or parsed.
    """
    seen: dict[str, TracedFile] = {}
    found: dict[Import, None] = {}  # dicts as ordered sets
    missing: dict[Import, None] = {}
    standard: dict[Import, None] = {}
    edges: dict[Edge, None] = {}
    waiting: dict[Reach, dict[str, Step]] = {Reach.EAGER: {}, Reach.LAZY: {}}

    def follow(reference: Reference, evidence: Evidence, reach: Reach, package: str) -> None:
        reach = Reach.LAZY if reference.lazy else reach
        meaning = meaning_of(reference, evidence, package, tree, target)
        for path in meaning.files:
            waiting[reach].setdefault(path, Step(path=path, reach=reach, because=evidence))
            edges[Edge(evidence=evidence, path=path, reach=reach)] = None
        if meaning.other:
            wanted = Import(
                name=meaning.other,
                attribute=meaning.attribute,
                evidence=evidence,
                reach=reach if reference.line else Reach.EAGER,  # what the config names has to be there
                optional=reference.optional or meaning.namespace,
            )
            (missing if meaning.missing else standard if meaning.standard else found)[wanted] = None

    for start in starts:
        if start.path:
            waiting[start.reach].setdefault(start.path, Step(path=start.path, reach=start.reach, because=start.because))
        else:
            follow(Reference(name=start.name, line=0), start.because, start.reach, "")

    for reach in (Reach.EAGER, Reach.LAZY):
        while waiting[reach]:
            steps = [step for path, step in sorted(waiting[reach].items()) if path not in seen]
            waiting[reach].clear()
            facts = yield frozenset(step.path for step in steps)
            for step in steps:
                known = usable(facts[step.path], step.because)
                seen[step.path] = _traced(known.source, step, tree)
                package = package_of(step.path, tree)
                for reference in known.references:
                    follow(reference, Evidence(file=step.path, line=reference.line), reach, package)
    return Trace(
        module=module, files=tuple(seen.values()), imports=tuple(found), missing=tuple(missing), standard=tuple(standard),
        edges=tuple(edges),
    )  # fmt: skip


def starts_of(module: str, extra: Sequence[Start], files: Iterable[str], tree: SourceTree) -> tuple[Start, ...]:
    """The starts of a pack: its entry module, what its config adds, and the Python files its `include` names."""
    entry = tree.locate(module)
    if entry is None:
        raise PackError(f"the entry module {module} is excluded from its own pack", hint="narrow the exclude patterns")
    here = Evidence(file=entry, line=0)
    included = [Start(name=tree.module(p), path=p, because=INCLUDE) for p in sorted(files) if p.endswith(".py")]
    return (Start(name=module, because=here, reach=Reach.EAGER), *extra, *included)


def usable(facts: Facts, because: Evidence) -> Facts:
    """The facts of a reached file, or the reason why the pack cannot be built with it."""
    if facts.error is None:
        return facts
    problem = facts.error
    raise PackError(problem.message, where=str(problem.where), hint=problem.hint or f"reached from {because}")


def _traced(source: SourceFile, step: Step, tree: SourceTree) -> TracedFile:
    return TracedFile(
        source=source, ships_as=tree.ships_as(step.path), module=tree.module(step.path), reach=step.reach, because=step.because
    )


# ---------------------------------------------------------------- what a reference means


def package_of(path: str, tree: SourceTree) -> str:
    """The dotted name of the package that a file's relative imports start from."""
    name = tree.module(path)
    return name if path.endswith("/__init__.py") else name.rpartition(".")[0]


def meaning_of(reference: Reference, evidence: Evidence, package: str, tree: SourceTree, target: Target) -> Meaning:
    """What a reference means in a file whose package is `package`.

    Raises `PackError` when it has more leading dots than there are parents.
    """
    base = absolute(reference, evidence, package)
    if link := tree.leads_out(base):
        hint = "copy the code into the project"
        raise PackError(f"{link} is a link that leads out of the project", where=str(evidence), hint=hint)
    attribute = "" if reference.attribute == "*" else reference.attribute
    files = _files(base, attribute, tree)
    top = base.partition(".")[0]
    standard = Meaning(other=base, attribute=attribute, standard=True)
    if top in target.builtins:
        return standard
    if files.found:
        return Meaning(files=files.paths)
    if top in target.stdlib and not files.paths:
        return standard
    if files.excluded:
        return Meaning(files=files.paths)
    inside = bool(files.paths) or bool(reference.level)
    namespace = not attribute and tree.is_folder(base)
    if inside and namespace:
        return Meaning(files=files.paths)
    if inside and not tree.is_folder(base):
        attribute = ""  # the module itself is what is missing
    return Meaning(files=files.paths, other=base, attribute=attribute, missing=inside, namespace=namespace)


def absolute(reference: Reference, evidence: Evidence, package: str) -> str:
    """The absolute dotted name that a reference starts from (PEP 328)."""
    if not reference.level:
        return reference.name
    parts = package.split(".") if package else []
    if reference.level > len(parts):
        message = f"relative import with {reference.level} dots, but its package is {package or 'the top level'!r}"
        raise PackError(message, where=str(evidence), hint="use fewer dots, or an absolute import")
    kept = parts[: len(parts) - reference.level + 1]
    return ".".join((*kept, reference.name) if reference.name else kept)


@value()
class _Located:
    """The first-party files on the way to a name.

    `found` says that they lead all the way, `excluded` that the config cut them off.
    """

    paths: tuple[str, ...] = ()
    found: bool = False
    excluded: bool = False


def _files(base: str, attribute: str, tree: SourceTree) -> _Located:
    """The files that importing `base` (and `attribute` from it) runs: every parent package, the module, the submodule."""
    parts = base.split(".")
    located = [tree.locate(".".join(parts[: i + 1])) for i in range(len(parts))]
    paths = tuple(path for path in located if path is not None)
    last = located[-1]
    submodule = tree.locate(f"{base}.{attribute}") if attribute else None
    if submodule is not None:
        return _Located(paths=(*paths, submodule), found=True)
    if last is not None:
        return _Located(paths=paths, found=True)
    if not tree.excluded:
        return _Located(paths=paths)
    gone = replace(tree, files=tree.excluded)
    excluded = gone.locate(base) is not None or (bool(attribute) and gone.locate(f"{base}.{attribute}") is not None)
    return _Located(paths=paths, excluded=excluded)
