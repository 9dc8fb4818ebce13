"""The store: pins become distributions, fetched, hash-checked and indexed once and shared by all packs and projects."""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from collections.abc import Container, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Lock as Mutex
from urllib.parse import unquote

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from monopack.errors import AbsentError, LockError, UnavailableError, disk_words
from monopack.model import Distribution, Fetches, Lock, Origin, Pin, Step, Target
from monopack.store.absences import Absences
from monopack.store.answers import Answers
from monopack.store.choose import Asked, Wanted, ask, fits, local_path, local_paths, no_wheel, want
from monopack.store.entries import Entries, Pick
from monopack.store.failures import mismatch, other_python
from monopack.store.fetch import Fetched, Job, fetch
from monopack.store.glances import Glances, ask_index, wanted_ones
from monopack.store.looking import Look, Looking
from monopack.store.pip import Fetching, own_files, own_settings, with_cache_of
from monopack.store.smaller import Recipe, smaller
from monopack.store.upkeep import ABSENT, IMPORTS, PARSED, clean, held, held_parsed

__all__ = [
    "LAYOUT", "Fetching", "Look", "Recipe", "Store", "clean", "held", "held_parsed", "looked_at", "own_files", "parsed",
    "smaller", "with_cache_of",
]  # fmt: skip

LAYOUT = "v1"


def looked_at(lock: Lock, target: Target, environ: Mapping[str, str], root: Path) -> list[str]:
    """What decides on this machine which files the pins of a lock mean: none where the lock has their hashes, else the files of
    pip's settings, and the folders and files that these or the lock name. Absolute paths, there or not.
    """
    asked = ask(lock.index_options, own_settings(environ), target, root)
    pins = [pin for pin in lock.pins.values() if not (pin.hashes or (pin.wheels and all(wheel.hash for wheel in pin.wheels)))]
    unhashed = [Wanted(pin=pin, wheel=wheel) for pin in pins for wheel in (None, *pin.wheels)]
    found = [*own_files(environ), *(path for each in unhashed for path in local_paths(each, asked))] if unhashed else []
    return list(dict.fromkeys(map(str, found)))


class Store:
    """Checked wheels under one folder (absolute), for several threads and processes at once; each pin is fetched once."""

    def __init__(self, folder: Path, settings: Fetching, look: Look) -> None:
        self._folder = folder
        self._entries = Entries(folder / LAYOUT)
        self._settings = settings
        self._looking = Looking(folder / LAYOUT / IMPORTS, look)
        self._known: dict[str, Distribution] = {}
        self._lock = Mutex()
        self._fetches = Fetches()
        self._glances = Glances(folder / LAYOUT / "glances")
        self._absences = Absences(folder / LAYOUT / ABSENT, settings)
        self._absent: set[str] = set()

    def obtain(self, pins: Sequence[Pin], index_options: Sequence[str], target: Target) -> dict[str, Distribution]:
        """The distributions of `pins` on `target`, by canonical name: from the store, or fetched, checked and kept.

        `index_options` are pip's own (`--index-url`, `--find-links`, ...); relative paths count from the settings' root.
        Raises `UnavailableError` for pins that are not found, do not match their hashes, have no wheel for the target, cannot be
        built from an sdist or are not in the store when offline; `LockError` for a wheel that is unsafe, and for a store that
        cannot be written.
        """
        asked = self._ask(index_options, target)
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

    def glance(self, pins: Sequence[Pin], index_options: Sequence[str], target: Target) -> dict[str, frozenset[str]]:
        """The dotted names of the modules that the wheels of `pins` seem to have, by canonical name, without fetching them.

        What a wheel does not list here, it does not have; what it does list has to be confirmed by `obtain`. Pins of which the
        index does not tell are left out. Raises `LockError` for a store that cannot be written.
        """
        asked = self._ask(index_options, target)
        wanted = wanted_ones(pins, asked)
        with self._lock:
            try:
                return self._glance(wanted, asked)
            except OSError as problem:
                raise _unusable(self._folder, problem) from problem

    def origins(self, pins: Sequence[Pin], index_options: Sequence[str], target: Target, *, located: bool) -> dict[str, Origin]:
        """Where the files of pins that were obtained are, by canonical name; the index is asked only for what is to be `located`.

        Raises `LockError` for a store that cannot be written.
        """
        asked = self._ask(index_options, target)
        wanted = wanted_ones(pins, asked)
        built = {pin.pin.name for pin in wanted if (pick := self._entries.pick(pin.key)) and pick.built}
        named = {pin.pin.name: _named_origin(pin, built, asked.root) for pin in wanted}
        unknown = [pin for pin in wanted if not named[pin.pin.name].url]
        if not located or not unknown or self._settings.offline:
            return named
        try:
            with self._entries.working_folder() as folder:
                job = Job(asked=asked, folder=Path(folder), settings=self._settings)
                wheels = [pin for pin in unknown if pin.pin.name not in built]
                sdists = [pin for pin in unknown if pin.pin.name in built]
                told = [ask_index("locate", some, job, sdists=some is sdists) for some in (wheels, sdists) if some]
        except OSError as problem:
            raise _unusable(self._folder, problem) from problem
        return {**named, **{name: origin for each in told for name, origin in each.origins.items()}}

    def fetches(self) -> Fetches:
        """What was asked of the indexes so far."""
        with self._lock:
            return replace(self._fetches, absent=len(self._absent))

    def _ask(self, index_options: Sequence[str], target: Target) -> Asked:
        return ask(index_options, own_settings(self._settings.environ), target, self._settings.root)

    def _glance(self, wanted: Sequence[Wanted], asked: Asked) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        unknown: list[Wanted] = []
        for pin in wanted:
            modules = None if self._settings.asks_again(pin.hashes) else self._glances.known(pin)
            if modules is None and (distribution := self._known.get(pin.key) or self._held(pin, asked)):
                modules = distribution.provides
                self._glances.keep(pin, modules)
            if modules is not None:
                found[pin.pin.name] = modules
            elif (pin.wheel or not pin.url) and not self._absences.known(pin, asked):
                unknown.append(pin)
        if not unknown or self._settings.offline:
            return found
        with self._entries.working_folder() as folder:
            told = ask_index("glance", unknown, Job(asked=asked, folder=Path(folder), settings=self._settings))
        for pin in unknown:
            if pin.pin.name in told.modules:
                self._glances.keep(pin, told.modules[pin.pin.name])
        self._fetches = self._fetches.plus(Fetches(glances=len(told.modules), glanced=told.size))
        return found | told.modules

    def _obtain(self, wanted: Sequence[Wanted], asked: Asked) -> None:
        with ThreadPoolExecutor() as threads:  # hashing and inflating release the GIL
            found = list(threads.map(lambda pin: self._stored(pin, asked), wanted))
            self._known.update({pin.key: distribution for pin, distribution in zip(wanted, found, strict=True) if distribution})
            missing = [pin for pin in wanted if pin.key not in self._known]
            if not missing:
                return
            if self._settings.offline:
                raise _offline(missing)
            self._refuse_absent(missing, asked)
            with self._entries.working_folder() as folder:
                job = Job(asked=asked, folder=Path(folder), settings=self._settings)
                self._known.update(self._recognised(missing, job))
                missing = [pin for pin in missing if pin.key not in self._known]
                if missing:
                    got = self._fetch(missing, job)
                    kept = threads.map(
                        lambda pin: self._keep(pin, got.files[pin.pin.name], asked, built=pin.pin.name in got.built), missing
                    )
                    self._known.update(zip((pin.key for pin in missing), kept, strict=True))

    def _recognised(self, wanted: Sequence[Wanted], job: Job) -> dict[str, Distribution]:
        """What the store has of pins already, by their keys: the very files that the index, asked for no more than where they
        are, would give. So what is chosen never depends on what the store holds.
        """
        names = self._entries.names()
        hoped = [pin for pin in wanted if not pin.url and any(_may_be(pin, *each) for each in names.items())]
        if not hoped:
            return {}
        told = ask_index("locate", hoped, job).origins
        found: dict[str, Distribution] = {}
        for pin in hoped:
            if sha256 := _located(pin, told.get(pin.pin.name, Origin()), names):
                pick = Pick(sha256=sha256, built=False)
                if distribution := self._checked(pin, pick, job.asked):
                    self._entries.remember(pin.key, pick)
                    found[pin.key] = distribution
        return found

    def _refuse_absent(self, wanted: Iterable[Wanted], asked: Asked) -> None:
        """Raise `AbsentError` for a pin that is known not to be had."""
        for pin in wanted:
            if error := self._absences.known(pin, asked):
                self._absent.add(pin.key)
                raise error

    def _fetch(self, wanted: Sequence[Wanted], job: Job) -> Fetched:
        """Fetch wheels, or remember that one is not to be had."""
        self._settings.tell(Step(name="fetch", detail=str(len(wanted))))
        try:
            got = fetch(wanted, job)
        except AbsentError as error:
            for pin in wanted:
                if pin.pin.name in error.pins:
                    self._absences.keep(error, pin, job.asked)
            raise
        size = sum(file.stat().st_size for file in got.files.values())
        news = Fetches(downloaded=frozenset(got.files) - got.cached, cached=got.cached, size=size)
        self._fetches = self._fetches.plus(news)
        return got

    def _held(self, wanted: Wanted, asked: Asked) -> Distribution | None:
        """What the store holds for a pin, if it is for the target's Python."""
        with contextlib.suppress(UnavailableError):
            return self._stored(wanted, asked)
        return None

    def _stored(self, wanted: Wanted, asked: Asked) -> Distribution | None:
        """What the store holds for a pin: the file that the lock names, or the one that was picked for it before."""
        if wanted.wheel and wanted.wheel.hash:
            pick: Pick | None = Pick(sha256=wanted.wheel.hash.removeprefix("sha256:"), built=False)
        else:
            pick = None if self._settings.asks_again(wanted.hashes) else self._entries.pick(wanted.key)
        return self._checked(wanted, pick, asked) if pick else None

    def _checked(self, wanted: Wanted, pick: Pick, asked: Asked) -> Distribution | None:
        """The distribution that was picked for a pin, if the store has it and it is what the pin means."""
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


def _may_be(wanted: Wanted, sha256: str, filename: str) -> bool:
    """Whether a wheel in the store may be the one that a pin means: by its digest, or where it has none, by its name."""
    if wanted.hashes:
        return f"sha256:{sha256}" in wanted.hashes
    name, version, *_ = filename.split("-")
    return canonicalize_name(name) == wanted.pin.name and version.replace("_", "+") == wanted.pin.version


def _located(wanted: Wanted, origin: Origin, names: Mapping[str, str]) -> str:
    """The digest (hex) of the wheel in the store that an index has at some place; empty where that is not certain.

    An index that tells no digest still tells the name, and a lock has no two files of one name.
    """
    told = origin.hash.removeprefix("sha256:")
    if told in names:
        return told
    filename = unquote(origin.url.rpartition("/")[2])
    alike = [sha256 for sha256, name in names.items() if name == filename and f"sha256:{sha256}" in wanted.hashes]
    return "" if told else next(iter(alike), "")


def _named_origin(wanted: Wanted, built: Container[str], root: Path) -> Origin:
    """Where the lock itself says that a file is."""
    local = local_path(wanted.url, root) if wanted.url else None
    return Origin(url=local.as_uri() if local else wanted.url, built=wanted.pin.name in built)


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
