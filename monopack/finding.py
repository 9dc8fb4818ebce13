"""A side door of the hallway: what a run starts with, before anything is looked at closely.

The world outside, the packs with their options, and the folders that monopack must not write in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from monopack import config, discover, ledger
from monopack.config import Loaded, PackOptions, source_of
from monopack.errors import ConfigError
from monopack.model import Pack, Step, Target, value
from monopack.run import Door


@value()
class Outside:
    """What comes in by the front door: the environment, the door to other programs, and whom to tell what is being done."""

    environ: Mapping[str, str]
    door: Door
    tell: Callable[[Step], None]


@value()
class Found:
    """The packs of a run with their options, and the source roots that name their modules."""

    roots: tuple[str, ...]
    packs: tuple[Pack, ...]
    options: tuple[PackOptions, ...]

    def among(self, names: frozenset[str]) -> Found:
        """Only the packs of these names."""
        kept = [pair for pair in zip(self.packs, self.options, strict=True) if pair[0].name in names]
        return replace(self, packs=tuple(pack for pack, _ in kept), options=tuple(options for _, options in kept))


def find(loaded: Loaded, only: str | None) -> Found:
    """The packs of the project, or the one named `only`, with their options. Raises `ConfigError`."""
    roots = discover.source_roots(loaded.root, loaded.config.source_roots)
    packs = discover.packs(loaded.root, loaded.packs_dir, roots, only)
    if only is None:
        config.check_pack_names(loaded, [pack.name for pack in packs])
    return Found(roots=roots, packs=packs, options=tuple(options_of(pack, loaded) for pack in packs))


def options_of(pack: Pack, loaded: Loaded) -> PackOptions:
    """The options of a pack, from its managed block and the tables of the config. Raises `ConfigError`."""
    return config.pack_options(loaded, pack.name, pack.block, pack.block_place)


def introduction(loaded: Loaded, host: Target, target: Target, note: str = "") -> tuple[str, ...]:
    """What a run says first: which project, with which Python, for which target if that is not this machine, and which lock it
    is, if there is a `note` on that.
    """
    file = loaded.file.name if loaded.file else "no monopack.toml"
    first = (f"project {loaded.root} ({file})", f"Python {host.version} at {host.python} ({host.chosen_by})")
    mine = () if target is host else (f"target {target.name}: {target}, wheels up to {target.platform}",)
    return (*first, *mine, *([pinned_by(note)] if note else []))


def pinned_by(note: str) -> str:
    """What a run says of the lock that it reads."""
    return f"pins: {note}"


def protected(loaded: Loaded, roots: Sequence[str]) -> dict[str, Path]:
    """Folders that the build folder and the cache must not be or contain, by what they are.

    Raises `ConfigError` for a cache that is one of them, and for a tests folder that holds what the tests are to test.
    """
    named = {"the project root": loaded.root, "the packs folder": loaded.packs_dir}
    named |= {f"the source root {root}": loaded.root / root for root in roots}
    for what, path in named.items():
        if path.is_relative_to(loaded.tests_dir):
            where = source_of(loaded.origins["tests_dir"])
            raise ConfigError(f"the tests folder is or contains {what}", where=where, hint="name a folder with nothing but tests")
    if loaded.cache_dir.is_relative_to(loaded.build_dir) and not loaded.root.is_relative_to(loaded.build_dir):
        where = str(loaded.cache_dir)
        raise ConfigError("the cache folder lies in the build folder", where=where, hint="choose another one with --cache-dir")
    named |= {"the tests folder": loaded.tests_dir, "the repository": loaded.root / ".git"}
    ledger.refuse(loaded.cache_dir, "the cache folder", "--cache-dir", named)
    return named
