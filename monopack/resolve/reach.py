"""What the modules of distributions import, as far as a pack reaches them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from monopack.model import Distribution, Needs, WheelImport, value


@value()
class Foreign:
    """An import, in a reached module of a distribution, of what no distribution at hand provides."""

    distribution: str
    module: str
    wanted: WheelImport


@value()
class Explored:
    """The modules that are reached, by the canonical names of their distributions, and what they import of others."""

    modules: Mapping[str, tuple[str, ...]]
    foreign: tuple[Foreign, ...]


@value()
class AtHand:
    """Distributions by canonical name, and whose each of their modules (dotted) is."""

    distributions: Mapping[str, Distribution]
    owners: Mapping[str, str]


Runs = Callable[[WheelImport], bool]


def explore(starts: Mapping[str, Iterable[str]], distributions: Mapping[str, Distribution]) -> Explored | Needs:
    """Follow imports through distributions (by canonical name), from the dotted names that are imported of each.

    What may run when a module is imported is followed, also where its failing is caught; what only runs later is not. An import
    in a module that is reached only so counts as one whose failing is caught. Returns `Needs` with modules where it is not known
    what they import.
    """
    owners = {module: name for name, each in sorted(distributions.items()) for module in each.provides}
    at_hand = AtHand(distributions=distributions, owners=owners)
    found = _explored(starts, at_hand, _may_run)
    if isinstance(found, Needs) or not found.foreign:
        return found
    surely = _explored(starts, at_hand, _runs)
    sure = (
        {(name, module) for name, modules in surely.modules.items() for module in modules}
        if isinstance(surely, Explored)
        else set()
    )
    foreign = dict.fromkeys(each if (each.distribution, each.module) in sure else _guarded(each) for each in found.foreign)
    return replace(found, foreign=tuple(foreign))


def _guarded(foreign: Foreign) -> Foreign:
    return replace(foreign, wanted=replace(foreign.wanted, optional=True))


def _explored(starts: Mapping[str, Iterable[str]], at_hand: AtHand, runs: Runs) -> Explored | Needs:
    """What is reached by the imports that `runs` says to follow."""
    distributions = at_hand.distributions
    names = {name: dict.fromkeys(imported) for name, imported in starts.items() if name in distributions}
    modules: dict[str, tuple[str, ...]] = {}
    foreign: dict[Foreign, None] = {}
    unread: dict[str, tuple[str, ...]] = {}
    waiting = dict.fromkeys(names)
    while waiting:
        name = next(iter(waiting))
        del waiting[name]
        modules[name] = reached(distributions[name], names[name], runs)
        if unread_modules(distributions[name], modules[name]):
            unread[name] = tuple(names[name])
            continue
        for module, wanted in _imports(distributions[name], modules[name]):
            owner = owner_of(wanted.dotted, at_hand.owners)
            if not owner:
                foreign[Foreign(distribution=name, module=module, wanted=wanted)] = None
            elif owner != name and runs(wanted) and wanted.dotted not in names.setdefault(owner, {}):
                names[owner][wanted.dotted] = None
                waiting[owner] = None
    return Needs(modules=unread) if unread else Explored(modules=modules, foreign=tuple(foreign))


def _runs(wanted: WheelImport) -> bool:
    """Whether an import surely runs when the module around it is imported, and has to work."""
    return not (wanted.optional or wanted.lazy)


def _may_run(wanted: WheelImport) -> bool:
    """Whether an import may well run when the module around it is imported."""
    return wanted.optional or not wanted.lazy


def reached(distribution: Distribution, names: Iterable[str], runs: Runs = _may_run) -> tuple[str, ...]:
    """The modules of a distribution that importing dotted names of it runs, as far as it is known what they import."""
    waiting = [module for name in names for module in _modules(name, distribution)]
    found = dict.fromkeys(waiting)
    while waiting:
        for wanted in distribution.imports.get(waiting.pop(), ()):
            new = [module for module in _modules(wanted.dotted, distribution) if module not in found] if runs(wanted) else []
            found |= dict.fromkeys(new)
            waiting.extend(new)
    return tuple(found)


def unread_modules(distribution: Distribution, modules: Iterable[str]) -> list[str]:
    """Those modules of which it is not known what they import."""
    return [module for module in modules if module not in distribution.imports]


def owner_of(name: str, owners: Mapping[str, str]) -> str:
    """The owner of a dotted name, or of the longest prefix that has one; empty when none has."""
    while name and name not in owners:
        name = name.rpartition(".")[0]
    return owners[name] if name else ""


def _modules(name: str, distribution: Distribution) -> list[str]:
    """The modules of a distribution that importing a dotted name runs: all that lead to it."""
    found = []
    while name:
        if name in distribution.provides:
            found.append(name)
        name = name.rpartition(".")[0]
    return found


def _imports(distribution: Distribution, modules: Iterable[str]) -> Iterator[tuple[str, WheelImport]]:
    return ((module, wanted) for module in modules for wanted in distribution.imports[module])
