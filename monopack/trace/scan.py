"""Reading the project: which files there are, and what one file imports. The only part of tracing that touches the disk."""

from __future__ import annotations

import ast
import codecs
import contextlib
import hashlib
import io
import os
import stat
import sys
import tokenize
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path, PurePosixPath
from threading import Lock

from pathspec import GitIgnoreSpec

from monopack import __version__
from monopack.block import decoded
from monopack.model import Evidence, SourceFile, Target, WheelImport, value
from monopack.passed_over import of_others, passed_over
from monopack.trace.extensions import EXTENSIONS, suffixes
from monopack.trace.findings import App, Matching, Mention, Needed, Reference, Remark, by_type
from monopack.trace.flow import by_kind, import_statements, reachable
from monopack.trace.guards import DECIDING, known_of
from monopack.trace.helpers import Hands, Job, share
from monopack.trace.meaning import absolute
from monopack.trace.names import names_of
from monopack.trace.paths import Scope
from monopack.trace.pragmas import pragmas_of
from monopack.trace.rules import findings, statement_findings
from monopack.trace.rules.data import data_findings, may_read
from monopack.trace.sources import SECRETS, SOURCE, Facts, Problem, SourceTree
from monopack.trace.uses import uses_of
from monopack.trace.values import Values
from monopack.trace.written import read_back, written

SAMPLE = 50  # files, of which none is known where nothing is: then each is read only once, when it is parsed
UNREADABLE = (SyntaxError, UnicodeDecodeError, LookupError, ValueError, RecursionError, MemoryError)


# ---------------------------------------------------------------- which files there are


def survey(root: Path, source_roots: Sequence[str], skip: Iterable[Path] = ()) -> SourceTree:
    """List a project's files without reading them.

    `root` and `skip` (folders that are never source, such as the build folder) are absolute. Dot-folders, virtual
    environments and `node_modules` are passed over. Links are followed while they stay inside the project and lead in no
    circle.
    """
    files: set[str] = set()
    outside: set[str] = set()
    skipped = {os.path.realpath(path) for path in skip}
    home = os.path.realpath(root)
    stack = [(str(root), "", frozenset({home}))]
    while stack:
        folder, relative, above = stack.pop()
        listing = _listing(folder)
        if relative and of_others(entry.name for entry in listing):
            continue
        for entry in listing:
            path = f"{relative}{entry.name}"
            real = os.path.realpath(entry.path) if entry.is_symlink() else None
            if real is not None and not _inside(real, home):
                outside.add(path)
            elif real is not None and _disguised(os.path.relpath(real, home), folder=_is(entry.is_dir)):
                continue  # a link is what it leads to
            elif _is(entry.is_dir):
                real = real or os.path.realpath(entry.path)
                if real not in above and real not in skipped and not passed_over(entry.name):
                    stack.append((entry.path, f"{path}/", above | {real}))
            elif _is(entry.is_file):
                files.add(path)
    return SourceTree(
        root=str(root),
        source_roots=tuple(source_roots),
        files=frozenset(files),
        folders=frozenset(_parents(files)),
        outside=frozenset(outside),
    )


def _listing(folder: str) -> list[os.DirEntry[str]]:
    """A folder's entries; of one that is unreadable, none."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _is(kind: Callable[[], bool]) -> bool:
    """Whether an entry is of a kind; one that cannot be told, such as a link to itself, is of none."""
    try:
        return kind()
    except OSError:
        return False


def _inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root + os.sep)


def _disguised(target: str, *, folder: bool) -> bool:
    """Whether a link's target (a relative path) lies where nothing is source, or is a file with a secret by another name."""
    parts = Path(target).parts
    return any(map(passed_over, parts)) or (not folder and any(map(SECRETS.fullmatch, parts[-1:])))


def _parents(files: Iterable[str]) -> Iterator[str]:
    """Every folder that holds a module, at any depth."""
    seen: set[str] = set()
    for path in files:
        folder = path.rpartition("/")[0] if path.endswith((SOURCE, *EXTENSIONS)) else ""
        while folder and folder not in seen:
            seen.add(folder)
            folder = folder.rpartition("/")[0]
    return iter(seen)


def links(tree: SourceTree) -> dict[str, str]:
    """The files and folders of a project that are links, each with what it is really (both project-relative)."""
    home = os.path.realpath(tree.root)
    places = {path[:end] for path in tree.files for end in (*(i for i, sign in enumerate(path) if sign == "/"), len(path))}
    linked = (place for place in places if os.path.islink(f"{tree.root}/{place}"))  # noqa: PTH114  (called for thousands of files)
    return {place: os.path.relpath(os.path.realpath(f"{tree.root}/{place}"), home) for place in linked}


def matching(tree: SourceTree, patterns: Sequence[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Files that glob patterns name, and the patterns that name none.

    Patterns are relative to the project and as in `.gitignore` (`app/templates/**`, `app/templates`, `*.json` at the root,
    `**/*.json` anywhere). Files that look like secrets match only when they are named without a wildcard.
    """
    found: set[str] = set()
    unmatched = []
    for pattern in patterns:
        spec = GitIgnoreSpec.from_lines([pattern if pattern.startswith("**") else f"/{pattern.lstrip('/')}"])
        matches = {p for p in spec.match_files(tree.files) if p == pattern or not SECRETS.fullmatch(PurePosixPath(p).name)}
        found |= matches
        if not matches:
            unmatched.append(pattern)
    return frozenset(found), tuple(unmatched)


def by_pattern(tree: SourceTree, patterns: Sequence[str]) -> dict[str, str]:
    """The files that glob patterns name, each with the first pattern that does."""
    found: dict[str, str] = {}
    for pattern in patterns:
        for path in matching(tree, [pattern])[0]:
            found.setdefault(path, pattern)
    return found


# ---------------------------------------------------------------- what a file says


@value()
class Memory:
    """What was kept of files that were parsed before: their facts as text, by sha256.

    `recall` gives what there is for some digests, `keep` takes more. What is recalled has to come from files that were parsed
    in the same way (`way_of_reading`).
    """

    recall: Callable[[Sequence[str]], Mapping[str, str]]
    keep: Callable[[Mapping[str, str]], None]


class Scanner:
    """Reads each file of a project once, for all packs of a run; safe to share between threads.

    With a memory, what was parsed in an earlier run is not parsed again; with hands, helpers parse a part of many files.
    """

    def __init__(self, tree: SourceTree, target: Target, memory: Memory | None = None, hands: Hands | None = None) -> None:
        compiled = any(path.endswith(EXTENSIONS) for path in tree.files)
        self.tree = replace(tree, suffixes=(*suffixes(target), SOURCE)) if compiled else tree
        self._target = target
        self.looked: dict[str, str] = {}
        self._memory = memory
        self._hands = hands
        self._known: dict[str, Facts] = {}
        self._lock = Lock()

    def read(self, paths: frozenset[str]) -> dict[str, Facts]:
        """The facts of files, by project-relative path. A file that cannot be used comes back with its `error`."""
        with self._lock:
            if new := sorted(paths - self._known.keys()):
                self._known |= self._read(new)
            facts = {path: self._known[path] for path in paths}
        self.looked.update((path, _identity(each.source)) for path, each in facts.items())
        return facts

    def watched(self) -> Scanner:
        """A scanner of the same project, with the same memory, whose `looked` are the files that it alone was asked for."""
        other = copy(self)
        other.looked = {}
        return other

    def narrowed(self, exclude: Sequence[str], *, strings: bool = True) -> Scanner:
        """A scanner of the same project, with the same memory, whose tree leaves out files that match glob patterns.

        `strings` says whether strings that look like modules of the project name them.
        """
        if not exclude and strings:
            return self
        gone, _ = matching(self.tree, exclude)
        other = copy(self)
        other.tree = replace(self.tree, files=self.tree.files - gone, excluded=gone, strings=strings)
        return other

    def before(self, new: Iterable[str], gone: Iterable[str]) -> Scanner:
        """A scanner of the project before some files were there and while others still were; those cannot be read any more."""
        old = {path for path in gone if not any(map(passed_over, path.split("/")[:-1]))}
        files = (self.tree.files - set(new)) | old
        tree = replace(self.tree, files=files, folders=frozenset(_parents(files)), suffixes=(SOURCE,))
        other = Scanner(tree, self._target, self._memory, self._hands)
        other._known, other._lock = self._known, self._lock
        return other

    def fresh(self) -> Scanner:
        """A scanner of the same project that has read nothing yet."""
        return Scanner(self.tree, self._target, self._memory, self._hands)

    def _read(self, paths: Sequence[str]) -> dict[str, Facts]:
        """What files are and say, as was told before, or else parsed now."""
        sources = [path for path in paths if path.endswith(SOURCE)]
        data, found = self._looked_at(path for path in paths if not path.endswith(SOURCE))
        found |= {path: Facts(source=source) for path, source in data.items()}
        if len(sources) <= SAMPLE or self._recalled(sources[:: len(sources) // SAMPLE]):
            found |= self._recalled(sources)
        return found | self._parsed([path for path in sources if path not in found])

    def _recalled(self, paths: Sequence[str]) -> dict[str, Facts]:
        """Those of some files about which something is known: what they say, or that they cannot be read."""
        if not self._memory:
            return {}
        sources, unreadable = self._looked_at(paths)
        kept = self._memory.recall([source.sha256 for source in sources.values()])
        known = {path: read_back(kept[source.sha256], source) for path, source in sources.items() if source.sha256 in kept}
        return unreadable | {path: facts for path, facts in known.items() if facts}

    def _looked_at(self, paths: Iterable[str]) -> tuple[dict[str, SourceFile], dict[str, Facts]]:
        """What files are, and which of them cannot be read."""
        sources: dict[str, SourceFile] = {}
        unreadable: dict[str, Facts] = {}
        for path in paths:
            try:
                sources[path], _ = load(path, self._location(path))
            except OSError as problem:
                unreadable[path] = self._unreadable(path, problem)
        return sources, unreadable

    def _parsed(self, paths: Sequence[str]) -> dict[str, Facts]:
        """What files say that nothing is known about; it is kept for the next run."""
        found: dict[str, Facts] = {}
        texts: dict[str, str] = {}

        def parse(part: Iterable[str]) -> None:
            mine = dict(map(self._parse, part))
            found.update(mine)
            if self._memory and mine:
                self._memory.keep({facts.source.sha256: written(facts) for facts in mine.values() if not facts.error})

        if self._hands:
            job = Job(root=self.tree.root, markers=self._target.markers)
            for source, text in share(paths, job, self._hands, parse):
                if facts := read_back(text, source):
                    found[source.path], texts[source.sha256] = facts, text
        if self._memory and texts:
            self._memory.keep(texts)
        parse(set(paths) - found.keys())
        return found

    def _parse(self, path: str) -> tuple[str, Facts]:
        try:
            return path, facts_of(*load(path, self._location(path)), self._target.markers)
        except OSError as problem:
            return path, self._unreadable(path, problem)

    def _unreadable(self, path: str, problem: OSError) -> Facts:
        nothing = SourceFile(path=path, location=self._location(path), sha256="", crc=0, size=0, mode=0)
        message = f"cannot be read: {problem.strerror}"
        return Facts(source=nothing, error=Problem(message=message, where=Evidence(file=path, line=0)))

    def _location(self, path: str) -> str:
        return f"{self.tree.root}/{path}"


def _identity(source: SourceFile) -> str:
    """What a file was when it was read; nothing of one that could not be."""
    return f"{source.sha256}+x" if source.mode & stat.S_IXUSR else source.sha256


def way_of_reading(target: Target) -> str:
    """What tells apart the ways in which the same file may be read otherwise: this code, this Python, what the target decides."""
    code = [file.read_bytes() for file in sorted(Path(__file__).parent.rglob("*.py"))]
    told = [__version__, *sys.version_info, *(target.markers.get(name, "") for name in DECIDING)]
    return hashlib.sha256(b"\0".join([*code, repr(told).encode()])).hexdigest()[:16]


def load(path: str, location: str) -> tuple[SourceFile, bytes]:
    """A file's identity and bytes. Raises `OSError`."""
    with open(location, "rb", buffering=0) as file:  # noqa: PTH123  (called for thousands of files)
        data = file.readall()
        executable = os.fstat(file.fileno()).st_mode & stat.S_IXUSR
    source = SourceFile(
        path=path, location=location, sha256=hashlib.sha256(data).hexdigest(), crc=zlib.crc32(data),
        size=len(data), mode=0o755 if executable else 0o644,
    )  # fmt: skip
    return source, data


def facts_of(source: SourceFile, data: bytes, markers: Mapping[str, str]) -> Facts:
    """What a Python file imports and what it tells about names; decoded as PEP 263 says."""
    try:
        text = _decode(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as for "\\d": they are for whoever works on that file
            tree = ast.parse(text, filename=source.path)
    except UNREADABLE as problem:
        return Facts(source=source, error=_problem(source.path, problem))
    steps = reachable(tree, known_of(tree, text, markers))
    seen = by_kind(steps)
    names = names_of(tree, seen, text)
    pragmas = pragmas_of(text)
    kept = by_kind(pragmas.kept(steps)) if pragmas.ignored else seen
    found = by_type(pragmas.with_answers(findings(kept, names, Values(tree, names, text), text)))
    scope = Scope(seen, names)
    read = data_findings((node for node, _ in steps), scope, tree) if may_read(text) else ()
    return Facts(
        source=source,
        references=tuple(found.get(Reference, ())),
        matching=tuple(found.get(Matching, ())),
        mentions=tuple(found.get(Mention, ())),
        remarks=tuple(found.get(Remark, ())),
        needs=tuple(found.get(Needed, ())),
        apps=tuple(found.get(App, ())),
        data=tuple(sorted(dict.fromkeys(read), key=lambda data: data.line)),
        uses=uses_of(tree, seen, names, text),
        names=names,
        places=scope.shown(),
    )


def imports_of(data: bytes, package: str, target: Target) -> tuple[WheelImport, ...]:
    """What the source of a module in a wheel imports by its statements, beside the target's standard library.

    `package` is the dotted name that its dots start from. A module that Python cannot read imports nothing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text := _decode(data))
    except UNREADABLE:
        return ()
    steps = import_statements(tree, known_of(tree, text, target.markers))
    given = target.stdlib | target.builtins
    found = {_in_wheel(reference, package): None for reference in statement_findings(steps) if isinstance(reference, Reference)}
    return tuple(wanted for wanted in found if wanted.name and wanted.name.partition(".")[0] not in given)


def _in_wheel(reference: Reference, package: str) -> WheelImport:
    attribute = "" if reference.attribute == "*" else reference.attribute
    name = absolute(reference, package) or ""
    return WheelImport(name=name, attribute=attribute, lazy=reference.lazy, optional=reference.optional)


def _decode(data: bytes) -> str:
    """Source text from bytes, by byte-order mark and coding cookie (PEP 263).

    Raises `SyntaxError` for an unknown or contradictory encoding and `UnicodeDecodeError` for bytes that do not fit it.
    """
    if b"coding" not in data and not data.startswith(codecs.BOM_UTF8):  # by which the encoding would be told
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode("utf-8")
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding)


def quoted(root: str, places: Iterable[Evidence]) -> dict[Evidence, str]:
    """The lines at places in a project (`root` is absolute), decoded by PEP 263, without the space around them.

    Places that name no line, or one that cannot be read, are left out.
    """
    by_file: dict[str, list[Evidence]] = {}
    for place in places:
        if place.line:
            by_file.setdefault(place.file, []).append(place)
    return {place: line for file in by_file for place, line in _lines(f"{root}/{file}", by_file[file])}


def _lines(location: str, places: Iterable[Evidence]) -> Iterator[tuple[Evidence, str]]:
    """The lines of one file."""
    try:
        lines = decoded(Path(location).read_bytes()).split("\n")
    except OSError:
        return
    for place in places:
        if place.line <= len(lines):
            yield place, lines[place.line - 1].strip()


def _problem(path: str, problem: Exception) -> Problem:
    """One line about a file that Python cannot read."""
    match problem:
        case SyntaxError(lineno=line, msg=message):
            hint = "fix the syntax, or keep the file out with exclude; monopack reads the syntax of the Python that runs it"
            return Problem(message=f"syntax error: {message}", where=Evidence(file=path, line=line or 0), hint=hint)
        case UnicodeDecodeError():
            hint = "save it as UTF-8, or name its encoding in the first line: # -*- coding: latin-1 -*-"
            return Problem(message=f"cannot be decoded: {problem}", where=Evidence(file=path, line=0), hint=hint)
        case RecursionError() | MemoryError():
            return Problem(message="an expression is nested too deeply to parse", where=Evidence(file=path, line=0))
    return Problem(message=f"cannot be parsed: {problem}", where=Evidence(file=path, line=0))
