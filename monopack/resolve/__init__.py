"""From imports to a closed set of distributions, by what their own RECORDs provide and require.

`resolve` only thinks: what it has not seen yet it names as `Needs`, and is called again when the store has it. `providers` finds
the pin of an import, `rules` and `told` what code needs without importing it, `requires` closes over requirements, `through`
(`reach`) follows what distributions import of each other, `advice` says what to do about what nothing provides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from monopack.model import Because, Import, Lock, Needs, Reach, Resolution, value
from monopack.resolve.advice import judge, metadata_of, not_there, unused_exclusions, way_out
from monopack.resolve.providers import mapped_entry, pinned, provider
from monopack.resolve.requires import top_level
from monopack.resolve.rules import RULES
from monopack.resolve.through import grow
from monopack.resolve.told import told_to_ship
from monopack.resolve.wanted import Given, Known, Seen, Wanted

__all__ = ["RULES", "Seen", "Wanted", "judge", "metadata_of", "not_there", "resolve", "unused_exclusions", "way_out"]


def resolve(wanted: Wanted, lock: Lock, markers: Mapping[str, str], known: Known) -> Resolution | Needs:
    """The closed set of distributions for what is wanted.

    `markers` is the target's PEP 508 environment, `known` what is known of the pins seen so far, by canonical name. Returns
    `Needs` with the pins that have to be seen first. Raises `LockError` where two pins provide the same module, config names an
    unpinned distribution, or a pin that is needed cannot be had, and `UnpinnedError` where a requirement has no pin.
    """
    pins = tuple(name for name, pin in lock.pins.items() if wanted.development or not pin.development)
    given = Given(wanted=wanted, lock=lock, markers=markers, known=known, pins=pins)
    options = sorted(wanted.distributions.items(), reverse=True)  # of two spellings the first counts
    named = {pinned(name, option, lock): Because(option=option) for name, option in options}
    found, told = _provided(given), told_to_ship(given)
    if isinstance(found, Needs) or isinstance(told, Needs):
        return _together([each for each in (found, told) if isinstance(each, Needs)])
    starts: dict[str, list[str]] = {}
    for name, pin in found.providers.items():
        starts.setdefault(pin, []).append(name)
    grown = grow({**told, **found.roots, **named}, starts, given)
    if isinstance(grown, Needs):
        return grown
    platform = (*found.platform, *(name for excluded in sorted(grown.excluded) for name in top_level(excluded, known)))
    mapped = {name: by[0] for name in found.providers if (by := mapped_entry(name, wanted.module_map))}
    return Resolution(
        shipped=grown.shipped, unresolved=found.unresolved, providers=found.providers, mapped=mapped,
        platform=tuple(dict.fromkeys(platform)), left_out=grown.omitted,
    )  # fmt: skip


@value()
class _Provided:
    """Which pins provide the imports (by dotted name) and why they ship, what the platform has, what nothing provides."""

    providers: Mapping[str, str]
    roots: Mapping[str, Because]
    platform: tuple[str, ...]
    unresolved: tuple[Import, ...]


def _provided(given: Given) -> _Provided | Needs:
    """The providers of all imports, or the pins that have to be seen to tell."""
    grouped = _by_name(given.wanted.imports).values()
    answers = [(imports, provider(imports[0], given)) for imports in grouped]
    if unseen := [answer for _, answer in answers if isinstance(answer, Needs)]:
        return _together(unseen)
    found = [(imports, answer) for imports, answer in answers if isinstance(answer, str)]
    ours = [(imports[0], pin) for imports, pin in found if pin and pin not in given.wanted.excluded]
    return _Provided(
        providers={wanted.dotted: pin for wanted, pin in ours},
        roots={pin: Because(wanted=wanted) for wanted, pin in reversed(ours)},
        platform=tuple(imports[0].name.partition(".")[0] for imports, pin in found if pin in given.wanted.excluded),
        unresolved=tuple(wanted for imports, pin in found if not pin for wanted in imports),
    )


def _together(needs: Sequence[Needs]) -> Needs:
    """All pins that have to be seen, each once."""
    pins = dict.fromkeys(pin for each in needs for pin in each.pins)
    return Needs(pins=tuple(pins), glances=tuple(dict.fromkeys(pin for each in needs for pin in each.glances if pin not in pins)))


def _by_name(imports: Iterable[Import]) -> dict[str, list[Import]]:
    """Imports of one dotted name together, names sorted, the eager ones first."""
    grouped: dict[str, list[Import]] = {}
    for wanted in sorted(imports, key=lambda i: (i.dotted, i.reach is Reach.LAZY, i.optional)):
        grouped.setdefault(wanted.dotted, []).append(wanted)
    return grouped
