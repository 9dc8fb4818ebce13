"""What code needs without importing it: by import rules, and by the metadata that it reads."""

from __future__ import annotations

from collections.abc import Collection

from packaging.utils import canonicalize_name

from monopack.model import Because, Distribution, Import, MetadataUse, Needs
from monopack.resolve.rules import told_by_code
from monopack.resolve.wanted import Given, Known


def told_to_ship(given: Given) -> dict[str, Because] | Needs:
    """The pins that first-party code needs by import rules, and those whose metadata it reads."""
    wanted, pins, known = given.wanted, given.pins, given.known
    roots: dict[str, Because] = {}
    for key, place, names in told_by_code(wanted.rules, wanted.uses, wanted.imports):
        for pin in map(canonicalize_name, names):
            if pin in pins:
                roots.setdefault(pin, Because(wanted=place, rule=f"import rule {key}"))
    unseen: dict[str, None] = {}
    for use in wanted.metadata:
        if use.group:
            unseen |= {pin: None for pin in pins if pin not in known}
        for name in _consulted(use, pins, known):
            place = Import(name=name, evidence=use.evidence, reach=use.reach)
            roots.setdefault(name, Because(wanted=place, rule=use.what))
    return Needs(pins=tuple(unseen)) if unseen else roots


def _consulted(use: MetadataUse, pins: Collection[str], known: Known) -> list[str]:
    """The pins whose metadata is read; of those that are asked for by name, one that is not pinned need not be there."""
    if use.group:
        return [pin for pin in pins if isinstance(seen := known.get(pin), Distribution) and use.group in seen.entry_points]
    name = canonicalize_name(use.distribution)
    return [name] if name in pins else []
