"""What a resolution is asked, and what it knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from monopack.errors import LockError
from monopack.model import Distribution, Evidence, Import, Lock, MetadataUse, value
from monopack.resolve.rules import Rules

Seen = Distribution | LockError  # a pin that was looked at: what it is, or why it cannot be had
Known = Mapping[str, Seen]


@value()
class Wanted:
    """What a pack, or its tests, want of the lock.

    `distributions` maps names that must ship whatever is imported to the reason; `excluded` are canonical names that never
    ship (the platform has them); `module_map` maps dotted import names to distribution names. `development` pins count only
    for tests. `metadata` and `uses` are as in a trace, `rules` are the import rules; `optional` says which pins ship that a
    distribution imports where it can do without: those that `rules` name, all (`ship`), or none (`skip`).
    """

    imports: tuple[Import, ...]
    distributions: Mapping[str, str]
    excluded: frozenset[str] = frozenset()
    module_map: Mapping[str, str]
    development: bool = False
    metadata: tuple[MetadataUse, ...] = ()
    uses: Mapping[str, Evidence] = field(default_factory=dict)
    rules: Rules = field(default_factory=dict)
    optional: str = "rules"


@value()
class Given:
    """All that a resolution is given: `markers` is the target's PEP 508 environment, `pins` are the names that count."""

    wanted: Wanted
    lock: Lock
    markers: Mapping[str, str]
    known: Known
    pins: tuple[str, ...]
