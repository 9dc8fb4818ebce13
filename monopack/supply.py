"""A side door of the hallway, between lock and store: every pack gets its distributions, fetched for all packs together."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from monopack.errors import LockError
from monopack.model import Distribution, Lock, Needs, Resolution, Target, value
from monopack.resolve import Wanted, resolve
from monopack.store import Store

log = logging.getLogger(__name__)

NOTHING = Resolution(shipped=(), unresolved=())


@value()
class Ask:
    """What one pack wants of the lock, and what its tests want (None: it has none)."""

    for_pack: Wanted
    for_tests: Wanted | None


@value()
class Supply:
    """The distributions of one pack, and those that its tests run with."""

    for_pack: Resolution
    for_tests: Resolution


Answer = Supply | LockError


def supply(asks: Sequence[Ask], lock: Lock, target: Target, store: Store) -> tuple[Answer, ...]:
    """An answer to every ask, in their order; what cannot be had is the answer of those packs alone that need it."""
    known: dict[str, Distribution] = {}
    refused: dict[int, LockError] = {}
    while True:
        answers = [refused.get(number) or _answer(ask, lock, target, known) for number, ask in enumerate(asks)]
        needs = {number: answer.pins for number, answer in enumerate(answers) if isinstance(answer, Needs)}
        if not needs:
            return tuple(answer for answer in answers if not isinstance(answer, Needs))
        wanted = list(dict.fromkeys(name for pins in needs.values() for name in pins))
        log.debug("looking at %d of %d pins: %s", len(wanted), len(lock.pins), ", ".join(wanted))
        try:
            known |= _obtain(wanted, lock, target, store)
        except LockError:
            for number, pins in needs.items():
                try:
                    known |= _obtain(pins, lock, target, store)
                except LockError as error:
                    refused[number] = error


def _obtain(names: Sequence[str], lock: Lock, target: Target, store: Store) -> dict[str, Distribution]:
    return store.obtain([lock.pins[name] for name in names], lock.index_options, target)


def _answer(ask: Ask, lock: Lock, target: Target, known: dict[str, Distribution]) -> Answer | Needs:
    """What one pack gets, or what has to be seen first."""
    try:
        for_pack = resolve(ask.for_pack, lock, target.markers, known)
        for_tests = resolve(ask.for_tests, lock, target.markers, known) if ask.for_tests else NOTHING
    except LockError as error:
        return error
    if isinstance(for_pack, Resolution) and isinstance(for_tests, Resolution):
        return Supply(for_pack=for_pack, for_tests=for_tests)
    return Needs(pins=tuple(name for part in (for_pack, for_tests) if isinstance(part, Needs) for name in part.pins))
