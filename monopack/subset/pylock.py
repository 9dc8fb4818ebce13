"""A subset as a lock file of PEP 751 (https://packaging.python.org/en/latest/specifications/pylock-toml/)."""

from __future__ import annotations

from collections.abc import Sequence

import tomlkit
from packaging.markers import Marker
from packaging.pylock import Package, PackageArchive, PackageSdist, PackageWheel, Pylock
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from monopack.errors import LockError
from monopack.model import Part, Subset, Target
from monopack.subset.parts import bare, hashes

ENVIRONMENT = ("implementation_name", "platform_machine", "python_version", "sys_platform")


def pylock(subset: Subset) -> list[str]:
    """The lines of the file. Raises `LockError` where an address or a hash is not known."""
    needed: dict[str, list[str]] = {}
    for part in subset.parts:
        for because in part.shipped.required_by:
            needed.setdefault(because.required_by, []).append(part.shipped.distribution.name)
    lock = Pylock(
        lock_version=Version("1.0"),
        environments=[_environment(subset.target)],
        requires_python=SpecifierSet(f"=={subset.target.markers['python_version']}.*"),
        created_by="monopack",
        packages=[_package(part, sorted(set(needed.get(part.shipped.distribution.name, ())))) for part in subset.parts],
    )
    lock.validate()
    head = f"# The distributions of the pack {subset.pack} for {subset.target}, written by monopack from {subset.lock.path}\n"
    return (head + tomlkit.dumps(lock.to_dict())).splitlines()


def _environment(target: Target) -> Marker:
    """The one environment that the wheels are for."""
    return Marker(" and ".join(f'{name} == "{target.markers[name]}"' for name in ENVIRONMENT))


def _package(part: Part, dependencies: Sequence[str]) -> Package:
    distribution = part.shipped.distribution
    digest = _digest(part)
    url, path = _place(part)
    name: NormalizedName = canonicalize_name(distribution.name)
    edges = [{"name": each} for each in dependencies] or None
    version, index = Version(distribution.version), bare(part.pin.index) or None
    if part.pin.url:
        return Package(name=name, archive=PackageArchive(url=url, path=path, hashes=digest), dependencies=edges)
    if part.origin.built:
        sdist = PackageSdist(url=url, path=path, hashes=digest)
        return Package(name=name, version=version, index=index, sdist=sdist, dependencies=edges)
    wheel = PackageWheel(name=distribution.wheel, url=url, path=path, size=part.size, hashes=digest)
    return Package(name=name, version=version, index=index, wheels=[wheel], dependencies=edges)


def _digest(part: Part) -> dict[str, str]:
    """The one digest of a file; of an sdist that which the index tells, if the lock has it too. Raises `LockError`."""
    known = hashes(part)
    if len(known) > 1 and part.origin.hash not in known:
        raise _unknown(part, "what its sdist's hash is")
    algorithm, _, digest = (known[0] if len(known) == 1 else part.origin.hash).partition(":")
    return {algorithm: digest}


def _place(part: Part) -> tuple[str | None, str | None]:
    """Where the file of a distribution is: a URL, or a path. Raises `LockError` when it is not known."""
    url = bare(part.origin.url)
    if not url:
        raise _unknown(part, "where it is")
    return (url, None) if "://" in url else (None, url)


def _unknown(part: Part, what: str) -> LockError:
    name = f"{part.shipped.distribution.name}=={part.shipped.distribution.version}"
    hint = "look at the index, the network and the credentials; --format requirements needs neither"
    return LockError(f"the index does not tell of {name} {what}", where=str(part.pin.evidence), hint=hint)
