"""Which files of the project code reads: what a place that it spells means, and where the code will look for it in a pack."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from monopack.model import Evidence, value
from monopack.trace.extensions import EXTENSIONS
from monopack.trace.findings import Data, Spot
from monopack.trace.paths import OWN_FILE
from monopack.trace.sources import SOURCE, SourceTree

CODE = (SOURCE, ".pyc", ".pyo", ".pyi", "py.typed", *EXTENSIONS)
LONGEST_CHAIN = 8  # of names that stand for each other in different modules

Places = Mapping[str, Mapping[str, Sequence[Spot]]]  # by the file whose names they are


@value()
class Read:
    """What one piece of code reads: files of the project, each with where it has to ship; and what the user should know."""

    files: Mapping[str, str]
    note: str = ""


@value()
class _Found:
    """A place in the project: its path there, and in a pack."""

    path: str
    ships_as: str
    computed: bool


def read(data: Data, evidence: Evidence, places: Places, tree: SourceTree) -> list[Read]:
    """What is read at a line of the project; nothing for what does not exist. `places` are those of the modules known so far."""
    found = [_found(spot, file, tree) for spot, file in _grounded(data.spot, evidence.file, places, tree)]
    return [read for each in dict.fromkeys(found) if (read := _read(each, evidence, tree))]


def _grounded(spot: Spot, file: str, places: Places, tree: SourceTree) -> list[tuple[Spot, str]]:
    """A place that starts from a file's own folder, for one that starts from a name: with that file."""
    waiting, found = [(spot, file)], []
    for _ in range(LONGEST_CHAIN):
        named = [(spot, file) for spot, file in waiting if spot.start]
        found += [(spot, file) for spot, file in waiting if not spot.start]
        waiting = [step for spot, file in named for step in _start(spot, file, places, tree)]
    return found


def _start(spot: Spot, file: str, places: Places, tree: SourceTree) -> list[tuple[Spot, str]]:
    """One step back from a name: to the folder of the module that it names, or to what it stands for in a module."""
    name = _absolute(spot.start, file, tree)
    bare = spot._replace(start="")
    module = tree.locate(name)
    if module:
        return [(bare, module)]
    if tree.holds(name):
        return [(bare, f"{folder}/{OWN_FILE}") for folder in tree.folders_of(name)]
    holder, _, attribute = name.rpartition(".")
    module = tree.locate(holder) if holder else None
    known = places.get(module, {}).get(attribute, ()) if module else ()
    return [(_appended(begin, bare), module or "") for begin in known]


def _absolute(name: str, file: str, tree: SourceTree) -> str:
    """A name without the dots that it may begin with."""
    bare = name.lstrip(".")
    package = tree.package(file).split(".")
    kept = package[: len(package) - (len(name) - len(bare)) + 1]
    return ".".join((*kept, bare)) if bare != name else name


def _appended(begin: Spot, rest: Spot) -> Spot:
    if begin.computed:
        return begin
    return begin._replace(path=posixpath.normpath(f"{begin.path}/{rest.path}"), computed=rest.computed)


def _found(spot: Spot, file: str, tree: SourceTree) -> _Found:
    """Where a place lies that starts from a file's own folder."""
    folder, _, name = file.rpartition("/")
    path = spot.path.replace(OWN_FILE, name.removesuffix(SOURCE)) if spot.path != OWN_FILE else name
    ships = posixpath.dirname(tree.ships_as(file))
    return _Found(
        path=posixpath.normpath(posixpath.join(folder, path)), ships_as=posixpath.normpath(posixpath.join(ships, path)),
        computed=spot.computed,
    )  # fmt: skip


def _read(found: _Found, evidence: Evidence, tree: SourceTree) -> Read | None:
    """The files at a place."""
    link = tree.link_on(found.path)
    if _above(found.path) or link:
        what = f"{link}, a link that leads out of the project" if link else "a path that leads out of the project"
        return Read(files={}, note=f"{evidence}: reads {what}, so nothing of it ships; copy it into the project")
    if found.path in tree.files:
        return _file(found, evidence, tree)
    files = _below(found, tree)
    if not files:
        return None
    if found.path in {".", *tree.source_roots}:
        where = "the project" if found.path == "." else found.path
        note = f"{evidence}: reads files of {where} by names that are computed; name those that it needs with include"
        return Read(files={}, note=note) if found.computed else None
    if _above(found.ships_as):
        return Read(files={}, note=_too_high(found, evidence))
    count = f"{len(files)} files" if len(files) > 1 else "1 file"
    note = f"{evidence}: a path in {found.path} is computed, so all data there ships ({count}); narrow it with exclude"
    return Read(files=files, note=note if found.computed else "")


def _file(found: _Found, evidence: Evidence, tree: SourceTree) -> Read:
    """One file that is named, which may be code that something else runs by its path."""
    if tree.is_secret(found.path):
        note = f"{evidence}: reads {found.path}, which looks like a secret and does not ship; name it with include if it has to"
        return Read(files={}, note=note)
    if _above(found.ships_as):
        return Read(files={}, note=_too_high(found, evidence))
    return Read(files={found.path: found.ships_as})


def _below(found: _Found, tree: SourceTree) -> dict[str, str]:
    """The data in a folder: no code, no secrets, nothing from folders in it that hold modules."""
    begin = "" if found.path == "." else f"{found.path}/"
    files = [path for path in tree.files if path.startswith(begin) and not path.endswith(CODE) and not tree.is_secret(path)]
    return {
        path: posixpath.normpath(f"{found.ships_as}/{path[len(begin) :]}")
        for path in sorted(files)
        if tree.folders.isdisjoint(_folders(path, begin))
    }


def _folders(path: str, begin: str) -> list[str]:
    """The folders between a folder and a file in it."""
    parts = path[len(begin) :].split("/")[:-1]
    return [begin + "/".join(parts[: end + 1]) for end in range(len(parts))]


def _above(path: str) -> bool:
    return path == ".." or path.startswith(("../", "/"))


def _too_high(found: _Found, evidence: Evidence) -> str:
    return (
        f"{evidence}: reads {found.path}, which in a pack would lie above its top folder, so it does not ship;"
        " move it below the source root"
    )
