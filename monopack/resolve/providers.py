"""From import names to the pins that provide them: the longest dotted prefix wins, by what pins hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from packaging.utils import canonicalize_name

from monopack.errors import LockError
from monopack.model import Distribution, Import, Lock, Needs
from monopack.resolve.candidates import called, tiers
from monopack.resolve.wanted import Given, Known, Wanted

LAST_TIER = 2  # of `tiers`: the pins whose names say nothing of the import


def pinned(name: str, because: str, lock: Lock) -> str:
    """The canonical name of a distribution that the config names."""
    canonical = canonicalize_name(name)
    if canonical not in lock.pins:
        where = f"{because}: {name}"
        raise LockError(f"{lock.path or 'the project'} pins no such distribution", where=where, hint=f"pin {name}, or remove it")
    return canonical


def provider(wanted: Import, given: Given) -> str | Needs:
    """The pin that provides an import: the longest dotted prefix wins; an empty string when none does.

    An excluded distribution need not be pinned: an import that has its name, and that no likely pin provides, is its.
    """
    options, lock, known = given.wanted, given.lock, given.known
    mapped = mapped_entry(wanted.dotted, options.module_map)
    if mapped:
        name = canonicalize_name(mapped[1])
        return name if name in options.excluded else pinned(mapped[1], f"module_map.{mapped[0]}", lock)
    looked_at: list[str] = []
    owners: list[str] = []
    for number, tier in enumerate(tiers(wanted.dotted, given.pins)):
        if number == LAST_TIER and (unpinned := _unpinned_platform(wanted, options, lock)):
            return unpinned[0]
        looked_at.extend(tier)
        unseen = tuple(name for name in tier if name not in known)
        if unseen and number == 0:
            return Needs(pins=unseen)
        depth, owners = claims(wanted.dotted, looked_at, known)
        if needs := _unconfirmed(_prefixes(wanted.dotted, depth), unseen, lock):
            return needs
        refused = [seen for name in tier if isinstance(seen := known.get(name), LockError)]
        if refused and not owners and number < LAST_TIER and not wanted.optional:
            raise refused[0]
        # A pin that holds only a parent package is outdone by a similarly named one that holds the module itself.
        if owners and (number > 0 or depth >= wanted.name.count(".") + 1):
            break
    return _only(owners, wanted, lock) if owners else ""


def _unconfirmed(prefixes: Iterable[str], unseen: Iterable[str], lock: Lock) -> Needs | None:
    """What has to be seen of pins that are not likely to provide any of these names: their modules, then those that may do it."""
    if glances := tuple(pin for pin in unseen if pin not in lock.glanced):
        return Needs(glances=glances)
    claimed = {pin: next((p for p in prefixes if p in lock.glanced[pin]), "") for pin in unseen}
    deepest = max(claimed.values(), key=len, default="")
    return Needs(pins=tuple(pin for pin, prefix in claimed.items() if prefix == deepest)) if deepest else None


def _prefixes(name: str, depth: int) -> list[str]:
    """A dotted name and all that it begins with, the longest first, down to so many parts."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(len(parts), max(depth, 1) - 1, -1)]


def _unpinned_platform(wanted: Import, options: Wanted, lock: Lock) -> list[str]:
    """Excluded distributions that an import is named after; what a pinned one provides is known, not guessed."""
    return [name for name in called(wanted.dotted) if name in options.excluded and name not in lock.pins]


def mapped_entry(name: str, module_map: Mapping[str, str]) -> tuple[str, str] | None:
    """The entry of `[module_map]` for the longest prefix of a dotted name."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        prefix = ".".join(parts[:end])
        if prefix in module_map:
            return prefix, module_map[prefix]
    return None


def claims(name: str, pins: Iterable[str], known: Known) -> tuple[int, list[str]]:
    """How many parts of a dotted name the best pins provide, and which pins those are."""
    parts = name.split(".")
    seen = {pin: found for pin in pins if isinstance(found := known.get(pin), Distribution)}
    for depth in range(len(parts), 0, -1):
        prefix = ".".join(parts[:depth])
        owners = [pin for pin, found in seen.items() if prefix in found.provides]
        if owners:
            return depth, owners
    return 0, []


def _only(owners: list[str], wanted: Import, lock: Lock) -> str:
    """The one owner of an import; two are a question that only a person can answer."""
    if len(owners) == 1:
        return owners[0]
    names = " and ".join(f"{name}=={lock.pins[name].version}" for name in sorted(owners))
    top = wanted.name.partition(".")[0]
    hint = f'say which one in monopack.toml: [module_map] {top} = "{sorted(owners)[0]}"'
    raise LockError(f"{names} both provide {wanted.dotted}", where=str(wanted.evidence), hint=hint)
