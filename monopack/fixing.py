"""A side door of the hallway: build, mend the pack's managed block, build again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path, PurePosixPath

from monopack import config
from monopack.autofix import Extras, diff, read, rewrite, united
from monopack.config import Loaded
from monopack.errors import ConfigError, MonopackError
from monopack.finding import Found, find
from monopack.model import Evidence, Import, PackReport, Reach, Trace, value
from monopack.planning import Plan, Site, refusal_of, replan, rewritten, supplied

log = logging.getLogger(__name__)

ATTEMPTS = 3


@value()
class Means:
    """What mending takes from the hallway: how a pack is built, how its Tree is made (what cannot be made is raised), and how
    its file is saved, with the arguments of `autofix.save`.
    """

    build: Callable[[Plan, Site], PackReport]
    draft: Callable[[Plan, Site], object]
    save: Callable[[Path, bytes, bytes, Path], None]


@value()
class Mended:
    """How the last build of a pack ended, and the bytes of its file before and after (none where it was not looked at)."""

    report: PackReport
    before: bytes = b""
    after: bytes = b""


@value()
class _Bench:
    """The pack that is being mended, as it was when its first build failed: `source` are the bytes of its file."""

    plan: Plan
    site: Site
    means: Means
    source: bytes

    def edited(self, cures: Iterable[Extras]) -> bytes:
        """The bytes of the pack's file with entries added."""
        extras = united(cures)
        return rewrite(self.source, extras, self.plan.pack.path) if extras else self.source

    def save(self, old: bytes, new: bytes) -> None:
        """Put new bytes in the place of old ones, in the file."""
        root, path = self.site.loaded.root, self.plan.pack.path
        log.debug("%s", diff(path, old, new))
        self.means.save(root / path, old, new, root)


@value()
class _State:
    """How far mending has come: the last report, the entries that helped by their modules, and the modules that none helps."""

    report: PackReport
    helpful: Mapping[str, Extras]
    hopeless: frozenset[str] = frozenset()


def refuse_unverified(found: Found, loaded: Loaded) -> None:
    """Auto-fix mends what verifying finds, so every pack has to be verified. Raises `ConfigError` for one that is not."""
    for pack, options in zip(found.packs, found.options, strict=True):
        if options.verify is False:
            settings = config.pack_settings(loaded, pack.name, pack.block, pack.block_place)
            place = next(config.source_of(setting.origins[0]) for setting in settings if setting.key == "verify")
            wants = config.source_of(loaded.origins["auto_fix"])
            needs = "auto-fix" if wants == "default" else wants
            raise ConfigError(f"verify is off, and {needs} needs it", where=place, hint="leave out one of them")


def mend(plan: Plan, site: Site, means: Means) -> Mended:
    """Build a pack, name in its managed block what the build missed, and build again, while that helps.

    An entry stays when the last build shows that its module is no longer missing. A file that cannot be edited is as it was,
    and the reason is among the failures of the report.
    """
    plan, site = _current(plan, site)
    report = means.build(plan, site)
    if not _missing(report):
        return Mended(report=report)
    try:
        digest = _digests(plan).get(plan.pack.path, "")
        source = read(site.loaded.root / plan.pack.path, digest, site.loaded.root)
    except MonopackError as error:
        return Mended(report=_with(report, error))
    return _mended(_State(report=report, helpful={}), _Bench(plan=plan, site=site, means=means, source=source))


def _mended(state: _State, bench: _Bench) -> Mended:
    try:
        for _ in range(ATTEMPTS):
            bench, cures = _cures(state, bench)
            if not cures:
                break
            state = _attempt(cures, state, bench)
    except MonopackError as error:
        state = replace(state, report=_with(state.report, error))
    return Mended(report=state.report, before=bench.source, after=bench.edited(state.helpful.values()))


def _attempt(cures: Mapping[str, Extras], state: _State, bench: _Bench) -> _State:
    """Write entries down, build, and take back what did not help."""
    pack = bench.plan.pack
    old, tried = bench.edited(state.helpful.values()), bench.edited((*state.helpful.values(), *cures.values()))
    bench.save(old, tried)
    log.info("%s: auto-fix adds %s to %s", pack.name, united(cures.values()), pack.path)
    try:
        report = _rebuilt(tried, bench)
    except BaseException:
        bench.save(tried, old)
        raise
    every = {**state.helpful, **cures}
    useless = every.keys() & _missing(report)
    helpful = {module: cure for module, cure in every.items() if module not in useless}
    kept = bench.edited(helpful.values())
    if kept != tried:
        bench.save(tried, kept)
        gone = united(set(every.values()) - set(helpful.values()))
        log.info("%s: auto-fix takes back %s, which did not help", pack.name, gone)
    return _State(report=report, helpful=helpful, hopeless=state.hopeless | useless)


def _rebuilt(source: bytes, bench: _Bench) -> PackReport:
    """Build the pack again, its file having other bytes."""
    fresh = replace(bench.site, scanner=bench.site.scanner.fresh())
    site, (plan,) = replan(rewritten(bench.plan, source, fresh), fresh)
    return bench.means.build(plan, site)


def _missing(report: PackReport) -> frozenset[str]:
    """The modules that a build found to be missing."""
    return frozenset(failure.missing for failure in report.failures if failure.missing)


def _with(report: PackReport, error: MonopackError) -> PackReport:
    return replace(report, failures=(*report.failures, refusal_of(error)))


# ---------------------------------------------------------------- what may help


def _cures(state: _State, bench: _Bench) -> tuple[_Bench, dict[str, Extras]]:
    """The entry that may help each missing module: itself where it is first-party, else the distribution that provides it.

    What the pack excludes, what its block has already, and what it cannot be made with are none. The bench then has the pins,
    which a pack that imports nothing had not asked for.
    """
    plan, tree = bench.plan, bench.site.scanner.tree
    shippable = bench.site.scanner.narrowed(plan.options.exclude).tree
    missing = sorted(_missing(state.report) - state.hopeless)
    own = {module: Extras(modules=(module,)) for module in missing if shippable.locate(module)}
    others = [module for module in missing if not tree.locate(module)]
    site, answers = supplied([_asking(module, plan) for module in others], bench.site)
    bench = replace(bench, site=site)
    cures = own | {module: cure for module, answer in zip(others, answers, strict=True) if (cure := _answered(answer, bench))}
    accepted: dict[str, Extras] = {}
    for module, cure in cures.items():
        if _fits(cure, tuple(state.helpful.values()), tuple(accepted.values()), bench):
            accepted[module] = cure
    return bench, accepted


def _answered(answer: Plan, bench: _Bench) -> Extras:
    """The distribution that provides the one import of a plan; nothing where the pack ships it as it is, or excludes it."""
    module = answer.traced.module
    if answer.error:
        said = f"{answer.error.what}; {answer.error.hint}"
        log.info("%s: auto-fix cannot tell what provides %s: %s", bench.plan.pack.name, module, said)
    shipped = {each.distribution.name for each in bench.plan.resolution.shipped}
    provider = answer.resolution.providers.get(module)
    return Extras(distributions=(provider,)) if provider and provider not in shipped else Extras()


def _asking(module: str, plan: Plan) -> Plan:
    """A plan for nothing but one import, under a name of its own."""
    wanted = Import(name=module, evidence=Evidence(file="auto-fix", line=0), reach=Reach.EAGER)
    traced = Trace(module=module, files=(), imports=(wanted,), missing=())
    return Plan(pack=replace(plan.pack, name=module), options=plan.options, traced=traced)


def _fits(cure: Extras, helpful: Sequence[Extras], accepted: Sequence[Extras], bench: _Bench) -> bool:
    """Whether an entry is new beside the helpful ones, and the pack can be made with it and those; why not is said."""
    if bench.edited((*helpful, cure)) == bench.edited(helpful):
        return False
    try:
        found = rewritten(bench.plan, bench.edited((*helpful, *accepted, cure)), bench.site)
        site, (plan,) = replan(found, bench.site)
        if plan.error:
            raise plan.error
        bench.means.draft(plan, site)
    except MonopackError as error:
        log.info("%s: auto-fix cannot add %s: %s", bench.plan.pack.name, cure, error)
        return False
    return True


# ---------------------------------------------------------------- what is there now


def _current(plan: Plan, site: Site) -> tuple[Plan, Site]:
    """A plan as of now: it is made again when a pack's file that it reaches is another one, since packs before it were mended."""
    packs = PurePosixPath(plan.pack.path).parent
    reached = {path: digest for path, digest in _digests(plan).items() if PurePosixPath(path).parent == packs}
    if all(_digest(site.loaded.root / path) == digest for path, digest in reached.items()):
        return plan, site
    try:
        site, (plan,) = replan(find(site.loaded, plan.pack.name), replace(site, scanner=site.scanner.fresh()))
    except MonopackError as error:
        plan = replace(plan, error=error)
    return plan, site


def _digests(plan: Plan) -> dict[str, str]:
    """The sha256 of the first-party files that a pack and its tests reach, by their paths, as they were read."""
    return {file.source.path: file.source.sha256 for file in (*plan.traced.files, *plan.tests.support)}


def _digest(file: Path) -> str:
    """A file's sha256; an empty string when it cannot be read."""
    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
