"""Facts as text, to keep them and to hand them from one process to another: JSON, which can run no code when it is read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from monopack.model import SourceFile
from monopack.trace.findings import App, Data, Matching, Mention, Needed, Reference, Remark, Spot
from monopack.trace.names import Names
from monopack.trace.sources import Facts

# What of `Facts` is written, in this order; the file itself is whoever's reads them.
PARTS = ("references", "matching", "remarks", "data", "mentions", "needs", "apps", "uses", "names", "places")
ENCODER = json.JSONEncoder(separators=(",", ":"))
FILE = tuple(vars(SourceFile)["__dataclass_fields__"])
NAMES = tuple(vars(Names)["__dataclass_fields__"])


def written(facts: Facts) -> str:
    """What a file without an error imports, reads and tells about names, as ASCII text."""
    return ENCODER.encode([_plain(getattr(facts, part)) for part in PARTS])


def row_of(source: SourceFile) -> list[str | int]:
    """What a file is, as a row."""
    return [getattr(source, name) for name in FILE]


def file_of(row: Sequence[Any]) -> SourceFile:
    """What a file is, from its row. Raises `ValueError` for a row of something else."""
    return SourceFile(**dict(zip(FILE, row, strict=True)))


def read_back(text: str, source: SourceFile) -> Facts | None:
    """The facts of a file from what was written about its bytes; None for text that is something else."""
    try:
        references, matching, remarks, data, mentions, needs, apps, uses, names, places = json.loads(text)
        return Facts(
            source=source,
            references=tuple(map(Reference._make, references)),
            matching=tuple(Matching(Reference._make(row[0]), *row[1:]) for row in matching) if matching else (),
            remarks=tuple(map(Remark._make, remarks)),
            data=tuple(Data(Spot._make(row[0]), *row[1:]) for row in data) if data else (),
            mentions=tuple(map(Mention._make, mentions)),
            needs=tuple(map(Needed._make, needs)),
            apps=tuple(map(App._make, apps)),
            uses=uses,
            names=_names(names),
            places={name: tuple(map(Spot._make, spots)) for name, spots in places.items()} if places else {},
        )
    except (ValueError, TypeError, AttributeError, IndexError):
        return None


def _plain(part: Any) -> Any:
    """A part of facts as JSON knows it; named tuples are rows in it."""
    if isinstance(part, Names):
        return [_plain(getattr(part, name)) for name in NAMES]
    return sorted(part) if isinstance(part, frozenset) else part


def _names(row: list[Any]) -> Names:
    """Names, whose sets were written as lists."""
    sets = [frozenset(each) if isinstance(each, list) else each for each in row]
    return Names(**dict(zip(NAMES, sets, strict=True)))
