"""A side door of the hallway, between lock and store: every pack gets its distributions, fetched for all packs together."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from monopack.errors import LockError, UnavailableError
from monopack.model import Distribution, Lock, Needs, Resolution, Target, value
from monopack.resolve import Seen, Wanted, resolve
from monopack.resolve.reach import reached, unread_modules
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
    known: dict[str, Seen] = {}
    while True:
        answers = [_answer(ask, lock, target, known) for ask in asks]
        open_ones = [answer for answer in answers if isinstance(answer, Needs)]
        if not open_ones:
            return tuple(answer for answer in answers if not isinstance(answer, Needs))
        needs = dict.fromkeys(name for answer in open_ones for name in answer.pins)
        glances = dict.fromkeys(name for answer in open_ones for name in answer.glances if name not in needs)
        if glances:
            lock = _glanced(list(glances), lock, target, store)
            needs |= dict.fromkeys(name for name in glances if name not in lock.glanced)
        with ThreadPoolExecutor(1) as beside:  # that waits for other programs
            obtained = beside.submit(_obtain, list(needs), lock, target, store)
            for answer in open_ones:
                for name, modules in answer.modules.items():
                    known[name] = _looked_into(known[name], modules, store)
            known |= obtained.result()


def _glanced(names: Sequence[str], lock: Lock, target: Target, store: Store) -> Lock:
    """The lock with what an index tells of pins without their wheels."""
    log.debug("glancing at %d of %d pins: %s", len(names), len(lock.pins), ", ".join(names))
    try:
        told = store.glance([lock.pins[name] for name in names], lock.index_options, target)
    except LockError:  # the store cannot be used: obtaining says so to the packs that need it
        told = {}
    return replace(lock, glanced={**lock.glanced, **told})


def _obtain(names: Sequence[str], lock: Lock, target: Target, store: Store) -> dict[str, Seen]:
    """The distributions of pins, or why they cannot be had."""
    if names:
        log.debug("looking at %d of %d pins: %s", len(names), len(lock.pins), ", ".join(names))
    refused: dict[str, Seen] = {}
    while wanted := [name for name in names if name not in refused]:
        try:
            return {**refused, **store.obtain([lock.pins[name] for name in wanted], lock.index_options, target)}
        except UnavailableError as error:
            log.debug("%s", error)
            refused |= dict.fromkeys(error.pins, error)
        except LockError as error:
            refused |= dict.fromkeys(wanted, error)
    return refused


def _looked_into(seen: Seen, names: Sequence[str], store: Store) -> Seen:
    """A distribution that tells what all modules of it import that importing these dotted names of it runs."""
    while isinstance(seen, Distribution) and (unread := unread_modules(seen, reached(seen, names))):
        try:
            seen = store.look_into(seen, unread)
        except LockError as error:
            return error
    return seen


def _answer(ask: Ask, lock: Lock, target: Target, known: dict[str, Seen]) -> Answer | Needs:
    """What one pack gets, or what has to be seen first."""
    try:
        for_pack = resolve(ask.for_pack, lock, target.markers, known)
        for_tests = resolve(ask.for_tests, lock, target.markers, known) if ask.for_tests else NOTHING
    except LockError as error:
        return error
    if isinstance(for_pack, Resolution) and isinstance(for_tests, Resolution):
        return Supply(for_pack=for_pack, for_tests=for_tests)
    parts = [part for part in (for_pack, for_tests) if isinstance(part, Needs)]
    modules: dict[str, tuple[str, ...]] = {}
    for part in parts:
        modules |= {name: (*modules.get(name, ()), *names) for name, names in part.modules.items()}
    return Needs(
        pins=tuple(name for part in parts for name in part.pins),
        modules=modules,
        glances=tuple(name for part in parts for name in part.glances),
    )
