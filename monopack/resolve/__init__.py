"""From imports to a closed set of distributions, by what their own RECORDs provide and require.

`resolve` only thinks: what it has not seen yet it names as `Needs`, and is called again when the store has it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import field, replace
from difflib import get_close_matches

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from monopack.errors import LockError, UnpinnedError
from monopack.model import (
    Because,
    Distribution,
    Evidence,
    Failure,
    Import,
    Lock,
    MetadataUse,
    Needs,
    Omitted,
    Pin,
    Reach,
    Resolution,
    Shipped,
    WheelImport,
    value,
)
from monopack.resolve.candidates import called, likely_distribution, pinned_names, standard_names, tiers, versions_with
from monopack.resolve.reach import Explored, explore
from monopack.resolve.rules import RULES, Rules, told_by_code

__all__ = ["RULES", "Seen", "Wanted", "judge", "metadata_of", "not_there", "resolve", "unused_exclusions", "way_out"]

Seen = Distribution | LockError  # a pin that was looked at: what it is, or why it cannot be had
Known = Mapping[str, Seen]

NATIVE = (".so", ".pyd")
LAST_TIER = 2  # of `tiers`: the pins whose names say nothing of the import


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


def resolve(wanted: Wanted, lock: Lock, markers: Mapping[str, str], known: Known) -> Resolution | Needs:
    """The closed set of distributions for what is wanted.

    `markers` is the target's PEP 508 environment, `known` what is known of the pins seen so far, by canonical name. Returns
    `Needs` with the pins that have to be seen first. Raises `LockError` where two pins provide the same module, config names an
    unpinned distribution, or a pin that is needed cannot be had, and `UnpinnedError` where a requirement has no pin.
    """
    pins = tuple(name for name, pin in lock.pins.items() if wanted.development or not pin.development)
    roots: dict[str, Because] = {}
    providers: dict[str, str] = {}
    unresolved: list[Import] = []
    platform: dict[str, None] = {}
    unseen: dict[str, None] = {}
    for name, option in sorted(wanted.distributions.items()):
        roots.setdefault(_pinned(name, option, lock), Because(option=option))
    for imports in _by_name(wanted.imports).values():
        found = _provider(imports[0], wanted, lock, pins, known)
        if isinstance(found, Needs):
            unseen |= dict.fromkeys(found.pins)
        elif found == "":
            unresolved.extend(imports)
        elif found in wanted.excluded:
            platform[imports[0].name.partition(".")[0]] = None
        else:
            providers[imports[0].dotted] = found
            roots.setdefault(found, Because(wanted=imports[0]))
    told = _told(wanted, pins, known)
    if isinstance(told, Needs):
        unseen |= dict.fromkeys(told.pins)
    if unseen or isinstance(told, Needs):
        return Needs(pins=tuple(unseen))
    starts: dict[str, list[str]] = {}
    for name, provider in providers.items():
        starts.setdefault(provider, []).append(name)
    grown = _grow({**told, **roots}, starts, _Given(wanted=wanted, lock=lock, markers=markers, known=known, pins=pins))
    if isinstance(grown, Needs):
        return grown
    shipped, left_out, omitted = grown
    platform |= {name: None for excluded in sorted(left_out) for name in _top_level(excluded, known)}
    mapped = {name: by[0] for name in providers if (by := _mapped(name, wanted.module_map))}
    return Resolution(
        shipped=shipped, unresolved=tuple(unresolved), providers=providers, mapped=mapped, platform=tuple(platform),
        left_out=omitted,
    )  # fmt: skip


def _by_name(imports: Iterable[Import]) -> dict[str, list[Import]]:
    """Imports of one dotted name together, names sorted, the eager ones first."""
    grouped: dict[str, list[Import]] = {}
    for wanted in sorted(imports, key=lambda i: (i.dotted, i.reach is Reach.LAZY, i.optional)):
        grouped.setdefault(wanted.dotted, []).append(wanted)
    return grouped


def _pinned(name: str, because: str, lock: Lock) -> str:
    """The canonical name of a distribution that the config names."""
    canonical = canonicalize_name(name)
    if canonical not in lock.pins:
        where = f"{because}: {name}"
        raise LockError(f"{lock.path or 'the project'} pins no such distribution", where=where, hint=f"pin {name}, or remove it")
    return canonical


# ---------------------------------------------------------------- import name -> distribution


def _provider(wanted: Import, options: Wanted, lock: Lock, pins: tuple[str, ...], known: Known) -> str | Needs:
    """The pin that provides an import: the longest dotted prefix wins; an empty string when none does.

    An excluded distribution need not be pinned: an import that has its name, and that no likely pin provides, is its.
    """
    mapped = _mapped(wanted.dotted, options.module_map)
    if mapped:
        name = canonicalize_name(mapped[1])
        return name if name in options.excluded else _pinned(mapped[1], f"module_map.{mapped[0]}", lock)
    looked_at: list[str] = []
    owners: list[str] = []
    for number, tier in enumerate(tiers(wanted.dotted, pins)):
        if number == LAST_TIER and (unpinned := _unpinned_platform(wanted, options, lock)):
            return unpinned[0]
        looked_at.extend(tier)
        unseen = tuple(name for name in tier if name not in known)
        if unseen:
            return Needs(pins=unseen)
        depth, owners = _claims(wanted.dotted, looked_at, known)
        refused = [seen for name in tier if isinstance(seen := known[name], LockError)]
        if refused and not owners and number < LAST_TIER and not wanted.optional:
            raise refused[0]
        # A pin that holds only a parent package is outdone by a similarly named one that holds the module itself.
        if owners and (number > 0 or depth >= wanted.name.count(".") + 1):
            break
    return _only(owners, wanted, lock) if owners else ""


def _unpinned_platform(wanted: Import, options: Wanted, lock: Lock) -> list[str]:
    """Excluded distributions that an import is named after; what a pinned one provides is known, not guessed."""
    return [name for name in called(wanted.dotted) if name in options.excluded and name not in lock.pins]


def _mapped(name: str, module_map: Mapping[str, str]) -> tuple[str, str] | None:
    """The entry of `[module_map]` for the longest prefix of a dotted name."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        prefix = ".".join(parts[:end])
        if prefix in module_map:
            return prefix, module_map[prefix]
    return None


def _claims(name: str, pins: Iterable[str], known: Known) -> tuple[int, list[str]]:
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


# ---------------------------------------------------------------- what distributions import of each other


@value()
class _Given:
    """What `resolve` was given, and the pins that count."""

    wanted: Wanted
    lock: Lock
    markers: Mapping[str, str]
    known: Known
    pins: tuple[str, ...]


def _grow(
    roots: dict[str, Because], imported: Mapping[str, list[str]], given: _Given
) -> tuple[tuple[Shipped, ...], set[str], tuple[Omitted, ...]] | Needs:
    """The closure of roots, grown by what its distributions import beyond it, and what could still be imported.

    `imported` are the dotted names that first-party code imports of distributions.
    """
    while True:
        closed = _closure(roots, given.wanted, given.lock, given.markers, given.known)
        if isinstance(closed, Needs):
            return closed
        shipped, left_out = closed
        by_name = {each.distribution.name: each.distribution for each in shipped}
        explored = explore({**_whole(roots, by_name), **imported}, by_name)
        if isinstance(explored, Needs):
            return explored
        more = _undeclared(explored, by_name.keys(), given)
        if isinstance(more, Needs):
            return more
        if not more.roots:
            return tuple(_with_import(each, roots) for each in shipped), left_out, more.omitted
        roots = {**roots, **more.roots}


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


def _undeclared(explored: Explored, ships: Set[str], given: _Given) -> _More | Needs:
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
            elif _claims(wanted.dotted, [pin], given.known)[0]:
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
    if mapped := _mapped(wanted.dotted, options.module_map):
        return [name] if (name := canonicalize_name(mapped[1])) in free else []
    return list(dict.fromkeys(name for name in called(wanted.dotted) if name in free))[:1]


# ---------------------------------------------------------------- what code needs without importing it


def _told(wanted: Wanted, pins: Collection[str], known: Known) -> dict[str, Because] | Needs:
    """The pins that first-party code needs by import rules, and those whose metadata it reads."""
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


# ---------------------------------------------------------------- distribution -> what it requires


def _closure(
    roots: Mapping[str, Because], wanted: Wanted, lock: Lock, markers: Mapping[str, str], known: Known
) -> tuple[tuple[Shipped, ...], set[str]] | Needs:
    """Roots and all that they require on the target, with the extras that the project or a requirement asks for.

    Also the excluded distributions that were required on the way.
    """
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
        for requirement in _requirements(distribution, extras[name], markers):
            required = canonicalize_name(requirement.name)
            pin = lock.pins.get(required)
            if required in wanted.excluded:
                left_out.add(required)
                unseen |= {required: None} if pin and required not in known else {}
                continue
            if pin is None:
                raise _unpinned(distribution, requirement, lock)
            reason = Because(required_by=name, requirement=str(requirement))
            required_by.setdefault(required, {})[reason] = None
            asked = frozenset(requirement.extras) | _asked_for(pin, wanted) | extras.get(required, frozenset())
            if required not in because or asked != extras[required]:
                because.setdefault(required, reason)
                extras[required] = asked
                waiting.append(required)
    if unseen:
        return Needs(pins=tuple(unseen))
    shipped = (
        Shipped(distribution=_had(name, known), because=because[name], required_by=tuple(required_by.get(name, ())))
        for name in sorted(because)
    )
    return tuple(shipped), left_out


def _asked_for(pin: Pin, wanted: Wanted) -> frozenset[str]:
    """The extras that the project asks for; those of its development groups count for tests."""
    return pin.extras | pin.test_extras if wanted.development else pin.extras


def _had(name: str, known: Known) -> Distribution:
    """What a pin that has to ship is, unless it cannot be had."""
    seen = known[name]
    if isinstance(seen, LockError):
        raise seen
    return seen


def _top_level(excluded: str, known: Known) -> list[str]:
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


def _unpinned(distribution: Distribution, requirement: Requirement, lock: Lock) -> UnpinnedError:
    what = f"{distribution.name}=={distribution.version} requires {requirement.name}, which is not pinned for the target"
    hint = f"pin {requirement.name} in {lock.path}, or name it in exclude_distributions if the platform has it"
    return UnpinnedError(what, where=lock.path, hint=hint)


# ---------------------------------------------------------------- what nothing provides


def judge(
    imports: Iterable[Import], lock: Lock, modules: Callable[[], Iterable[str]], *, strict: bool
) -> tuple[tuple[Failure, ...], tuple[str, ...]]:
    """Failures and warnings for imports that nothing provides, one for each module; `strict` makes lazy ones failures too.

    `modules` gives the project's own, for "did you mean"; it is asked only when something is missing. An import that the code
    itself guards is neither.
    """
    places: dict[tuple[str, str], list[Import]] = {}  # by module, and of a shared package by what is wanted of it
    for wanted in sorted(imports, key=lambda i: (i.reach is Reach.LAZY, i.evidence.file, i.evidence.line)):
        if not wanted.optional:
            places.setdefault((wanted.name, _likely(wanted, lock)), []).append(wanted)
    own = sorted(modules()) if places else []
    failures: list[Failure] = []
    warnings: list[str] = []
    for first, *more in places.values():
        failure = _nothing_provides(first, len({m.evidence for m in more} - {first.evidence}), lock, own)
        if strict or first.reach is Reach.EAGER:
            failures.append(failure)
        else:
            warnings.append(f"{failure.where}: {failure.message}; {failure.hint}")
    return tuple(failures), tuple(warnings)


def _nothing_provides(wanted: Import, more: int, lock: Lock, modules: Sequence[str]) -> Failure:
    also = f" (and {more} more of its imports)" if more else ""
    nobody = f"no first-party file and no distribution of {lock.path} provides"
    nowhere = "no first-party file provides, and there is no lock to take it from"
    return Failure(
        kind="import", missing=wanted.name, where=str(wanted.evidence), hint=_remedy(wanted, lock, modules),
        message=f"{_spelled(wanted)}, which {nobody if lock.path else nowhere}{also}",
    )  # fmt: skip


def _remedy(wanted: Import, lock: Lock, modules: Sequence[str]) -> str:
    """The likeliest way out: another spelling, another Python, another group of pins, or a new pin."""
    likely = _likely(wanted, lock)
    if not wanted.evidence.line and likely not in lock.pins:
        return "check the spelling"
    top = wanted.name.partition(".")[0]
    close = get_close_matches(wanted.dotted, modules, n=1, cutoff=0.85) or get_close_matches(
        wanted.name, modules, n=1, cutoff=0.85
    )
    if close:
        return f"did you mean {close[0]}?"
    if any(module.startswith(f"{top}.") for module in modules):
        return f"{top} is the project's own: check the spelling, or add the folder that holds it to source_roots"
    if versions := versions_with(top):
        return f"{top} is in the standard library of Python {versions} only"
    if likely in lock.pins and lock.pins[likely].development:
        return f"{likely} is pinned for development only: make it a dependency of the project"
    if meant := _misspelt(top, lock):
        return f"did you mean {meant}? If not, {_how_to_pin(likely, lock)}"
    if not lock.path:
        return _how_to_pin(likely, lock)
    return f'{_how_to_pin(likely, lock)}, or say what provides it in monopack.toml: [module_map]  {top} = "..."'


def _misspelt(top: str, lock: Lock) -> str:
    """What a top-level name is nearly: a module of a pin, or of the standard library; empty when it is known or like none."""
    if likely_distribution(top) != canonicalize_name(top):
        return ""
    pinned = get_close_matches(top, pinned_names(lock.pins.keys()), n=1, cutoff=0.8)
    return next(iter(pinned or get_close_matches(top, standard_names(), n=1, cutoff=0.9)), "")


def _likely(wanted: Import, lock: Lock) -> str:
    return likely_distribution(wanted.name, wanted.attribute, lock.pins)


def _how_to_pin(distribution: str, lock: Lock) -> str:
    if not lock.path:
        return f"in the project's root: echo {distribution} >> requirements.txt (or lock it with uv, poetry or pipenv)"
    command = {"uv": "uv add", "poetry": "poetry add", "pipenv": "pipenv install"}.get(lock.dialect)
    return f"{command} {distribution}" if command else f"add {distribution} to {lock.path}"


def unused_exclusions(wanted: Wanted, lock: Lock) -> tuple[str, ...]:
    """A warning for each excluded distribution that is neither pinned nor imported, but spelt nearly like one that is."""
    named = {name for i in wanted.imports for name in called(i.dotted)} | lock.pins.keys()
    close = {name: get_close_matches(name, sorted(named), n=1, cutoff=0.8) for name in sorted(wanted.excluded - named)}
    said = "exclude_distributions names {}, which is neither pinned nor imported, did you mean {}?"
    return tuple(said.format(name, found[0]) for name, found in close.items() if found)


def _spelled(wanted: Import) -> str:
    """An import as its author thinks of it; what has no line is named by the config."""
    if not wanted.evidence.line:
        return f"names {wanted.name}"
    return f"imports {wanted.attribute} from {wanted.name}" if wanted.attribute else f"imports {wanted.name}"


def not_there(
    imports: Sequence[Import], modules: Callable[[], Iterable[str]], *, strict: bool
) -> tuple[tuple[Failure, ...], tuple[str, ...]]:
    """Failures and warnings for first-party modules and names that do not exist, as `judge` gives them for third-party ones."""
    own = sorted(modules()) if imports else []
    failures: dict[str, Failure] = {}
    warnings: dict[str, None] = {}
    for wanted in imports:
        if wanted.optional:
            continue
        failure = _absent(wanted, own)
        line = f"{failure.where}: {failure.message}"
        if strict or wanted.reach is Reach.EAGER:
            failures[line] = failure
        else:
            warnings[line] = None
    return tuple(failures.values()), tuple(warnings)


def _absent(wanted: Import, modules: Sequence[str]) -> Failure:
    """What is wrong with an import that leads nowhere inside the project; only a module can be `missing`."""
    close = get_close_matches(wanted.dotted, modules, n=1, cutoff=0.85)
    missing, reason, hint = wanted.dotted, "but there is no such module in its package", "check the spelling"
    if wanted.name.startswith("."):
        missing, reason, hint = "", "which is above the top of its package", "use fewer dots, or an absolute import"
    elif wanted.attribute:
        missing, reason = "", "which has no such name"
    if wanted.near.endswith(NATIVE):
        missing, reason = "", f"and {wanted.near} is not for the pack's Python"
        hint = "build it for that Python, or build the pack with its own: --python PYTHON"
    elif meant := close[0] if close else wanted.near:
        hint = f"did you mean {meant}?"
    return Failure(kind="import", missing=missing, where=str(wanted.evidence), message=f"{_spelled(wanted)}, {reason}", hint=hint)


def way_out(failure: Failure, pack: str, lock: Lock, *, ours: bool) -> str:
    """What to add to the config or the lock for a module that was missing when code ran: no import shows it.

    `ours` says that the module is first-party.
    """
    table = f"add to monopack.toml: [packs.{pack}]"
    if ours:
        return f'{table}  extra_modules = ["{failure.missing}"]'
    likely = likely_distribution(failure.missing, pins=lock.pins)
    if likely not in lock.pins:
        return _how_to_pin(likely, lock) if lock.path else f"pin {likely} in the project's lock"
    key = "test_distributions" if failure.kind == "tests" else "extra_distributions"
    return f'{table}  {key} = ["{likely}"]'


def metadata_of(distribution: str, pack: str, lock: Lock) -> str:
    """What to do when code looks for the metadata of a distribution that does not ship."""
    if canonicalize_name(distribution) in lock.pins:
        return f'add to monopack.toml: [packs.{pack}]  extra_distributions = ["{distribution}"]'
    folder = f"{distribution.replace('-', '_')}-VERSION.dist-info"
    return f'pin it, or commit {folder}/METADATA and add to monopack.toml: [packs.{pack}]  include = ["{folder}/**"]'
