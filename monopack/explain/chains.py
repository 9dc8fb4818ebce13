"""Chains: from the entrypoint of a pack, step by step, to a file or a distribution.

Tracing and resolving keep the first evidence for everything that they find, and find it by what they found before; so following
it back ends at the entrypoint or at the config.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from monopack.explain.known import Known, config_link, label, naming
from monopack.model import Because, Chain, Evidence, Import, Link, Reach, Shipped, TracedFile


def file_chain(file: TracedFile, known: Known, files: int = 1) -> Chain:
    """Why a first-party file is in a pack; `files` counts those that it stands for."""
    path = file.source.path
    links = to_file(path, known)
    return Chain(holder=path, files=files, links=links, also=_others(_steps_to_file(file, known), links, known))


def distribution_chain(shipped: Shipped, known: Known, part: str = "") -> Chain:
    """Why a distribution is in a pack; for a module or path of it (`part`), an import that names that goes before others."""
    because = shipped.because
    closer = [i for i in _imports_of(shipped, known) if part and f"{i.dotted}.".startswith(f"{part}.")]
    if closer:
        because = Because(wanted=min(closer, key=lambda i: i.reach is Reach.LAZY))
    links = to_distribution(shipped, because, known)
    others = _others(_steps_to_distribution(shipped, known), links, known)
    return Chain(holder=label(shipped.distribution), part=part, links=links, also=others)


def _others(steps: Iterable[Link], links: tuple[Link, ...], known: Known) -> tuple[Link, ...]:
    """Steps that are no part of a chain, none twice; to the entrypoint, and from a file to itself, there are none."""
    seen = {(link.evidence, link.leads_to) for link in links}
    others: dict[tuple[Evidence, str], Link] = {}
    for step in steps:
        key = (step.evidence, step.leads_to)
        if key not in seen and step.leads_to not in (step.evidence.file, known.entry):
            others.setdefault(key, step)
    return tuple(others.values())


# ---------------------------------------------------------------- to a first-party file


def to_file(path: str, known: Known) -> tuple[Link, ...]:
    """The steps to a first-party file, by the first evidence of each; none to the entrypoint."""
    links: list[Link] = []
    while path in known.files and path != known.entry:
        file = known.files[path]
        links.append(step_to(file, known))
        path = file.because.file
    return tuple(reversed(links))


def _steps_to_file(file: TracedFile, known: Known) -> Iterator[Link]:
    """Every step that leads to a file from another, or from the config."""
    for edge in known.trace.edges:
        if edge.path == file.source.path:
            yield step_to(replace(file, because=edge.evidence, reach=edge.reach, rule=edge.rule), known)
    if pattern := known.included.get(file.source.path):
        yield config_link("include", pattern, file.source.path, known)


def step_to(file: TracedFile, known: Known) -> Link:
    """The step to a file: by a line of code, an `include` pattern, or an entry of `extra_modules` for it or what is in it."""
    path, because = file.source.path, file.because
    if because.line:
        return Link(kind="code", evidence=because, leads_to=path, reach=file.reach, rule=file.rule)
    if because.file == "include":
        return config_link("include", known.included.get(path, path), path, known)
    named = [e.entry for e in known.config if e.option == because.file and f"{e.entry}.".startswith(f"{file.module}.")]
    return config_link(because.file, min(named, key=len, default=file.module), path, known)


# ---------------------------------------------------------------- to a distribution


def to_distribution(shipped: Shipped, because: Because, known: Known) -> tuple[Link, ...]:
    """The steps to a distribution that ships for a reason."""
    holder = label(shipped.distribution)
    if because.wanted and because.rule:
        return (*to_file(because.wanted.evidence.file, known), _rule(because, because.wanted, holder))
    if because.wanted:
        before = to_file(because.wanted.evidence.file, known)
        return (*before, import_step(because.wanted, holder, known), *_mapping(because.wanted, holder, known))
    if because.required_by:
        requiring = _shipped(because.required_by, known)
        return (*to_distribution(requiring, requiring.because, known), _requirement(because, holder, known))
    return (_option(because.option, shipped, known),)


def _steps_to_distribution(shipped: Shipped, known: Known) -> Iterator[Link]:
    """Every step that leads to a distribution: imports, requirements, the config."""
    holder = label(shipped.distribution)
    yield from (import_step(wanted, holder, known) for wanted in _imports_of(shipped, known))
    yield from (_requirement(because, holder, known) for because in shipped.required_by)
    if shipped.because.option:
        yield _option(shipped.because.option, shipped, known)
    if shipped.because.rule and shipped.because.wanted:
        yield _rule(shipped.because, shipped.because.wanted, holder)


def _imports_of(shipped: Shipped, known: Known) -> list[Import]:
    """The imports that a distribution provides."""
    return [i for i in known.trace.imports if known.resolution.providers.get(i.dotted) == shipped.distribution.name]


def import_step(wanted: Import, holder: str, known: Known) -> Link:
    """The step that an import takes, or an entry of `extra_modules` that names what is not first-party."""
    if not wanted.evidence.line:
        return config_link(wanted.evidence.file, wanted.dotted, holder, known)
    return Link(kind="code", evidence=wanted.evidence, leads_to=holder, reach=wanted.reach, rule=wanted.rule)


def _mapping(wanted: Import, holder: str, known: Known) -> tuple[Link, ...]:
    """The entry of `[module_map]` that gives an import to a distribution."""
    key = known.resolution.mapped.get(wanted.dotted)
    return (config_link("module_map", key, holder, known),) if key else ()


def _requirement(because: Because, holder: str, known: Known) -> Link:
    requiring = label(_shipped(because.required_by, known).distribution)
    place = Evidence(file=requiring, line=0)
    text = because.rule or (
        f"imports {because.requirement} in {because.module}" if because.module else f"requires {because.requirement}"
    )
    return Link(kind="requirement", evidence=place, leads_to=holder, text=text)


def _rule(because: Because, place: Import, holder: str) -> Link:
    """The step from code that needs a distribution without importing it."""
    return Link(kind="code", evidence=place.evidence, leads_to=holder, text=because.rule, reach=place.reach)


def _option(option: str, shipped: Shipped, known: Known) -> Link:
    name = shipped.distribution.name
    return config_link(option, naming(option, name, known) or name, label(shipped.distribution), known)


def _shipped(name: str, known: Known) -> Shipped:
    return next(s for s in known.resolution.shipped if s.distribution.name == name)
