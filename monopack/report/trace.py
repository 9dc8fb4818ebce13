"""The window on `monopack trace`: what was found as lines, as plain values, and as a Mermaid flowchart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from monopack.model import Evidence, Graph, Inventory, Provided, Reach, Shipped, TracedFile
from monopack.report import rule_in_words, table

KINDS = {
    "third-party": "third-party imports",
    "unresolved": "imports that nothing provides",
    "platform": "imports left to the platform",
    "namespace": "imports of folders",
    "standard-library": "imports of the standard library",
}
SHAPES = {"entrypoint": ("([", "])"), "file": ("[", "]"), "distribution": ("[(", ")]"), "config": ("{{", "}}")}


def lines(found: Inventory) -> Iterator[str]:
    """Files, imports by kind, distributions, pins left out: a section for each, with the first evidence of everything."""
    modules = [file for file in found.files if file.module]
    sections = {"first-party files": [_file_row(file, found) for file in modules]}
    sections["data files"] = [_file_row(file, found)[::2] for file in found.files if not file.module]
    for kind, title in KINDS.items():
        sections[title] = _import_rows([each for each in found.imports if each.kind == kind])
    sections["distributions"] = [(_label(shipped), str(shipped.because)) for shipped in found.distributions]
    sections["left out"] = [(each.name, str(each)) for each in found.left_out]
    sections["not known"] = [(note,) for note in found.notes]
    for title, rows in sections.items():
        if rows:
            yield f"{title}: {len(rows)}"
            yield from (f"  {line}" for line in table(rows))


def document(found: Inventory) -> dict[str, object]:
    """What was found as plain values: see docs/reference/json.md."""
    return {
        "command": "trace",
        "exit_code": 0,
        "pack": found.pack,
        "entrypoint": found.entry,
        "files": [_plain_file(file) for file in found.files],
        "imports": [_plain_import(each) for each in found.imports],
        "distributions": [_plain_distribution(shipped) for shipped in found.distributions],
        "left_out": [asdict(each) for each in found.left_out],
        "edges": [
            {"file": edge.evidence.file, "line": edge.evidence.line, "path": edge.path, "reach": edge.reach, "rule": edge.rule}
            for edge in found.edges
        ],
        "notes": list(found.notes),
    }


def chart(graph: Graph) -> Iterator[str]:
    """A Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html); what may run later is dashed."""
    yield "flowchart LR"
    for number, node in enumerate(graph.nodes):
        begin, end = SHAPES[node.kind]
        yield f'  n{number}{begin}"{_escaped(node.name)}"{end}'
    for arrow in graph.arrows:
        yield f"  n{arrow.start} {'-->' if arrow.reach is Reach.EAGER else '-.->'} n{arrow.end}"


def _escaped(name: str) -> str:
    """A name as a Mermaid label, what may mean something there as its number: `#34;` for a quote."""
    return re.sub(r"[^\w./= -]", lambda found: f"#{ord(found[0])};", name)


# ---------------------------------------------------------------- lines


def _file_row(file: TracedFile, found: Inventory) -> tuple[str, ...]:
    """A file, when it runs, and the place that brought it, with the way where that is no import statement."""
    if file.source.path == found.entry:
        return file.source.path, str(file.reach), "the entrypoint"
    return file.source.path, str(file.reach), _place(file.because, file.rule)


def _place(evidence: Evidence, rule: str) -> str:
    words = rule_in_words(rule)
    return f"{evidence} ({words})" if words else str(evidence)


def _import_rows(imports: Sequence[Provided]) -> list[tuple[str, ...]]:
    """A row for each imported name: its reach, first evidence and provider; the eager ones come first."""
    by_name: dict[str, list[Provided]] = {}
    for each in sorted(imports, key=lambda each: (each.wanted.dotted, each.wanted.reach is Reach.LAZY)):
        by_name.setdefault(each.wanted.dotted, []).append(each)
    return [_import_row(name, first, len(more)) for name, (first, *more) in by_name.items()]


def _import_row(name: str, first: Provided, more: int) -> tuple[str, ...]:
    when = "optional" if first.wanted.optional and first.kind != "namespace" else str(first.wanted.reach)
    place = _place(first.wanted.evidence, first.wanted.rule)
    return name, when, f"{place} and {more} more" if more else place, first.provider


def _label(shipped: Shipped) -> str:
    return f"{shipped.distribution.name}=={shipped.distribution.version}"


# ---------------------------------------------------------------- plain values


def _plain_file(file: TracedFile) -> dict[str, object]:
    return {
        "path": file.source.path,
        "ships_as": file.ships_as,
        "module": file.module,
        "reach": file.reach,
        "because": {"file": file.because.file, "line": file.because.line},
    }


def _plain_import(each: Provided) -> dict[str, object]:
    wanted = each.wanted
    return {
        "name": wanted.name,
        "attribute": wanted.attribute,
        "kind": each.kind,
        "provider": each.provider,
        "reach": wanted.reach,
        "optional": wanted.optional,
        "rule": wanted.rule,
        "file": wanted.evidence.file,
        "line": wanted.evidence.line,
    }


def _plain_distribution(shipped: Shipped) -> dict[str, object]:
    return {
        "name": shipped.distribution.name,
        "version": shipped.distribution.version,
        "because": str(shipped.because),
        "required_by": [because.required_by for because in shipped.required_by],
    }
