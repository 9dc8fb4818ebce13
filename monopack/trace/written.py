"""Facts as text, to keep them and to hand them from one process to another: JSON, which can run no code when it is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from monopack.model import SourceFile
from monopack.trace.findings import Data, Matching, Mention, Needed, Reference, Remark, Spot
from monopack.trace.names import Names
from monopack.trace.sources import Facts

Kind = TypeVar("Kind")

# What of `Facts` is written, in this order; the file itself is whoever's reads them.
PARTS = ("references", "matching", "remarks", "data", "mentions", "needs", "uses", "names", "places")
FIELDS: Mapping[type, tuple[str, ...]] = {
    kind: tuple(vars(kind)["__dataclass_fields__"]) for kind in (Reference, Matching, Remark, Data, Mention, Needed, Names, Spot)
}


def written(facts: Facts) -> str:
    """What a file without an error imports, reads and tells about names, as ASCII text."""
    return json.dumps([_plain(getattr(facts, part)) for part in PARTS], separators=(",", ":"))


def read_back(text: str, source: SourceFile) -> Facts | None:
    """The facts of a file from what was written about its bytes; None for text that is something else."""
    try:
        rows = dict(zip(PARTS, json.loads(text), strict=True))
        return Facts(
            source=source,
            references=_all(Reference, rows["references"]),
            matching=tuple(_made(Matching, [_made(Reference, row[0]), *row[1:]]) for row in rows["matching"]),
            remarks=_all(Remark, rows["remarks"]),
            data=tuple(_made(Data, [_made(Spot, row[0]), *row[1:]]) for row in rows["data"]),
            mentions=_all(Mention, rows["mentions"]),
            needs=_all(Needed, rows["needs"]),
            uses=rows["uses"],
            names=_names(rows["names"]),
            places={name: _all(Spot, spots) for name, spots in rows["places"].items()},
        )
    except (ValueError, TypeError, AttributeError, IndexError):
        return None


def _plain(part: Any) -> Any:
    """A part of facts as JSON knows it."""
    if isinstance(part, Mapping):
        return {name: _plain(each) for name, each in part.items()}
    if isinstance(part, frozenset):
        return sorted(part)
    if isinstance(part, tuple):
        return [_plain(each) for each in part]
    return [_plain(getattr(part, name)) for name in FIELDS[type(part)]] if type(part) in FIELDS else part


def _all(kind: Callable[..., Kind], rows: Iterable[list[Any]]) -> tuple[Kind, ...]:
    return tuple([_made(kind, row) for row in rows])


def _made(kind: Callable[..., Kind], row: list[Any]) -> Kind:
    return kind(**dict(zip(FIELDS[kind], row, strict=True)))  # type: ignore[index]


def _names(row: list[Any]) -> Names:
    """Names, whose sets were written as lists."""
    return _made(Names, [frozenset(each) if isinstance(each, list) else each for each in row])
