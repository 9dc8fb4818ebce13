"""The closure of distributions under what they require on a target (PEP 508)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from monopack.errors import LockError, UnpinnedError
from monopack.model import Because, Distribution, Lock, Pin, Shipped, value
from monopack.resolve.wanted import Given, Known, Wanted

EXTRA = re.compile(r"""\bextra\s*==\s*["']([\w.-]+)["']""")


@value()
class Unclosed:
    """Pins that have to be seen before a closure is known, and the distributions in it so far."""

    pins: tuple[str, ...]
    found: tuple[Distribution, ...]


def closure(roots: Mapping[str, Because], given: Given) -> tuple[tuple[Shipped, ...], frozenset[str]] | Unclosed:
    """Roots and all that they require on the target, with the extras that the project or a requirement asks for.

    Also the excluded distributions that were required on the way.
    """
    wanted, lock, known = given.wanted, given.lock, given.known
    because = {name: reason for name, reason in sorted(roots.items()) if name not in wanted.excluded}
    extras = {name: _asked_for(lock.pins[name], wanted) for name in because}
    left_out: set[str] = set()
    required_by: dict[str, dict[Because, None]] = {}  # dicts as ordered sets
    waiting = list(because)
    unseen: dict[str, None] = {}
    while waiting:
        name = waiting.pop(0)
        if name not in known:
            unseen[name] = None
            continue
        distribution = _had(name, known)
        for requirement in _requirements(distribution, _counting(distribution, extras[name], given), given.markers):
            required = canonicalize_name(requirement.name)
            pin = lock.pins.get(required)
            if required in wanted.excluded:
                left_out.add(required)
                unseen |= {required: None} if pin and required not in known else {}
                continue
            if pin is None:
                _check_unpinned(distribution, requirement, lock)
                continue
            reason = Because(required_by=name, requirement=str(requirement))
            required_by.setdefault(required, {})[reason] = None
            asked = frozenset(requirement.extras) | _asked_for(pin, wanted) | extras.get(required, frozenset())
            if required not in because or asked != extras[required]:
                because.setdefault(required, reason)
                extras[required] = asked
                waiting.append(required)
    if unseen:
        return Unclosed(pins=tuple(unseen), found=tuple(_had(name, known) for name in because if name in known))
    shipped = (
        Shipped(distribution=_had(name, known), because=because[name], required_by=tuple(required_by.get(name, ())))
        for name in sorted(because)
    )
    return tuple(shipped), frozenset(left_out)


def _asked_for(pin: Pin, wanted: Wanted) -> frozenset[str]:
    """The extras that the project asks for; those of its development groups count for tests."""
    return pin.extras | pin.test_extras if wanted.development else pin.extras


def _counting(distribution: Distribution, asked: frozenset[str], given: Given) -> frozenset[str]:
    """The extras that count: those that are asked for, and where the lock does not say, those whose requirements are all pinned.

    An extra that only unites others of its distribution counts by these.
    """
    lock, markers = given.lock, given.markers
    if not lock.pins[distribution.name].any_extras:
        return asked
    there = {*lock.local, *(name for name, pin in lock.pins.items() if given.wanted.development or not pin.development)}
    plain = {str(each) for each in _requirements(distribution, frozenset(), markers)}
    found = set(asked)
    for extra in {canonicalize_name(name) for name in EXTRA.findall("\n".join(distribution.requires))}:
        added = (each for each in _requirements(distribution, frozenset({extra}), markers) if str(each) not in plain)
        names = {canonicalize_name(each.name) for each in added}
        found |= {extra} if names and names <= there - {distribution.name} else set()
    return frozenset(found)


def _had(name: str, known: Known) -> Distribution:
    """What a pin that has to ship is, unless it cannot be had."""
    seen = known[name]
    if isinstance(seen, LockError):
        raise seen
    return seen


def top_level(excluded: str, known: Known) -> list[str]:
    """The import names of an excluded distribution; of one that is not pinned, the one that it most likely has."""
    found = known.get(excluded)
    if not isinstance(found, Distribution):
        return [excluded.replace("-", "_")]
    return sorted({name.partition(".")[0] for name in found.provides})


def _requirements(distribution: Distribution, extras: frozenset[str], markers: Mapping[str, str]) -> list[Requirement]:
    """The `Requires-Dist` of a distribution that hold on a target with some extras (PEP 508)."""
    environments = [{**markers, "extra": extra} for extra in ("", *sorted(extras))]
    requirements = [_requirement(line, distribution) for line in distribution.requires]
    return [r for r in requirements if r.marker is None or any(r.marker.evaluate(e) for e in environments)]


def _requirement(line: str, distribution: Distribution) -> Requirement:
    try:
        return Requirement(line)
    except InvalidRequirement:
        what = f"{distribution.name}=={distribution.version} has a requirement that cannot be read: {line!r}"
        raise LockError(what, hint="use a version whose metadata follows PEP 508") from None


def _check_unpinned(distribution: Distribution, requirement: Requirement, lock: Lock) -> None:
    """Refuse a requirement without a pin, unless it is first-party code, or of an extra that nobody may have asked for."""
    guessed = lock.pins[distribution.name].any_extras and "extra" in str(requirement.marker)
    if guessed or canonicalize_name(requirement.name) in lock.local:
        return
    what = f"{distribution.name}=={distribution.version} requires {requirement.name}, which is not pinned for the target"
    hint = f"pin {requirement.name} in {lock.path}, or name it in exclude_distributions if the platform has it"
    raise UnpinnedError(what, where=lock.path, hint=hint)
