"""What a change touches: the files of a pack that are not what they were, and whether it would be another if they still were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from monopack.model import Change, Evidence, Import, Lock, Pin, Resolution, TestPlan, Touch, Trace

WORDS: Mapping[str, str] = {"new": "is new", "gone": "is gone", "changed": "has changed"}

# What decides how a run goes, and not what a pack becomes; options of packs are compared for each pack.
INDIFFERENT = frozenset({
    "auto_fix", "build_dir", "cache_dir", "color", "debug", "existing_install_python", "force", "jobs", "lock_timeout", "offline",
    "pack", "packs", "quiet", "skip_tests", "test_timeout", "verify", "verify_timeout",
})  # fmt: skip


# ---------------------------------------------------------------- files


def by_files(traced: Trace, tests: TestPlan, changes: Mapping[str, Change]) -> tuple[Touch, ...]:
    """The changes of files that a pack ships, or that its tests run with; `changes` are by project-relative path."""
    ships = {file.source.path: "source" if file.module else "data" for file in traced.files}
    kinds = {**dict.fromkeys((file.source.path for file in tests.support), "tests"), **ships}
    return tuple(
        Touch(kind=kind, path=path, message=in_words(changes[path])) for path, kind in sorted(kinds.items()) if path in changes
    )


def in_words(change: Change) -> str:
    """What happened to a file."""
    return f"{change.path} {WORDS[change.kind]}"


def reached(traced: Trace, tests: TestPlan) -> object:
    """All that an artifact and its tests follow from, as far as the names of files decide it; for comparing alone."""
    return (
        {(file.source.path, file.ships_as) for file in traced.files},
        {*map(_plain, traced.imports)},
        {*map(_plain, traced.missing)},
        {*traced.metadata},
        {*traced.uses},
        {*tests.tests},
        {file.source.path for file in tests.support},
        {*tests.imports},
    )


def _plain(wanted: Import) -> Import:
    """An import without the words about it."""
    return replace(wanted, near="")


def by_names(where: str, changes: Mapping[str, Change]) -> Touch:
    """The reason of a pack that would reach something else if no file were new or gone; `where` stopped the look at it."""
    moved = {path: change for path, change in changes.items() if change.kind != "changed"}
    lost = moved.get(where.partition(":")[0])
    if lost is None and len(moved) == 1:
        (lost,) = moved.values()
    if lost is None:
        return Touch(kind="source", path="", message="files that are new or gone change what it reaches")
    kind = "source" if lost.path.endswith(".py") else "data"
    return Touch(kind=kind, path=lost.path, message=f"{in_words(lost)}, which changes what it reaches")


# ---------------------------------------------------------------- config


def options_changed(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """The names of options that decide what packs become and are not what they were."""
    return sorted(name for name in {*before, *now} - INDIFFERENT if before.get(name) != now.get(name))


def pack_options_changed(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """The names of options of one pack that are not what they were."""
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


# ---------------------------------------------------------------- lock


def pins_changed(before: Lock, now: Lock) -> dict[str, str]:
    """The pins that are not what they were, by canonical name, with words for the difference."""
    told: dict[str, str] = {}
    elsewhere = before.index_options != now.index_options
    for name in sorted({*before.pins, *now.pins}):
        old, new = before.pins.get(name), now.pins.get(name)
        if old is None or new is None:
            told[name] = f"{name} is {'not pinned any more' if new is None else 'pinned now'}"
        elif old.version != new.version:
            told[name] = f"{name} is pinned to {new.version}, and was to {old.version}"
        elif _bare(old) != _bare(new):
            told[name] = f"{name} is pinned to the same version in another way"
        elif elsewhere:
            told[name] = f"{name} may come from another index"
    return told


def _bare(pin: Pin) -> Pin:
    """A pin wherever it stands in the lock."""
    return replace(pin, evidence=Evidence(file="", line=0))


def by_pins(shipped: Iterable[Resolution], told: Mapping[str, str], lock: str) -> tuple[Touch, ...]:
    """The changes of pins that a pack, or its tests, have."""
    names = {each.distribution.name for resolution in shipped for each in resolution.shipped}
    return tuple(Touch(kind="lock", path=lock, message=told[name]) for name in sorted(names & told.keys()))


def wheels(shipped: Iterable[Resolution]) -> list[list[tuple[str, str]]]:
    """The wheels of distributions, for comparing alone."""
    return [[*_wheels(resolution)] for resolution in shipped]


def _wheels(resolution: Resolution) -> Iterator[tuple[str, str]]:
    return ((each.distribution.wheel, each.distribution.sha256) for each in resolution.shipped)
