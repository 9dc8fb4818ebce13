"""First-party files and distributions make a Tree: every path once, its bytes known, nothing written yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from monopack.errors import PackError
from monopack.model import Distribution, Entry, TracedFile, Tree

FIRST_PARTY = "first-party"
# Top-level names that distributions drop by accident, and that nobody means when they import them.
ACCIDENTAL = frozenset({"benchmarks", "doc", "docs", "example", "examples", "scripts", "test", "testing", "tests", "tools"})


def assemble(files: Iterable[TracedFile], distributions: Iterable[Distribution], imported: Collection[str]) -> Tree:
    """The Tree of a pack.

    `imported` are the top-level names that first-party code imports. Raises `PackError` where two owners write different
    bytes to one path that code may import; elsewhere neither ships, and the Tree has a warning. Equal bytes, and `__init__`
    files of namespace packages, merge.
    """
    shared = {(_origin(d), f"{name.replace('.', '/')}/__init__.py") for d in distributions for name in d.namespaces}
    owners: dict[str, list[Entry]] = {}
    for entry in (*_first_party(files), *(e for d in distributions for e in _members(d))):
        owners.setdefault(entry.path, []).append(entry)
    reached = set(imported)
    entries: list[Entry] = []
    warnings: list[str] = []
    for path, claims in sorted(owners.items()):
        if len({e.sha256 for e in claims}) == 1 or all((e.origin, path) in shared for e in claims):
            entries.append(replace(claims[0], mode=max(e.mode for e in claims)))
        elif _importable(path, reached):
            raise _conflict(path, claims)
        else:
            warnings.append(f"{path} does not ship: {' and '.join(_owners(claims))} have different files there")
    _refuse_blocked(entries)
    _refuse_names(entries)
    return Tree(entries=tuple(sorted(entries, key=_key)), warnings=tuple(warnings))


def overlay(tree: Tree, files: Iterable[TracedFile], distributions: Iterable[Distribution]) -> Tree:
    """A Tree for tests: a pack's own Tree, the files of the tests, then what only tests need; the earlier ones win."""
    entries = {e.path: e for d in distributions for e in _members(d)}
    entries |= {e.path: e for e in _first_party(files)}
    entries |= {e.path: e for e in tree.entries}
    return Tree(entries=tuple(sorted(entries.values(), key=_key)))


def _first_party(files: Iterable[TracedFile]) -> Iterable[Entry]:
    """Entries for first-party files."""
    for file in files:
        source = file.source
        yield Entry(
            path=file.ships_as, sha256=source.sha256, crc=source.crc, size=source.size, mode=source.mode,
            origin=FIRST_PARTY, location=source.location,
        )  # fmt: skip


def _members(distribution: Distribution) -> Iterable[Entry]:
    """Entries for everything that a distribution installs."""
    origin = _origin(distribution)
    for member in distribution.members:
        yield Entry(
            path=member.path, sha256=member.sha256, crc=member.crc, size=member.size, mode=member.mode, origin=origin,
            location=distribution.location, offset=member.offset, packed=member.packed,
            packed_sha256=member.packed_sha256, method=member.method,
        )  # fmt: skip


def _origin(distribution: Distribution) -> str:
    return f"{distribution.name}=={distribution.version}"


def _key(entry: Entry) -> bytes:
    """The bytes of a path, in whose order everything is written; also of a name that is not valid UTF-8."""
    return entry.path.encode("utf-8", "surrogateescape")


def _importable(path: str, imported: Collection[str]) -> bool:
    """Whether code may import what lies at a path: inside a package, unless it is one that is only there by accident."""
    top, slash, _ = path.partition("/")
    if not slash:
        return top.endswith((".py", ".so", ".pyd"))
    return top.isidentifier() and (top in imported or top not in ACCIDENTAL)


def _owners(claims: Iterable[Entry]) -> list[str]:
    return sorted({f"{e.origin} ({e.location})" if e.origin == FIRST_PARTY else e.origin for e in claims})


def _conflict(path: str, claims: list[Entry]) -> PackError:
    hint = "leave one of them out with exclude_distributions, or rename the first-party module"
    return PackError(f"{' and '.join(_owners(claims))} both ship it, with different bytes", where=path, hint=hint)


def _refuse_blocked(entries: Iterable[Entry]) -> None:
    """Refuse a file that stands where others need a folder."""
    by_path = {entry.path: entry for entry in entries}
    for path, entry in by_path.items():
        parts = path.split("/")
        for end in range(1, len(parts)):
            blocking = by_path.get("/".join(parts[:end]))
            if blocking is not None:
                what = f"{blocking.origin} ships a file where {entry.origin} needs a folder"
                raise PackError(what, where=blocking.path, hint="leave one of them out with exclude_distributions")


def _refuse_names(entries: Iterable[Entry]) -> None:
    """Refuse names that no archive can hold portably."""
    for entry in entries:
        try:
            entry.path.encode()
        except UnicodeEncodeError:
            what = "the file's name is not valid UTF-8"
            raise PackError(what, where=ascii(entry.path), hint="rename it, or keep it out with exclude") from None
