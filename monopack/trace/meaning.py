"""What a reference means: first-party files, or an import that somebody else has to provide."""

from __future__ import annotations

from typing import NamedTuple

from monopack.errors import PackError
from monopack.model import Evidence, Reach, Target
from monopack.trace.findings import Reference
from monopack.trace.sources import SourceTree


class Place(NamedTuple):
    """Where a reference stands: its line, when the file around it runs, and the package that its dots start from."""

    evidence: Evidence
    reach: Reach
    package: str = ""


class Meaning(NamedTuple):
    """What one reference means: first-party files (parents first), or an import that somebody else has to provide.

    `base` is an absolute dotted name, `attribute` what is imported from it; `holder` is the first-party module that has the
    attribute as a name, if it is anything, and `package` the one that has it as a submodule. `folder` says that a bare folder
    (PEP 420) answers to the whole name where nothing else does. `others` says that somebody else has to provide it: `standard`
    that this is the standard library, `missing` that nobody can, since it would lie in a first-party package that has no such
    module, `beyond` that it has more dots than there are packages above it.
    """

    base: str
    attribute: str = ""
    files: tuple[str, ...] = ()
    holder: str = ""
    package: str = ""
    folder: bool = False
    others: bool = False
    standard: bool = False
    missing: bool = False
    beyond: bool = False

    @property
    def dotted(self) -> str:
        """The longest dotted name that it may stand for."""
        return f"{self.base}.{self.attribute}" if self.attribute else self.base


class Meanings:
    """What references mean in one project on one target; much is imported from many places, and looked up once."""

    def __init__(self, tree: SourceTree, target: Target) -> None:
        self._tree = tree
        self._target = target
        self._known: dict[tuple[str, str, bool], Meaning] = {}
        self._files: dict[str, str | None] = {}
        self._ways: dict[str, tuple[str, ...]] = {"": ()}

    def of(self, reference: Reference, place: Place) -> Meaning:
        """What a reference means where it stands. Raises `PackError` for a module behind a link out of the project."""
        attribute = "" if reference.attribute == "*" else reference.attribute
        base = absolute(reference, place.package)
        if base is None:
            return Meaning(base=reference.written, attribute=attribute, others=True, missing=True, beyond=True)
        refuse_link(base, place.evidence, self._tree)
        asked = (base, attribute, bool(reference.level))
        if asked not in self._known:
            self._known[asked] = self._find(*asked)
        return self._known[asked]

    def _find(self, base: str, attribute: str, relative: bool) -> Meaning:
        """What an absolute name means, and something that is imported from it; `relative` says that it was written with dots."""
        tree, target = self._tree, self._target
        files = self._on_the_way(base, attribute)
        plain = Meaning(base=base, attribute=attribute, files=files.paths, holder=files.holder, package=files.package)
        top = base.partition(".")[0]
        if top in target.builtins:
            return Meaning(base=base, attribute=attribute, others=True, standard=True)
        if files.found:
            return plain
        if top in target.stdlib and not files.paths:
            return plain._replace(others=True, standard=True)
        if files.excluded:
            return plain
        inside = bool(files.paths) or relative
        folder = tree.is_folder(plain.dotted)
        if inside and not folder and not tree.is_folder(base):
            attribute = ""  # the module itself is what is missing
        return plain._replace(attribute=attribute, folder=folder, others=not (inside and folder), missing=inside and not folder)

    def _on_the_way(self, base: str, attribute: str) -> _Located:
        """The files that importing `base` (and `attribute` from it) runs: every parent package, the module, the submodule."""
        last = self._file(base)
        paths = self._way(base.rpartition(".")[0])
        paths = paths if last is None else (*paths, last)
        submodule = self._file(f"{base}.{attribute}") if attribute else None
        if submodule is not None:
            return _Located(paths=(*paths, submodule), found=True, package=last or "")
        if last is not None:
            return _Located(paths=paths, found=True, holder=last)
        excluded = self._tree.excludes(base) or (bool(attribute) and self._tree.excludes(f"{base}.{attribute}"))
        return _Located(paths=paths, excluded=excluded)

    def _way(self, package: str) -> tuple[str, ...]:
        """The files of a package and of those around it, outer first."""
        if package not in self._ways:
            parts = package.split(".")
            located = (self._file(".".join(parts[: end + 1])) for end in range(len(parts)))
            self._ways[package] = tuple(path for path in located if path is not None)
        return self._ways[package]

    def _file(self, name: str) -> str | None:
        """The file of a module; packages are on the way to much."""
        if name not in self._files:
            self._files[name] = self._tree.locate(name)
        return self._files[name]


def meaning_of(reference: Reference, place: Place, tree: SourceTree, target: Target) -> Meaning:
    """What a single reference means."""
    return Meanings(tree, target).of(reference, place)


def absolute(reference: Reference, package: str) -> str | None:
    """The absolute dotted name that a reference in a package starts from (PEP 328), None where its dots lead above the top."""
    if not reference.level:
        return reference.name
    parts = [part for part in (reference.anchor or package).split(".") if part]
    if reference.level > len(parts):
        return None
    kept = parts[: len(parts) - reference.level + 1]
    return ".".join((*kept, reference.name) if reference.name else kept)


def too_many_dots(reference: Reference, place: Place) -> PackError:
    """The refusal of a relative import that cannot work."""
    package = reference.anchor or place.package or "the top level"
    message = f"relative import with {reference.level} dots, but its package is {package!r}"
    return PackError(message, where=str(place.evidence), hint="use fewer dots, or an absolute import")


def refuse_link(name: str, evidence: Evidence, tree: SourceTree) -> None:
    """Raise `PackError` where a dotted name lies behind a link that leads out of the project."""
    if link := tree.leads_out(name):
        hint = "copy the code into the project"
        raise PackError(f"{link} is a link that leads out of the project", where=str(evidence), hint=hint)


class _Located(NamedTuple):
    """The first-party files on the way to a name.

    `found` says that they lead all the way, `holder` is the module that has the rest as a name, if there is a rest, `package` the
    one that has it as a submodule; `excluded` says that the config cut them off.
    """

    paths: tuple[str, ...] = ()
    found: bool = False
    holder: str = ""
    package: str = ""
    excluded: bool = False
