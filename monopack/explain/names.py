"""What a name means in a pack: a file, a module, a distribution or part of one; several things may have it."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from packaging.utils import canonicalize_name

from monopack.explain.chains import distribution_chain, file_chain, to_file
from monopack.explain.known import Known
from monopack.model import Chain, Shipped, TracedFile


def tidy(name: str) -> str:
    """A name without what only paths have around them: `./app/users.py`, `app\\users.py`, `app/`."""
    return name.strip().replace("\\", "/").removeprefix("./").rstrip("/")


def chains(name: str, known: Known) -> tuple[Chain, ...]:
    """A chain for each thing in the pack that has a name: first-party files, then distributions."""
    name = tidy(name)
    own = [file_chain(file, known) for file in known.trace.files if name in names_of(file)] or _folder(name, known)
    parts = ((shipped, _part(name, shipped, known)) for shipped in known.resolution.shipped)
    return (*own, *(distribution_chain(shipped, known, part) for shipped, part in parts if part is not None))


def names_of(file: TracedFile) -> set[str]:
    """The names of a first-party file: its path, where it ships, its module."""
    return {file.source.path, file.ships_as, file.module} - {""}


def _folder(name: str, known: Known) -> list[Chain]:
    """A chain to the nearest file of a folder, which may be a namespace package."""
    inside = [file for file in known.trace.files if name and _below(name, file)]
    near = sorted(inside, key=lambda file: len(to_file(file.source.path, known)))[:1]
    return [file_chain(file, known, len(inside)) for file in near]


def _below(name: str, file: TracedFile) -> bool:
    """Whether a file lies below a folder or a package."""
    return f"{file.module}.".startswith(f"{name}.") or any(p.startswith(f"{name}/") for p in (file.source.path, file.ships_as))


def _part(name: str, shipped: Shipped, known: Known) -> str | None:
    """What a name means in a distribution: an empty string for all of it, a module or path in it, None for nothing."""
    distribution = shipped.distribution
    if canonicalize_name(name) == distribution.name:
        return ""
    module = name in distribution.provides | distribution.namespaces
    imported = known.resolution.providers.get(name) == distribution.name
    inside = bool(name) and any(f"{path}/".startswith(f"{name}/") for path in _paths(shipped, known))
    return name if module or imported or inside else None


def _paths(shipped: Shipped, known: Known) -> Iterator[str]:
    """The files of a distribution that ship."""
    return (member.path for member in shipped.distribution.members if member.path not in known.dropped)


# ---------------------------------------------------------------- did you mean


def nearest(name: str, known: Known) -> str:
    """The name in the pack that is most like one that is not; else the package that would hold it; else an empty string."""
    name = tidy(name)
    names = {each.casefold(): each for each in sorted(_alike(name, known))}
    close = get_close_matches(name.casefold(), names, n=1, cutoff=0.8)
    parts = name.split(".")
    holding = [".".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)]
    parent = next((each for each in holding if each in names.values()), "")
    return names[close[0]] if close else parent


def _alike(name: str, known: Known) -> Iterator[str]:
    """Names in the pack of the kind that a name is of: paths, or modules and distributions."""
    if "/" in name:
        yield from (path for file in known.trace.files for path in (file.source.path, file.ships_as))
        paths = (path for shipped in known.resolution.shipped for path in _paths(shipped, known))
        yield from (path for path in paths if path.startswith(f"{name.partition('/')[0]}/"))
        return
    yield from (file.module for file in known.trace.files if file.module)
    top = name.partition(".")[0].casefold()
    for shipped in known.resolution.shipped:
        yield shipped.distribution.name
        modules = shipped.distribution.provides | shipped.distribution.namespaces
        yield from (module for module in modules if "." not in module or module.partition(".")[0].casefold() == top)
