"""Everything that was found for a pack: its imports sorted by whose they are, and the graph of what leads to what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from monopack.explain.chains import import_step, step_to
from monopack.explain.known import Known, is_folder, label
from monopack.model import Arrow, Edge, Evidence, Graph, Inventory, Node, Provided, Reach, TracedFile


def inventory(known: Known) -> Inventory:
    """What tracing and resolving found for a pack."""
    return Inventory(
        pack=known.pack,
        entry=known.entry,
        files=tuple(f if f.because.line else replace(f, because=_place(f, known)) for f in known.trace.files),
        imports=tuple(_with_place(each, known) for each in _provided(known)),
        distributions=known.resolution.shipped,
        edges=tuple(e if e.evidence.line else _placed(e, known) for e in known.trace.edges),
        left_out=known.resolution.left_out,
        notes=known.trace.notes,
    )


def _place(file: TracedFile, known: Known) -> Evidence:
    """The place of a step to a file that no line of code leads to: it is the entrypoint, or the config takes it."""
    return file.because if file.source.path == known.entry else step_to(file, known).evidence


def _placed(edge: Edge, known: Known) -> Edge:
    """An edge with its place, where the config names it."""
    file = replace(known.files[edge.path], because=edge.evidence, reach=edge.reach)
    return replace(edge, evidence=_place(file, known))


def _with_place(each: Provided, known: Known) -> Provided:
    """An import with its place, also where the config names it."""
    if each.wanted.evidence.line:
        return each
    return replace(each, wanted=replace(each.wanted, evidence=import_step(each.wanted, each.provider, known).evidence))


def _provided(known: Known) -> Iterator[Provided]:
    """Every import that is not first-party, with its kind."""
    labels = {s.distribution.name: label(s.distribution) for s in known.resolution.shipped}
    unresolved = {wanted.dotted for wanted in known.resolution.unresolved}
    for wanted in known.trace.imports:
        provider = known.resolution.providers.get(wanted.dotted)
        if provider:
            yield Provided(wanted=wanted, kind="third-party", provider=labels[provider])
        elif wanted.dotted in unresolved:
            namespace = wanted.optional and is_folder(wanted.dotted, known)
            yield Provided(wanted=wanted, kind="namespace" if namespace else "unresolved")
        else:
            yield Provided(wanted=wanted, kind="platform")
    yield from (Provided(wanted=wanted, kind="standard-library") for wanted in known.trace.standard)
    yield from (Provided(wanted=wanted, kind="unresolved") for wanted in known.trace.missing)


# ---------------------------------------------------------------- the graph


def graph(known: Known) -> Graph:
    """Files, distributions and options of the config as nodes; what leads from one to another as arrows."""
    nodes = {file.source.path: Node(name=file.module or file.ships_as, kind="file") for file in known.trace.files}
    nodes[known.entry] = Node(name=known.trace.module, kind="entrypoint")
    nodes |= {label(s.distribution): Node(name=label(s.distribution), kind="distribution") for s in known.resolution.shipped}
    arrows: dict[tuple[str, str], Reach] = {}
    for start, end, reach in _steps(known):
        nodes.setdefault(start, Node(name=start, kind="config"))
        if start != end and arrows.get((start, end)) is not Reach.EAGER:
            arrows[start, end] = reach
    place = {name: number for number, name in enumerate(nodes)}
    return Graph(
        nodes=tuple(nodes.values()),
        arrows=tuple(Arrow(start=place[start], end=place[end], reach=reach) for (start, end), reach in arrows.items()),
    )


def _steps(known: Known) -> Iterator[tuple[str, str, Reach]]:
    """Everything that leads from one thing to another: start, end, and when."""
    yield from ((edge.evidence.file, edge.path, edge.reach) for edge in known.trace.edges)
    for file in known.trace.files:
        if not file.because.line:
            yield file.because.file, file.source.path, file.reach
    for each in _provided(known):
        if each.provider:
            yield each.wanted.evidence.file, each.provider, each.wanted.reach
    labels = {s.distribution.name: label(s.distribution) for s in known.resolution.shipped}
    for shipped in known.resolution.shipped:
        end = labels[shipped.distribution.name]
        yield from ((labels[because.required_by], end, Reach.EAGER) for because in shipped.required_by)
        if shipped.because.rule and (place := shipped.because.wanted):
            yield place.evidence.file, end, place.reach
        if shipped.because.option:
            yield shipped.because.option, end, Reach.EAGER
