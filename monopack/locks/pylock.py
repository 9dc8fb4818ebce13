"""The `pylock.toml` dialect (PEP 751), version 1: packages with their files; markers choose among them.

Format: https://packaging.python.org/en/latest/specifications/pylock-toml/. `packaging` reads and validates it. Its `select` is
not used, since it refuses the whole lock where one package has no file for the target, needed or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageSdist,
    PackageWheel,
    Pylock,
    PylockUnsupportedVersionError,
    PylockValidationError,
)
from packaging.utils import canonicalize_name

from monopack.errors import LockError
from monopack.locks.pins import (
    HASH,
    Choice,
    file_url,
    git_url,
    package_lines,
    refuse_source,
    refuse_twins,
    shown,
    text_of,
    toml_of,
    without_hashes,
)
from monopack.model import Evidence, Lock, Pin, Target, WheelFile

RELOCK = "write the lock again with the tool that made it"


def read(root: Path, path: str, target: Target, choice: Choice) -> Lock:
    """The pins of the `pylock.toml` at `path` (relative to the absolute `root`) that hold for `target`.

    What the default groups and the chosen extras and groups have ships; what only other groups have is for tests.
    Raises `LockError` for a file that is not such a lock, or was not made for the target.
    """
    text = text_of(root, path)
    lines = package_lines(text, "[[packages]]")
    pylock = _document(text, path, lines)
    groups = pylock.dependency_groups or ()
    choice.check(pylock.extras or (), groups, path)
    _check(pylock, path, target)
    reader = _Reader(pylock, root, path, lines)
    chosen = [*(pylock.default_groups or ()), *(group for group in groups if choice.has_group(group))]
    shipping = reader.select(target, [extra for extra in pylock.extras or () if choice.has_extra(extra)], chosen)
    testing = reader.select(target, pylock.extras or (), [*(pylock.default_groups or ()), *groups])
    found = {position: reader.pin(position) for position in reader.foreign(shipping)}
    refuse_twins(found.values())
    taken = {pin.name for pin in found.values()}
    others = {position: reader.pin(position, development=True) for position in reader.foreign(testing) if position not in found}
    found |= {position: pin for position, pin in others.items() if pin.name not in taken}
    pins = {pin.name: pin for _, pin in sorted(found.items())}
    return Lock(
        dialect="pylock", path=path, pins=pins, local=reader.local([*shipping, *testing]),
        warnings=without_hashes(pins.values(), path),
    )  # fmt: skip


def _document(text: str, path: str, lines: list[int]) -> Pylock:
    """The lock's text as values, or a `LockError` with the place."""
    data = toml_of(text, path, RELOCK)
    try:
        return Pylock.from_dict(data)
    except PylockUnsupportedVersionError as error:
        line = next((number for number, line in enumerate(text.splitlines(), 1) if line.startswith("lock-version")), 1)
        what = f"lock version {data.get('lock-version')} is not known, only 1.x"
        raise LockError(what, where=f"{path}:{line}", hint="use a tool that writes version 1.0, or a newer monopack") from error
    except PylockValidationError as error:
        raise LockError(f"is not a pylock file: {error}", where=_place(error, path, lines), hint=RELOCK) from error


def _place(error: PylockValidationError, path: str, lines: list[int]) -> str:
    """The line of the package that an error is about."""
    number = (error.context or "").removeprefix("packages[").partition("]")[0]
    return f"{path}:{lines[int(number)]}" if number.isdigit() and int(number) < len(lines) else path


def _check(pylock: Pylock, path: str, target: Target) -> None:
    """Refuse a lock that was not made for the target: its markers would drop pins without a word."""
    python, environments = pylock.requires_python, pylock.environments
    if python is not None and not python.contains(target.version, prereleases=True):
        what = f"holds for Python {python}, not for {target.version} (target {target.name})"
        raise LockError(what, where=path, hint="choose another target or Python, or lock for this one")
    if environments and not any(marker.evaluate(dict(target.markers), context="requirement") for marker in environments):
        what = f"was not made for target {target.name}, only for {' or '.join(map(str, environments))}"
        raise LockError(what, where=path, hint="lock for this environment too")


class _Reader:
    """A lock with its place. Packages are known by their position in it."""

    def __init__(self, pylock: Pylock, root: Path, path: str, lines: list[int]) -> None:
        self.packages, self.root, self.path, self.lines = pylock.packages, root, path, lines
        self.folder = (root / path).parent

    def select(self, target: Target, extras: Iterable[str], groups: Iterable[str]) -> list[int]:
        """The packages that are to be installed on the target with some extras and dependency groups."""
        sets = {"extras": frozenset(extras), "dependency_groups": frozenset(groups)}
        environment: dict[str, str | AbstractSet[str]] = {**target.markers, **sets}
        found = [
            position
            for position, package in enumerate(self.packages)
            if package.marker is None or package.marker.evaluate(environment, context="lock_file")
        ]
        for position in found:
            python = self.packages[position].requires_python
            if python is not None and not python.contains(target.version, prereleases=True):
                what = f"{self.packages[position].name} needs Python {python}, and the target {target.name} has {target.version}"
                raise LockError(what, where=str(self.evidence(position)), hint="choose another target or Python, or lock again")
        return found

    def foreign(self, positions: Iterable[int]) -> list[int]:
        """Those packages that are not first-party."""
        return [position for position in positions if not self.packages[position].directory]

    def local(self, positions: Iterable[int]) -> dict[str, str]:
        """The folders of first-party projects among some packages, by name."""
        packages = (self.packages[position] for position in sorted(set(positions)))
        return {package.name: shown(self.root, self.folder / package.directory.path) for package in packages if package.directory}

    def evidence(self, position: int) -> Evidence:
        """The place of a package."""
        return Evidence(file=self.path, line=self.lines[position] if position < len(self.lines) else 0)

    def pin(self, position: int, development: bool = False) -> Pin:
        """One package as a pin."""
        package, evidence = self.packages[position], self.evidence(position)
        if package.vcs and package.vcs.type != "git":
            raise refuse_source(package.name, package.vcs.type, evidence)
        hashes = [file.hashes for file in (*(package.wheels or ()), package.sdist, package.archive) if file]
        return Pin(
            name=canonicalize_name(package.name), version=str(package.version or ""), evidence=evidence, any_extras=True,
            hashes=frozenset(digest for stated in hashes for digest in _digests(stated)), development=development,
            wheels=tuple(self.wheel(file) for file in package.wheels or ()), url=self.direct_url(package),
            index=package.index or "", sdist=self.url(package.sdist) if package.sdist and package.wheels else "",
        )  # fmt: skip

    def wheel(self, file: PackageWheel) -> WheelFile:
        sha256 = file.hashes.get("sha256")
        return WheelFile(filename=file.filename, url=self.url(file), hash=f"sha256:{sha256}" if sha256 else "")

    def direct_url(self, package: Package) -> str:
        """The one address of a package: its repository, its archive, or its sdist; empty when there are wheels to choose from."""
        if package.vcs:
            vcs = package.vcs
            return git_url(vcs.url or file_url(self.folder, vcs.path or "."), vcs.commit_id, vcs.subdirectory or "")
        if package.archive:
            folder = package.archive.subdirectory
            return self.url(package.archive) + (f"#subdirectory={folder}" if folder else "")
        return self.url(package.sdist) if package.sdist and not package.wheels else ""

    def url(self, file: PackageArchive | PackageWheel | PackageSdist) -> str:
        """The absolute URL of a file."""
        return file.url or file_url(self.folder, file.path or "")


def _digests(hashes: Mapping[str, str]) -> list[str]:
    """Hashes as `algorithm:hex`, of the algorithms that count."""
    return [digest for name, text in hashes.items() if HASH.fullmatch(digest := f"{name}:{text}".lower())]
