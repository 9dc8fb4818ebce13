"""A side door of the hallway: what is known about each pack before anything is built, which is all that questions about it need.

Packs are found, their imports traced, their tests chosen, and their imports mapped to distributions.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import field, replace
from functools import reduce
from pathlib import Path

from packaging.utils import canonicalize_name

from monopack import __version__, archive, config, locks, targets, testing, trace
from monopack.block import read_block
from monopack.config import Loaded, PackOptions
from monopack.errors import LockError, MonopackError, UnpinnedError
from monopack.finding import Found, Outside, introduction, options_of, pinned_by
from monopack.ledger import Ledger, digest
from monopack.model import Evidence, Failure, Fetches, Lock, Pack, Part, Resolution, Target, TestPlan, Trace, value
from monopack.recalling import Memory
from monopack.resolve import RULES, Wanted
from monopack.store import Fetching, Look, Store, own_files, parsed, with_cache_of
from monopack.supply import NOTHING, Answer, Ask, supply
from monopack.workspace import Unpacked

log = logging.getLogger(__name__)

NOTHING_PINNED = Lock(dialect="", path="", pins={})
NO_TESTS = TestPlan(tests=(), left_out={}, support=(), for_conftest=(), imports=())


@value()
class Site:
    """What all packs of a run that have one target share; `elsewhere` are those of the other targets, by their names."""

    loaded: Loaded
    book: Ledger
    host: Target
    target: Target
    scanner: trace.Scanner
    outside: Outside
    epoch: int | None
    lock: Lock = NOTHING_PINNED
    fetches: Fetches = Fetches()
    elsewhere: Mapping[str, Site] = field(default_factory=dict)
    memory: Memory | None = None
    unpacked: Unpacked | None = None

    def of(self, target: str | None) -> Site:
        """The site of the packs that have this target."""
        return self.elsewhere.get(target or "", self)

    def all_fetches(self) -> Fetches:
        """What was fetched for the packs of all targets."""
        return reduce(Fetches.plus, (each.fetches for each in self.elsewhere.values()), self.fetches)


@value()
class Plan:
    """What is known about one pack before anything is built; an `error` ends its way, not that of the others.

    `looked` are the files of the project that were read for it, by path, as they were (see `inputs.identity`).
    """

    pack: Pack
    options: PackOptions
    traced: Trace
    tests: TestPlan = NO_TESTS
    runner: str = ""
    resolution: Resolution = NOTHING
    for_tests: Resolution = NOTHING
    error: MonopackError | None = None
    looked: Mapping[str, str] = field(default_factory=dict)


def plans(found: Found, loaded: Loaded, outside: Outside) -> tuple[Site, tuple[Plan, ...]]:
    """What the packs share, and a plan for each, in pack order. Raises `MonopackError` for what is wrong with all of them."""
    return replan(found, site_of(found, loaded, outside))


def refusal_of(error: MonopackError) -> Failure:
    """What monopack refuses as a failure of one pack."""
    return Failure(kind="error", message=error.what, where=error.where, hint=error.hint)


def replan(found: Found, site: Site) -> tuple[Site, tuple[Plan, ...]]:
    """Plans for packs of a site that is known already; the site then has the lock that they need."""
    answered: dict[str, Plan] = {}
    sites: dict[str, Site] = {}
    for mine, here in by_site(found, site):
        after, planned = supplied(traced(mine, here), here)
        sites[here.target.name] = replace(after, elsewhere={})
        answered |= {plan.pack.name: plan for plan in planned}
    first = sites.pop(site.target.name)
    return replace(first, elsewhere=sites), tuple(answered[pack.name] for pack in found.packs)


def told(site: Site) -> frozenset[str]:
    """What was said of a project while its packs were planned: its facts and the warnings of its locks."""
    sites = (site, *site.elsewhere.values())
    facts = [line for each in sites for line in introduction(each.loaded, each.host, each.target, each.lock.note)]
    return frozenset((*facts, *(warning for each in sites for warning in each.lock.warnings)))


def by_site(found: Found, site: Site) -> list[tuple[Found, Site]]:
    """The packs by their targets, each target with its site."""
    sites = {here.target.name: here for here in (site, *site.elsewhere.values())}
    mine: dict[str, set[str]] = {name: set() for name in sites}
    for pack, options in zip(found.packs, found.options, strict=True):
        mine[site.of(options.target).target.name].add(pack.name)
    return [(found.among(frozenset(packs)), sites[name]) for name, packs in mine.items()]


def traced(found: Found, site: Site) -> list[Plan]:
    """Plans that know what their packs reach and which tests belong to them, and nothing of distributions."""
    return [_plan(pack, options, site) for pack, options in zip(found.packs, found.options, strict=True)]


def rewritten(plan: Plan, source: bytes, site: Site) -> Found:
    """A pack as it would be found with other bytes in its file. Raises `ConfigError` for a managed block that cannot be used."""
    block = read_block(source, plan.pack.path)
    pack = replace(plan.pack, block=block.options, block_line=block.line)
    return Found(roots=site.scanner.tree.source_roots, packs=(pack,), options=(options_of(pack, site.loaded),))


def site_of(found: Found, loaded: Loaded, outside: Outside) -> Site:
    """Find what packs are for, and the files there are. Raises `ConfigError`."""
    host, (first, *others) = _targets(found, loaded, outside)
    tree = trace.survey(loaded.root, found.roots, (loaded.build_dir, loaded.cache_dir))
    book, epoch = Ledger(build=loaded.build_dir), archive.epoch(outside.environ)
    hands = _hands(loaded, outside)
    scanners = {target.name: trace.Scanner(tree, target, _memory(loaded, target), hands) for target in (first, *others)}
    site = Site(
        loaded=loaded, book=book, host=host, target=first, scanner=scanners[first.name], outside=outside, epoch=epoch
    )  # fmt: skip
    return replace(site, elsewhere={other.name: replace(site, target=other, scanner=scanners[other.name]) for other in others})


def _targets(found: Found, loaded: Loaded, outside: Outside) -> tuple[Target, list[Target]]:
    """This machine, and the targets that packs have, that of the first pack first."""
    environ, root = outside.environ, loaded.root
    here = targets.host(loaded.config.python, config.source_of(loaded.origins["python"]), root, environ, outside.door)
    names = dict.fromkeys(options.target or here.name for options in found.options) or {loaded.config.target: None}
    chosen = [targets.named(name, here, environ, outside.door, root) for name in names]
    for line in dict.fromkeys(line for target in chosen for line in introduction(loaded, here, target)):
        log.info("%s", line)
    return here, chosen


def _memory(loaded: Loaded, target: Target) -> trace.Memory:
    """Where it is kept what source files say."""
    answers = parsed(loaded.cache_dir, trace.way_of_reading(target))
    return trace.Memory(recall=answers.recall, keep=answers.keep)


def _hands(loaded: Loaded, outside: Outside) -> trace.Hands:
    """What many files are parsed with at once: as many processes as packs are built."""
    jobs = loaded.config.jobs
    return trace.Hands(door=outside.door, environ=outside.environ, processes=trace.processors() if jobs == "auto" else jobs)


def _plan(pack: Pack, options: PackOptions, site: Site) -> Plan:
    """Trace one pack and choose its tests."""
    watched = site.scanner.watched()
    nothing = Trace(module=pack.module, files=(), imports=(), missing=())
    plan = Plan(pack=pack, options=options, traced=nothing, looked=watched.looked)
    scanner = watched.narrowed(options.exclude, strings=options.string_imports)
    extra = tuple(trace.Start(name=name, because=Evidence(file="extra_modules", line=0)) for name in options.extra_modules)
    try:
        traced = trace.trace(pack.module, extra, options.include, scanner, site.target)
        plan = replace(plan, traced=traced)
        _log_trace(pack.name, traced)
        if options.skip_tests:
            return plan
        tests_dir = Path(os.path.relpath(site.loaded.tests_dir, site.loaded.root)).as_posix()
        return replace(plan, tests=trace.tests_of(traced, tests_dir, watched, site.target))
    except MonopackError as error:
        return replace(plan, error=error)


def _log_trace(pack: str, traced: Trace) -> None:
    """Every edge, and every import that was left to distributions or leads nowhere, for `--debug`."""
    if not log.isEnabledFor(logging.DEBUG):
        return
    data = {file.source.path for file in traced.files if not file.module}
    for edge in traced.edges:
        does = "reads" if edge.path in data else "imports"
        log.debug("%s: %s %s %s (%s)", pack, edge.evidence, does, edge.path, edge.reach)
    for imports, what in ((traced.imports, "to be provided by a distribution"), (traced.missing, "which is not there")):
        for wanted in imports:
            how = f"{wanted.reach}, may fail" if wanted.optional else wanted.reach
            log.debug("%s: %s imports %s, %s (%s)", pack, wanted.evidence, wanted.dotted, what, how)


# ---------------------------------------------------------------- imports -> distributions


def supplied(plans: list[Plan], site: Site) -> tuple[Site, list[Plan]]:
    """Give every plan its distributions, from the site's lock, or else from the project's; one that is not complete is
    completed once. The site then has that lock, and knows what was fetched.
    """
    if not any(p.traced.imports or p.tests.tests or p.options.extra_distributions for p in plans):
        return site, plans
    lock = _checked(site.lock if site.lock.path else read_lock(site), site)
    store = _store(site, lock)
    answered = _supply(plans, lock, store, site)
    if _incomplete(lock) and any(isinstance(plan.error, UnpinnedError) for plan in answered):
        lock = _complete(lock, site)
        answered = _supply(plans, lock, store, site)
    if lock is not site.lock:
        for warning in lock.warnings:
            log.warning("%s", warning)
    fetches = replace(store.fetches(), pins=len(lock.pins))
    _tell_reuse(fetches, site.loaded.config.existing_install_python)
    return replace(site, lock=lock, fetches=site.fetches.plus(fetches)), answered


def supplied_from(plans: list[Plan], lock: Lock, site: Site) -> list[Plan]:
    """Give every plan its distributions from a lock as it is."""
    return _supply(plans, lock, _store(site, lock), site)


def _tell_reuse(fetches: Fetches, python: str | None) -> None:
    """Say how many of the wheels that had to be fetched were in another Python's pip cache."""
    if fetches.wheels and python:
        log.info("%d of %d fetched wheels came from the pip cache of %s", fetches.reused, fetches.wheels, python)


def read_lock(site: Site) -> Lock:
    """The project's pins, all of them; none where it has no dependency source."""
    source = locks.find(site.loaded.root, site.loaded.config.package_manager)
    if source is None:
        return NOTHING_PINNED
    log.info("%s", pinned_by(source.note))
    lock = replace(locks.read(source, site.loaded.root, site.target, _choice(site)), note=source.note)
    return _complete(lock, site) if lock.loose else lock


def _choice(site: Site) -> locks.Choice:
    """Which of the project's extras and dependency groups may ship."""
    options = site.loaded.config
    extras = None if options.extras == "all" else frozenset(map(canonicalize_name, options.extras))
    return locks.Choice(extras=extras, groups=frozenset(map(canonicalize_name, options.groups)))


def _checked(lock: Lock, site: Site) -> Lock:
    """The lock itself, unless it is what the options refuse. Raises `LockError`."""
    options = site.loaded.config
    bare = locks.unguarded(lock.pins.values())
    if options.require_hashes and bare:
        more = f" and {len(bare) - 3} more" if len(bare) > 3 else ""
        what, hint = f"has no hashes for {', '.join(bare[:3])}{more}", "lock with hashes, or leave out require_hashes"
        raise LockError(what, where=lock.path, hint=hint)
    if options.locked and lock.stale:
        raise LockError(lock.stale.removeprefix(f"{lock.path} "), where=lock.path, hint="lock again, or leave out locked")
    return lock


def _incomplete(lock: Lock) -> bool:
    """Whether a lock may leave out what its pins require: requirements with hashes, and real locks, may not."""
    return lock.dialect == "requirements" and not any(pin.hashes for pin in lock.pins.values())


def _complete(lock: Lock, site: Site) -> Lock:
    """Pin what the project's requirements leave open, and keep the answer in the build folder."""
    if site.loaded.config.locked:
        gap = f"does not pin {lock.loose[0]}" if lock.loose else "leaves out what its pins require"
        raise LockError(gap, where=lock.path, hint="pin everything with == (uv pip compile does), or leave out locked")
    keep = site.loaded.build_dir / ".monopack" / f"requirements.{site.target.name}.txt"
    environ, offline = site.outside.environ, site.loaded.config.offline
    resolver = locks.Resolver(door=site.outside.door, environ=environ, pip_files=own_files(environ), offline=offline)
    return replace(locks.pin(lock, site.loaded.root, site.target, keep, resolver), note=lock.note)


def _supply(plans: list[Plan], lock: Lock, store: Store, site: Site) -> list[Plan]:
    """Every plan with its distributions, or with the reason why it cannot have them."""
    sound = [plan for plan in plans if not plan.error]
    asks = [Ask(for_pack=wanted(plan, site), for_tests=_wanted_by_tests(plan, lock, site)) for plan in sound]
    answers = dict(zip((plan.pack.name for plan in sound), supply(asks, lock, site.target, store), strict=True))
    return [_supplied(plan, answers.get(plan.pack.name), lock) for plan in plans]


def _supplied(plan: Plan, answer: Answer | None, lock: Lock) -> Plan:
    if answer is None:
        return plan
    if isinstance(answer, LockError):
        return replace(plan, error=answer)
    for each in answer.for_pack.shipped:
        log.debug("%s ships %s==%s: %s", plan.pack.name, each.distribution.name, each.distribution.version, each.because)
    for wanted in answer.for_pack.unresolved:
        log.debug("%s: %s imports %s, which nothing provides", plan.pack.name, wanted.evidence, wanted.dotted)
    return replace(plan, runner=_runner(plan, lock), resolution=answer.for_pack, for_tests=answer.for_tests)


def _runner(plan: Plan, lock: Lock) -> str:
    return testing.select_runner(plan.options.test_runner, lock.pins)


def parts(resolution: Resolution, site: Site, *, located: bool) -> tuple[Part, ...]:
    """The distributions of a resolution with their pins, sizes and origins; with the addresses of all files, if `located`.

    Raises `LockError` for a store that cannot be used.
    """
    lock = site.lock
    store = _store(site, lock)
    pins = [lock.pins[each.distribution.name] for each in resolution.shipped]
    origins = store.origins(pins, lock.index_options, site.target, located=located)
    return tuple(
        Part(shipped=each, pin=pin, origin=origins[pin.name], size=Path(each.distribution.location).stat().st_size)
        for each, pin in zip(resolution.shipped, pins, strict=True)
    )


def _store(site: Site, lock: Lock) -> Store:
    """The store, as the pins of a lock are fetched and read for a target."""
    return Store(site.loaded.cache_dir, _fetching(site, lock), _look(site.target))


def _fetching(site: Site, lock: Lock) -> Fetching:
    """How the store reaches the indexes. What was asked in this run already is not asked anew: then the site has its lock."""
    options = site.loaded.config
    outside, root = site.outside, site.loaded.root
    sdists = options.sdists == "allow" if isinstance(options.sdists, str) else frozenset(map(canonicalize_name, options.sdists))
    fetching = Fetching(
        door=outside.door, environ=outside.environ, root=root, offline=options.offline, sdists=sdists, tell=outside.tell,
        indexes=lock.indexes, anew=not (options.cache or site.lock.path),
    )  # fmt: skip
    if options.existing_install_python is None:
        return fetching
    return with_cache_of(options.existing_install_python, fetching)


def _look(target: Target) -> Look:
    """How the store tells what the modules of wheels import on a target."""
    facts = [__version__, target.version, sorted(target.markers.items()), sorted(target.stdlib | target.builtins)]
    return Look(key=digest(facts)[:16], imports=lambda data, package: trace.imports_of(data, package, target))


def wanted(plan: Plan, site: Site) -> Wanted:
    """What a pack wants of the lock."""
    return Wanted(
        imports=plan.traced.imports,
        distributions=dict.fromkeys(plan.options.extra_distributions, "extra_distributions"),
        excluded=frozenset(canonicalize_name(name) for name in plan.options.exclude_distributions),
        module_map=site.loaded.config.module_map,
        metadata=plan.traced.metadata,
        uses=plan.traced.uses,
        rules={**RULES, **site.loaded.config.import_rules},  # those of the config count more
        optional=plan.options.optional,
    )


def _wanted_by_tests(plan: Plan, lock: Lock, site: Site) -> Wanted | None:
    """What a pack's tests want: all that the pack wants, the platform's distributions too, and the runner with its plugins."""
    if not plan.tests.tests:
        return None
    options = plan.options
    platform = [name for name in options.exclude_distributions if canonicalize_name(name) in lock.pins]
    named = dict.fromkeys((*platform, *options.extra_distributions, *options.test_distributions), "test_distributions")
    if _runner(plan, lock) == "pytest":
        named |= {name: "test_runner" for name in ("pytest", *lock.pins) if name == "pytest" or name.startswith("pytest-")}
    imports = (*plan.traced.imports, *plan.tests.imports)
    return replace(wanted(plan, site), imports=imports, distributions=named, excluded=frozenset(), development=True)
