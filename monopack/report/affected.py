"""The window: the packs that a change touches, as lines of text and as plain values."""

from __future__ import annotations

from dataclasses import asdict

from monopack.model import Affected, Touched
from monopack.report import table


def lines(found: Affected) -> list[str]:
    """A line for each pack: its name, what kind of thing touches it, and what that is; none when no pack is touched."""
    return table([_row(each) for each in found.packs]) if found.packs else []


def _row(each: Touched) -> tuple[str, str, str]:
    first, *more = each.reasons
    return each.name, first.kind, f"{first.message}{f' (and {len(more)} more)' if more else ''}"


def document(found: Affected) -> dict[str, object]:
    """The packs that a change touches as plain values: see docs/reference/json.md."""
    return {"command": "affected", "base": found.base, "packs": [asdict(each) for each in found.packs], "gone": list(found.gone)}
