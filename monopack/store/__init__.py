"""The store: pins become distributions, fetched, hash-checked and indexed once and shared by all packs and projects."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Lock

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from monopack.errors import LockError, UnavailableError, disk_words
from monopack.model import Distribution, Pin, Step, Target
from monopack.store.answers import Answers
from monopack.store.choose import Asked, Wanted, ask, fits, no_wheel, want
from monopack.store.entries import Entries, Pick
from monopack.store.failures import mismatch, other_python
from monopack.store.fetch import Job, fetch
from monopack.store.looking import Look, Looking
from monopack.store.pip import Fetching, own_settings, with_cache_of
from monopack.store.upkeep import IMPORTS, PARSED, clean, held, held_parsed

__all__ = ["LAYOUT", "Fetching", "Look", "Store", "clean", "held", "held_parsed", "parsed", "with_cache_of"]

LAYOUT = "v1"


class Store:
    """Checked wheels under one folder (absolute), for several threads and processes at once; each pin is fetched once."""

    def __init__(self, folder: Path, settings: Fetching, look: Look) -> None:
        self._folder = folder
        self._entries = Entries(folder / LAYOUT)
        self._settings = settings
        self._looking = Looking(folder / LAYOUT / IMPORTS, look)
        self._known: dict[str, Distribution] = {}
        self._lock = Lock()
        self._fetched = self._cached = 0

    def obtain(self, pins: Sequence[Pin], index_options: Sequence[str], target: Target) -> dict[str, Distribution]:
        """The distributions of `pins` on `target`, by canonical name: from the store, or fetched, checked and kept.

        `index_options` are pip's own (`--index-url`, `--find-links`, ...); relative paths count from the settings' root.
        Raises `UnavailableError` for pins that are not found, do not match their hashes, have no wheel for the target, cannot be
        built from an sdist or are not in the store when offline; `LockError` for a wheel that is unsafe, and for a store that
        cannot be written.
        """
        asked = ask(index_options, own_settings(self._settings.environ), target, self._settings.root)
        wanted = [want(pin, asked) for pin in pins]
        with self._lock:
            missing = list({pin.key: pin for pin in wanted if pin.key not in self._known}.values())
            try:
                self._obtain(missing, asked)
            except OSError as problem:
                raise _unusable(self._folder, problem) from problem
        return {pin.pin.name: self._known[pin.key] for pin in wanted}

    def look_into(self, distribution: Distribution, modules: Iterable[str]) -> Distribution:
        """A distribution that also tells what the modules of these dotted names import. Raises `LockError`."""
        try:
            return replace(distribution, imports=self._looking.into(distribution, modules))
        except (OSError, zlib.error) as problem:
            raise LockError(f"cannot be read: {problem}", where=distribution.location, hint="build again") from problem

    def reuse(self) -> tuple[int, int]:
        """How many of the wheels that were fetched pip had in its cache, and how many were fetched."""
        with self._lock:
            return self._cached, self._fetched

    def _obtain(self, wanted: Sequence[Wanted], asked: Asked) -> None:
        with ThreadPoolExecutor() as threads:  # hashing and inflating release the GIL
            found = list(threads.map(lambda pin: self._stored(pin, asked), wanted))
            self._known.update({pin.key: distribution for pin, distribution in zip(wanted, found, strict=True) if distribution})
            missing = [pin for pin in wanted if pin.key not in self._known]
            if not missing:
                return
            if self._settings.offline:
                raise _offline(missing)
            self._settings.tell(Step(name="fetch", detail=str(len(missing))))
            with self._entries.working_folder() as folder:
                got = fetch(missing, Job(asked=asked, folder=Path(folder), settings=self._settings))
                self._fetched += len(got.files)
                self._cached += len(got.cached)
                kept = threads.map(
                    lambda pin: self._keep(pin, got.files[pin.pin.name], asked, built=pin.pin.name in got.built), missing
                )
                self._known.update(zip((pin.key for pin in missing), kept, strict=True))

    def _stored(self, wanted: Wanted, asked: Asked) -> Distribution | None:
        """What the store holds for a pin: the file that the lock names, or the one that was picked for it before."""
        if wanted.wheel and wanted.wheel.hash:
            pick: Pick | None = Pick(sha256=wanted.wheel.hash.removeprefix("sha256:"), built=False)
        else:
            pick = self._entries.pick(wanted.key)
        if pick is None:
            return None
        distribution = self._entries.get(pick.sha256)
        if not distribution or not (pick.built or _allowed(wanted, Path(distribution.location), pick.sha256)):
            return None
        if not _is_meant(wanted, distribution) or not fits(distribution.wheel, asked):
            return None
        return _for_this_python(wanted, distribution, asked)

    def _keep(self, wanted: Wanted, file: Path, asked: Asked, *, built: bool) -> Distribution:
        """Put a fetched wheel into the store, once it is the one that the pin means."""
        with file.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        if not (built or _allowed(wanted, file, sha256)):
            raise mismatch(wanted, sha256)
        if not fits(file.name, asked) or (built and asked.target.name != "host" and not file.name.endswith("-none-any.whl")):
            raise no_wheel(wanted, asked.target, [file.name])
        distribution = self._entries.put(file, sha256)
        if not _is_meant(wanted, distribution):
            raise wanted.refusal(f"is {distribution.name} {distribution.version} in truth", "lock again")
        self._entries.remember(wanted.key, Pick(sha256=sha256, built=built))
        return _for_this_python(wanted, distribution, asked)


def parsed(folder: Path, key: str) -> Answers:
    """What source files say, kept in the store at that folder (absolute); `key` (for a file name) tells how they are read."""
    return Answers(folder / LAYOUT / PARSED / f"{key}.db")


def _for_this_python(wanted: Wanted, distribution: Distribution, asked: Asked) -> Distribution:
    """The distribution itself; raises `UnavailableError` when it is not for the target's Python."""
    try:
        right = SpecifierSet(distribution.requires_python).contains(asked.target.version, prereleases=True)
    except InvalidSpecifier:  # pip passes over it too
        right = True
    if not right:
        raise other_python(wanted, distribution.requires_python, asked.target)
    return distribution


def _allowed(wanted: Wanted, file: Path, sha256: str) -> bool:
    """Whether the lock names the digest of a file, by whatever algorithm."""
    if not wanted.hashes or f"sha256:{sha256}" in wanted.hashes:
        return True
    others = {digest.partition(":")[0] for digest in wanted.hashes} - {"sha256"}
    return any(f"{name}:{_digest(file, name)}" in wanted.hashes for name in others)


def _digest(file: Path, algorithm: str) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def _is_meant(wanted: Wanted, distribution: Distribution) -> bool:
    version = wanted.pin.version
    right = not version or SpecifierSet(f"=={version}").contains(distribution.version, prereleases=True)
    return right and distribution.name == wanted.pin.name


def _offline(missing: Sequence[Wanted]) -> UnavailableError:
    what = f"offline, and not in the store: {', '.join(pin.label for pin in missing)}"
    names = frozenset(pin.pin.name for pin in missing)
    return UnavailableError(what, pins=names, where=missing[0].pin.evidence.file, hint="run once without offline")


def _unusable(folder: Path, problem: OSError) -> LockError:
    what, hint = disk_words(problem, "--cache-dir")
    return LockError(f"the store cannot be used: {what}", where=str(folder), hint=hint)
