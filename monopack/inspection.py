"""A side door of the hallway: what can be said about packs without building them."""

from __future__ import annotations

from dataclasses import replace

from monopack.config import Loaded, Setting, pack_settings, project_settings
from monopack.errors import MonopackError
from monopack.model import PackReport
from monopack.pipeline import draft_of, last_build, named, packed_size, refused, report_of, with_sizes
from monopack.planning import Outside, Plan, Site, find, plans


def settings(loaded: Loaded, only: str | None) -> tuple[Setting, ...]:
    """The options of the project, or of the pack named `only`, with their origins.

    Raises `ConfigError` for anything wrong with them, the managed blocks of all packs included.
    """
    found = find(loaded, only)
    if only is None:
        return project_settings(loaded)
    (pack,) = found.packs
    return pack_settings(loaded, pack.name, pack.block, f"{pack.path}:{pack.block_line}")


def names(loaded: Loaded, only: str | None) -> tuple[PackReport, ...]:
    """The packs by name and handler, in pack order; nothing is traced or fetched. Raises `ConfigError`."""
    found = find(loaded, only)
    return tuple(named(pack, options, loaded) for pack, options in zip(found.packs, found.options, strict=True))


def look(loaded: Loaded, only: str | None, outside: Outside) -> tuple[PackReport, ...]:
    """What a build would find, in pack order: `up to date`, `outdated`, `not built` or `failed`; nothing is built.

    Raises `MonopackError` for what is wrong with all packs.
    """
    site, planned = plans(find(loaded, only), loaded, outside)
    return tuple(_look(plan, site) for plan in planned)


def _look(plan: Plan, site: Site) -> PackReport:
    try:
        if plan.error:
            raise plan.error
        draft = draft_of(plan, site)
        last = last_build(plan, draft, site)
        status = "up to date" if last else "outdated" if site.book.wrote(plan.pack.name) else "not built"
        measured = with_sizes(report_of(plan, site, status), plan, draft.tree, ())
        return replace(measured, packed=packed_size(last, plan), tests=last.tests) if last else measured
    except MonopackError as error:
        return refused(plan, site, error)


def question(loaded: Loaded, pack: str, outside: Outside) -> tuple[Site, Plan]:
    """What is known about one pack, without its tests and without building it. Raises `MonopackError`."""
    found = find(loaded, pack)
    found = replace(found, options=tuple(options.model_copy(update={"skip_tests": True}) for options in found.options))
    site, (plan,) = plans(found, loaded, outside)
    if plan.error:
        raise plan.error
    return site, plan
