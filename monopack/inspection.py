"""A side door of the hallway: what can be said about packs without building them."""

from __future__ import annotations

import logging
from dataclasses import replace

from monopack import config, explain, trace
from monopack.config import Loaded, Setting, pack_settings, project_settings
from monopack.errors import LockError, MonopackError, PackError
from monopack.explain import Known
from monopack.finding import Outside, find
from monopack.model import Explanation, Graph, Inventory, Lock, PackReport, Step, Subset
from monopack.pipeline import examined, last_build, named, refused, tree_of, with_last
from monopack.planning import Plan, Site, parts, plans, read_lock
from monopack.resolve import judge
from monopack.resolve.candidates import called

log = logging.getLogger(__name__)


def settings(loaded: Loaded, only: str | None) -> tuple[Setting, ...]:
    """The options of the project, or of the pack named `only`, with their origins; the source roots as they were found.

    Raises `ConfigError` for anything wrong with them, the managed blocks of all packs included.
    """
    found = find(loaded, only)
    if only is None:
        return tuple(_found(each, found.roots) for each in project_settings(loaded))
    (pack,) = found.packs
    return pack_settings(loaded, pack.name, pack.block, pack.block_place)


def _found(setting: Setting, roots: tuple[str, ...]) -> Setting:
    """A setting; that of source roots which are found by themselves with what they are."""
    if setting.key != "source_roots" or setting.value != "auto":
        return setting
    return replace(setting, value=list(roots), origins=(*setting.origins, "auto"))


def names(loaded: Loaded, only: str | None) -> tuple[PackReport, ...]:
    """The packs by name and handler, in pack order; nothing is traced or fetched. Raises `ConfigError`."""
    found = find(loaded, only)
    return tuple(named(pack, options, loaded) for pack, options in zip(found.packs, found.options, strict=True))


def look(loaded: Loaded, only: str | None, outside: Outside) -> tuple[PackReport, ...]:
    """What a build would find, in pack order: `up to date`, `outdated`, `not built` or `failed`; nothing is built.

    Raises `MonopackError` for what is wrong with all packs.
    """
    found = find(loaded, only)
    outside.tell(Step(name="plan", detail=str(len(found.packs))))
    site, planned = plans(found, loaded, outside)
    return tuple(_look(plan, site.of(plan.options.target)) for plan in planned)


def _look(plan: Plan, site: Site) -> PackReport:
    try:
        report, draft = examined(plan, site)
        if draft is None:
            return report
        if found := last_build(plan, draft, site):
            return with_last(report, found[0], "up to date")
        return replace(report, status="outdated" if site.book.wrote(plan.pack.name) else "not built")
    except MonopackError as error:
        return refused(plan, site, error)


def question(loaded: Loaded, pack: str, outside: Outside) -> tuple[Site, Plan]:
    """What is known about one pack, without its tests and without building it. Raises `MonopackError`."""
    found = find(loaded, pack)
    found = replace(found, options=tuple(options.model_copy(update={"skip_tests": True}) for options in found.options))
    outside.tell(Step(name="plan", detail="1"))
    site, (plan,) = plans(found, loaded, outside)
    if plan.error:
        raise plan.error
    return site, plan


# ---------------------------------------------------------------- explaining


def why(loaded: Loaded, pack: str, name: str, outside: Outside) -> Explanation:
    """Why a name is in a pack, or why not. Raises `MonopackError` for a pack of which that cannot be known."""
    site, plan = question(loaded, pack, outside)
    known = _known(site, plan)
    for note in plan.traced.notes:
        log.warning("%s: %s", plan.pack.name, note)
    explained = explain.why(name, known)
    if not explained.chains:
        explained = explain.why(name, replace(known, lock=_all_pins(site)), tuple(called(name)))
    return explain.with_lines(explained, trace.quoted(site.scanner.tree.root, explain.places(explained)))


def inventory(loaded: Loaded, pack: str, outside: Outside) -> Inventory:
    """Everything that was found for a pack. Raises `MonopackError` for a pack that cannot be traced or resolved."""
    return explain.inventory(_known(*question(loaded, pack, outside)))


def graph(loaded: Loaded, pack: str, outside: Outside) -> Graph:
    """What leads to what in a pack. Raises `MonopackError` for a pack that cannot be traced or resolved."""
    return explain.graph(_known(*question(loaded, pack, outside)))


def deps(loaded: Loaded, pack: str, outside: Outside, *, located: bool) -> Subset:
    """The distributions of a pack; with the addresses of their files, if `located`.

    Raises `MonopackError` for a pack that cannot be traced or resolved, or that imports what nothing provides.
    """
    site, plan = question(loaded, pack, outside)
    strict = plan.options.unresolved == "error"
    failures, _ = judge(plan.resolution.unresolved, site.lock, site.scanner.tree.modules, strict=strict)
    for failure in failures:
        raise PackError(f"{pack} {failure.message}", where=failure.where, hint=failure.hint)
    found = parts(plan.resolution, site, located=located)
    return Subset(pack=pack, lock=site.lock, target=site.target, parts=found)


def _known(site: Site, plan: Plan) -> Known:
    """What an explanation is made from."""
    tree = site.scanner.tree
    return Known(
        pack=plan.pack.name,
        entry=next(file.source.path for file in plan.traced.files if file.module == plan.traced.module),
        files={file.source.path: file for file in plan.traced.files},
        trace=plan.traced,
        resolution=plan.resolution,
        dropped=_dropped(plan),
        lock=site.lock,
        target=site.target,
        project={path: tree.ships_as(path) for path in tree.files},
        included=trace.by_pattern(site.scanner.narrowed(plan.options.exclude).tree, plan.options.include),
        excluded=trace.by_pattern(tree, plan.options.exclude),
        config=config.entries(site.loaded, plan.pack),
    )


def _dropped(plan: Plan) -> frozenset[str]:
    """What the pack's distributions have and its Tree has not.

    Parts that contradict each other make no Tree: that is said, and when people ask why they are there.
    """
    try:
        ships = {entry.path for entry in tree_of(plan).entries}
    except PackError as problem:
        log.warning("%s: %s", plan.pack.name, problem)
        return frozenset()
    return frozenset(m.path for s in plan.resolution.shipped for m in s.distribution.members if m.path not in ships)


def _all_pins(site: Site) -> Lock:
    """The lock, also where no import asked for it; what is wrong with it then has nothing to do with the question."""
    try:
        return site.lock if site.lock.path else read_lock(site)
    except LockError as problem:
        log.warning("%s", problem)
        return site.lock
