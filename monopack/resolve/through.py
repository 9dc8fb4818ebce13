"""What distributions import of each other beyond what their metadata declares, as far as code reaches it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import field, replace

from packaging.utils import canonicalize_name

from monopack.model import Because, Distribution, Needs, Omitted, Shipped, WheelImport, value
from monopack.resolve.candidates import called
from monopack.resolve.providers import claims, mapped_entry
from monopack.resolve.reach import Explored, explore
from monopack.resolve.requires import Unclosed, closure
from monopack.resolve.rules import Rules
from monopack.resolve.wanted import Given, Wanted


@value()
class Grown:
    """What ships, which excluded distributions were required on the way, and what could still be imported."""

    shipped: tuple[Shipped, ...]
    excluded: frozenset[str]
    omitted: tuple[Omitted, ...]


def grow(roots: Mapping[str, Because], imported: Mapping[str, list[str]], given: Given) -> Grown | Needs:
    """The closure of roots, grown by what its distributions import beyond it, and what could still be imported.

    `imported` are the dotted names that first-party code imports of distributions.
    """
    while True:
        closed = closure(roots, given)
        if isinstance(closed, Unclosed):
            return _needs(closed, roots, imported)
        shipped, excluded = closed
        by_name = {each.distribution.name: each.distribution for each in shipped}
        explored = explore({**_whole(roots, by_name), **imported}, by_name)
        if isinstance(explored, Needs):
            return explored
        more = _undeclared(explored, by_name.keys(), given)
        if isinstance(more, Needs):
            return more
        if not more.roots:
            reached = tuple(_with_import(each, roots) for each in shipped)
            return Grown(shipped=reached, excluded=excluded, omitted=more.omitted)
        roots = {**roots, **more.roots}


def _needs(closed: Unclosed, roots: Mapping[str, Because], imported: Mapping[str, list[str]]) -> Needs:
    """What has to be seen of an open closure; what is reached of it will be the same, so that it can be looked into meanwhile."""
    by_name = {each.name: each for each in closed.found}
    explored = explore({**_whole(roots, by_name), **imported}, by_name)
    return Needs(pins=closed.pins, modules=explored.modules if isinstance(explored, Needs) else {})


def _whole(roots: Mapping[str, Because], by_name: Mapping[str, Distribution]) -> dict[str, list[str]]:
    """The top-level modules of what ships for other reasons than an import: which of them is imported, nothing shows."""
    others = (name for name, reason in roots.items() if name in by_name and (reason.rule or reason.option))
    return {name: [module for module in sorted(by_name[name].provides) if "." not in module] for name in others}


def _with_import(shipped: Shipped, roots: Mapping[str, Because]) -> Shipped:
    """A distribution with the import by another among what requires it."""
    reason = roots.get(shipped.distribution.name)
    return replace(shipped, required_by=(*shipped.required_by, reason)) if reason and reason.required_by else shipped


@value()
class _More:
    """Further roots, and pins that are left out."""

    roots: Mapping[str, Because] = field(default_factory=dict)
    omitted: tuple[Omitted, ...] = ()


def _undeclared(explored: Explored, ships: Set[str], given: Given) -> _More | Needs:
    """What modules of distributions import, or need by a rule, that nothing ships for."""
    roots: dict[str, Because] = {}
    omitted: dict[tuple[str, str], Omitted] = {}
    unseen: dict[str, None] = {}
    free = {pin for pin in given.pins if pin not in ships and pin not in given.wanted.excluded}
    if given.wanted.optional != "skip":
        roots |= _by_rules(explored, free, given.wanted.rules)
    for foreign in explored.foreign:
        wanted = foreign.wanted
        for pin in _meant(wanted, free, given.wanted):
            if (wanted.lazy or wanted.optional) and given.wanted.optional != "ship":
                reason = Omitted(name=pin, wanted=wanted.dotted, module=foreign.module, distribution=foreign.distribution)
                omitted.setdefault((pin, foreign.distribution), reason)
            elif pin not in given.known:
                unseen[pin] = None
            elif claims(wanted.dotted, [pin], given.known)[0]:
                because = Because(required_by=foreign.distribution, requirement=wanted.dotted, module=foreign.module)
                roots.setdefault(pin, because)
    return Needs(pins=tuple(unseen)) if unseen else _More(roots=roots, omitted=tuple(omitted[key] for key in sorted(omitted)))


def _by_rules(explored: Explored, free: Set[str], rules: Rules) -> dict[str, Because]:
    """What reached modules need by an import rule."""
    return {
        canonicalize_name(name): Because(required_by=distribution, rule=f"import rule {module}")
        for distribution, modules in explored.modules.items()
        for module in modules
        for name in rules.get(module, ())
        if canonicalize_name(name) in free
    }


def _meant(wanted: WheelImport, free: Set[str], options: Wanted) -> list[str]:
    """The pins that an import in a distribution is named after, or that `[module_map]` names for it."""
    if mapped := mapped_entry(wanted.dotted, options.module_map):
        return [name] if (name := canonicalize_name(mapped[1])) in free else []
    return list(dict.fromkeys(name for name in called(wanted.dotted) if name in free))[:1]
