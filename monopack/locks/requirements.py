"""The `requirements.txt` dialect: pip's requirements file format, with `-r`, `-c`, hashes, markers and index options.

Format: https://pip.pypa.io/en/stable/reference/requirements-file-format/. As with pip, paths of projects and wheels start at the
folder that the build runs for (the project's root), those after `-r`, `-c` and `--find-links` at the file that holds them.
"""

from __future__ import annotations

import logging
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from monopack.errors import LockError
from monopack.locks.pins import (
    HASH,
    Choice,
    file_url,
    filename_of,
    git_url,
    holds,
    is_fixed,
    redact,
    shown,
    text_of,
    version_in,
    without_hashes,
)
from monopack.model import Evidence, Lock, Pin, Target, value

REMOTE = ("http", "https", "ftp")
INDEX_OPTIONS = (("index_url", "--index-url"), ("extra_index_urls", "--extra-index-url"), ("trusted_hosts", "--trusted-host"))

log = logging.getLogger(__name__)


@value()
class Line:
    """One requirement as it stands in a file: `item` is the parser's view of it, `constraint` says that it came by `-c`."""

    place: Evidence
    text: str
    item: Any
    constraint: bool


@value()
class Parsed:
    """What a requirements file and the files that it includes say.

    `options` are index options in pip's long spelling, `--option=value`; `files` are the absolute paths of all files read.
    """

    lines: tuple[Line, ...] = ()
    options: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    require_hashes: bool = False

    def __add__(self, other: Parsed) -> Parsed:
        return Parsed(
            lines=self.lines + other.lines, options=self.options + other.options, files=self.files + other.files,
            require_hashes=self.require_hashes or other.require_hashes,
        )  # fmt: skip


@value()
class Demand:
    """What is asked of one distribution in one place: `version` set where just one is allowed, `url` where a file is named."""

    place: Evidence
    text: str
    constraint: bool = False
    name: str
    specifier: SpecifierSet
    extras: frozenset[str]
    hashes: frozenset[str] = frozenset()
    version: str = ""
    url: str = ""


def read(root: Path, path: str, target: Target, choice: Choice) -> Lock:
    """The pins of the requirements file at `path` (relative to the absolute `root`) that hold for `target`.

    Raises `LockError` for a choice of extras or groups, since there are none, for lines that pip would refuse,
    for contradicting pins, for missing files, and for what is not read yet.
    """
    choice.check((), (), path)
    return lock_of(parse(root, path), root, path, target)


def lock_of(parsed: Parsed, root: Path, path: str, target: Target) -> Lock:
    """The lock that the parsed lines of `path` mean for `target`. Raises `LockError` as `read` does."""
    lines = [line for line in parsed.lines if holds(line.item.marker, target.markers)]
    projects = [(line, folder) for line in lines if (folder := local_project(line, root))]
    first_party = [line for line, _ in projects]
    demands = [_demand(line, root) for line in lines if line not in first_party]
    pins, loose = _settle([*demands, *_project_needs(projects, target)])
    if parsed.require_hashes:
        _check_hashes(pins, loose)
    return Lock(
        dialect="requirements", path=path, pins=pins, index_options=parsed.options,
        local=dict(_named(line, folder, root) for line, folder in projects),
        loose=tuple(dict.fromkeys(_spelled(demand) for demand in loose)),
        warnings=() if loose else without_hashes(pins.values(), path),
        files=(*map(str, parsed.files), *(str(folder / "pyproject.toml") for _, folder in projects)),
    )  # fmt: skip


# ---------------------------------------------------------------- files and lines


def parse(root: Path, path: str) -> Parsed:
    """The lines of the requirements file at `path` and of all that it includes, in reading order. Raises `LockError`."""
    return _parse_file(root, Path(os.path.normpath(root / path)), constraint=False, above=())


def _parse_file(root: Path, file: Path, *, constraint: bool, above: tuple[Path, ...]) -> Parsed:
    """One file and those that it includes; `above` are the files that lead to it."""
    from pip_requirements_parser import CommentLine, OptionLine, preprocess  # type: ignore[import-untyped]

    parsed = Parsed(files=(file,))
    for numbered in preprocess(text_of(root, shown(root, file))):
        if isinstance(numbered, CommentLine):
            continue
        place = Evidence(file=shown(root, file), line=numbered.line_number)
        for item in _items(numbered.line, place):
            if isinstance(item, OptionLine):
                parsed += _option_line(root, item.options, place, (*above, file))
            else:
                line = Line(place=place, text=numbered.line, item=item, constraint=constraint)
                parsed += Parsed(lines=(line,), require_hashes=bool(item.hash_options))
    return parsed


def _items(text: str, place: Evidence) -> list[Any]:
    """What one line says, in the parser's words: a requirement or options."""
    import pip_requirements_parser as parser

    try:
        words, options, arguments = parser.get_line_parser()(text)
        raw = parser.RequirementLine(line=text, line_number=place.line, filename=place.file)
        line = parser.ParsedLine(raw, words, options, False, arguments)
        items = list(parser.handle_line(line))
        return [_sound(parser.build_req_from_parsedreq(item) if line.is_requirement else item) for item in items]
    except Exception as error:  # the parser lets through its own errors and those of optparse, shlex and packaging
        reason = redact(" ".join(str(error).split("\n")[0].split())) or "pip's requirements file format does not know it"
        raise LockError(f"is not a requirement: {redact(text)}", where=str(place), hint=reason) from error


def _sound(item: Any) -> Any:
    """The item, unless the parser only marked it as wrong; raises `ValueError` with the reason."""
    if hasattr(item, "error_message"):
        raise ValueError(item.error_message)
    if getattr(item, "invalid_options", None):
        raise ValueError("this option cannot stand in a requirement's line")
    if getattr(item, "options", None) == {}:
        raise ValueError("an option without its requirement; does the line before it end with a backslash?")
    wrong = [text for text in getattr(item, "hash_options", ()) if not HASH.fullmatch(text.lower())]
    if wrong:
        raise ValueError(f"--hash={wrong[0]} is not a sha256, sha384 or sha512 in hex")
    return item


def _option_line(root: Path, options: Mapping[str, Any], place: Evidence, files: tuple[Path, ...]) -> Parsed:
    """What an option line in the last of `files` adds: index options, or the files that it includes."""
    folder = files[-1].parent
    parsed = Parsed(options=tuple(_index_options(folder, options)), require_hashes=bool(options.get("require_hashes")))
    for key, constraint in (("requirements", False), ("constraints", True)):
        for name in options.get(key, ()):
            parsed += _parse_file(root, _included(name, place, files), constraint=constraint, above=files)
    return parsed


def _included(name: str, place: Evidence, files: tuple[Path, ...]) -> Path:
    """The absolute path of a file that a line in the last of `files` includes."""
    if "://" in name:
        hint = "download it, and include the copy"
        raise LockError(f"includes {redact(name)}: requirements from a URL are not read yet", where=str(place), hint=hint)
    path = Path(os.path.normpath(files[-1].parent / name))
    if not path.is_file():
        raise LockError(
            f"includes {name}, which does not exist", where=str(place), hint="paths after -r and -c start at this file"
        )
    if path in files:
        raise LockError(f"includes {name}, which leads back here", where=str(place), hint="remove this line")
    return path


def _index_options(folder: Path, options: Mapping[str, Any]) -> Iterator[str]:
    """pip's index options in their long spelling, each one word; local folders of `--find-links` become `file:` URLs."""
    for key, option in INDEX_OPTIONS:
        values = options.get(key, ())
        yield from (f"{option}={text}" for text in ([values] if isinstance(values, str) else values))
    yield from (f"--find-links={absolute_links(folder, text)}" for text in options.get("find_links", ()))
    if options.get("no_index"):
        yield "--no-index"


def absolute_links(folder: Path, text: str) -> str:
    """A `--find-links` value that does not depend on a folder; URLs and values with `${VARIABLES}` stay as they are."""
    return text if "://" in text or text.startswith("file:") or "${" in text else file_url(folder, text)


# ---------------------------------------------------------------- from lines to demands


def local_project(line: Line, root: Path) -> Path | None:
    """The absolute folder of a first-party project (`-e .`, `./member`), or None. Raises `LockError` for a bad path."""
    path = _local_path(line, root)
    if path is None or path.is_file():
        return None
    if not path.is_dir():
        hint = "paths in requirements start at the project's root, as with pip run there"
        raise LockError(f"names {shown(root, path)}, which does not exist", where=str(line.place), hint=hint)
    log.debug("%s: %s is first-party code", line.place, path)
    return path


def _local_path(line: Line, root: Path) -> Path | None:
    """The absolute path that a line names, or None when it names a distribution or a URL."""
    link = line.item.link
    if link is None or link.scheme not in ("", "file"):
        return None
    return Path(os.path.normpath(root / unquote(urlsplit(link.url).path)))


def _demand(line: Line, root: Path) -> Demand:
    """A line about a distribution. Raises `LockError` for sources that are not read yet."""
    item = line.item
    url, version = _direct(line, root) if item.link is not None else ("", _exact(item.req.specifier))
    name = item.name or filename_of(url).rsplit("-", 1)[0]  # a bare URL of an sdist has only the name in its file name
    return Demand(
        place=line.place, text=redact(line.text), constraint=line.constraint, name=canonicalize_name(name),
        specifier=SpecifierSet() if url else item.req.specifier, version=version, url=url,
        extras=_names(item.extras), hashes=_hashes(item),
    )  # fmt: skip


def _direct(line: Line, root: Path) -> tuple[str, str]:
    """URL and version of the one file or repository that a line names: `name @ https://...`, a bare URL, or the path of a wheel.

    The version is empty where the file's name does not tell it; so is the URL of a branch or tag in Git, which is no pin.
    """
    link, place, path = line.item.link, str(line.place), _local_path(line, root)
    if path is None and link.scheme.startswith("git+") and line.item.name:
        folder = parse_qs(urlsplit(link.url).fragment).get("subdirectory", [""])[0]
        repository, _, revision = link.url_without_fragment.rpartition("@")
        url = git_url(repository, revision, folder)
        return (url if is_fixed(url) else ""), ""
    if path is None and link.scheme not in REMOTE:
        kind = link.scheme.partition("+")[0]
        hint = "name it: `NAME @ git+https://...@COMMIT`, or publish it as a wheel, or put its code into this repository"
        raise LockError(f"{redact(line.text)}: a requirement from {kind} is not read yet", where=place, hint=hint)
    url = path.as_uri() if path else link.url_without_fragment
    try:
        return url, version_in(filename_of(url))
    except ValueError as error:
        if line.item.name:
            return url, ""
        hint = "name it: `NAME @ https://...`"
        raise LockError(f"{redact(line.text)}: the file's name does not tell what it is", where=place, hint=hint) from error


def _exact(specifier: SpecifierSet) -> str:
    """The one version that `==` or `===` states (no wildcard), or nothing."""
    exact = (part for part in specifier if part.operator in ("==", "===") and not part.version.endswith(".*"))
    return next((part.version for part in exact), "")


def _hashes(item: Any) -> frozenset[str]:
    """The hashes of `--hash` and of a URL's fragment, as `algorithm:hex`."""
    fragment = parse_qs(urlsplit(item.link.url).fragment) if item.link is not None else {}
    stated = (f"{key}:{text}" for key, texts in fragment.items() for text in texts)
    return frozenset(text.lower() for text in (*item.hash_options, *stated) if HASH.fullmatch(text.lower()))


def _names(names: Iterable[str]) -> frozenset[str]:
    return frozenset(canonicalize_name(name) for name in names)


# ---------------------------------------------------------------- from demands to pins


def _settle(demands: Iterable[Demand]) -> tuple[dict[str, Pin], list[Demand]]:
    """The pins by name, in the order of the lines, and the demands that no line pins. Constraints alone pin nothing."""
    by_name: dict[str, list[Demand]] = {}
    for demand in demands:
        by_name.setdefault(demand.name, []).append(demand)
    pins: dict[str, Pin] = {}
    loose: list[Demand] = []
    for name, every in by_name.items():
        wanted = [demand for demand in every if not demand.constraint]
        exact = next((demand for demand in (*wanted, *every) if demand.version or demand.url), None)
        if wanted and exact:
            pins[name] = _pin(exact, every)
        else:
            loose += wanted
    return pins, loose


def _pin(exact: Demand, every: Iterable[Demand]) -> Pin:
    """One pin out of all lines about a distribution: they must agree; extras and hashes are united."""
    extras, hashes = set[str](), set[str]()
    for demand in every:
        _check_agreement(exact, demand)
        hashes |= demand.hashes
        extras |= set() if demand.constraint else demand.extras
    return Pin(
        name=exact.name,
        version=exact.version,
        evidence=exact.place,
        url=exact.url,
        extras=frozenset(extras),
        hashes=frozenset(hashes),
    )


def _check_agreement(exact: Demand, other: Demand) -> None:
    """Refuse a line that states another version or another file, or that excludes the version."""
    version = _comparable(exact.version)
    same = other.url in ("", exact.url) and (not (other.version and exact.version) or _comparable(other.version) == version)
    allowed = isinstance(version, str) or other.specifier.contains(version, prereleases=True)
    if not (same and allowed):
        what = f"{exact.name} cannot be pinned: {exact.text} ({exact.place}) contradicts {other.text} ({other.place})"
        raise LockError(what, where=str(other.place), hint="change or remove one of the two lines")


def _comparable(version: str) -> Version | str:
    """A version that equals its other spellings (`1.0` and `1`); text that is no version equals only itself."""
    try:
        return Version(version)
    except InvalidVersion:
        return version


def _check_hashes(pins: Mapping[str, Pin], loose: Iterable[Demand]) -> None:
    """pip's rule: with `--require-hashes`, or as soon as one line has a `--hash`, every requirement needs one."""
    reason = "other lines have a --hash, or --require-hashes asks for them"
    hint = "give every line its hashes (`uv pip compile --generate-hashes` does), or none"
    for demand in loose:
        raise LockError(f"{_spelled(demand)} is not pinned, though {reason}", where=str(demand.place), hint=hint)
    for pin in pins.values():
        if not pin.hashes:
            what = f"{pin.name} {pin.version}".rstrip()
            raise LockError(f"{what} has no --hash, though {reason}", where=str(pin.evidence), hint=hint)


def _spelled(demand: Demand) -> str:
    """A demand without its marker and options: `requests[socks]>=2`."""
    extras = f"[{','.join(sorted(demand.extras))}]" if demand.extras else ""
    return f"{demand.name}{extras}{demand.specifier}"


# ---------------------------------------------------------------- first-party projects


def _project_needs(projects: Iterable[tuple[Line, Path]], target: Target) -> list[Demand]:
    """What the `pyproject.toml` of first-party projects depends on, except for one another: pip would install it with them."""
    needs: list[Demand] = []
    own: set[str] = set()
    for line, folder in projects:
        project = _project_table(folder)
        own.add(canonicalize_name(str(project.get("name", ""))))
        for text in _dependencies(project, _names(line.item.extras)):
            needs += [_need(line, text)] if holds(Requirement(text).marker, target.markers) else []
    return [need for need in needs if need.name not in own]


def _dependencies(project: Mapping[str, Any], extras: frozenset[str]) -> list[str]:
    """A project's dependencies with some of its extras, as PEP 508 text; what is not valid is left to its own tools to refuse."""
    optional = project.get("optional-dependencies")
    groups = optional.items() if isinstance(optional, dict) else ()
    chosen = [project.get("dependencies"), *(texts for extra, texts in groups if canonicalize_name(extra) in extras)]
    return [text for texts in chosen if isinstance(texts, list) for text in texts if _is_requirement(text)]


def _need(line: Line, text: str) -> Demand:
    """A dependency of a first-party project as a demand, placed where the project is named."""
    need = Requirement(text)
    return Demand(
        place=line.place, text=redact(text), name=canonicalize_name(need.name), specifier=need.specifier,
        extras=_names(need.extras), version=_exact(need.specifier),
    )  # fmt: skip


def _is_requirement(text: object) -> bool:
    try:
        Requirement(text if isinstance(text, str) else "")
    except InvalidRequirement:
        return False
    return True


def _named(line: Line, folder: Path, root: Path) -> tuple[str, str]:
    """The name of a first-party project, and its folder relative to the project's root."""
    name = _project_table(folder).get("name") or line.item.name or folder.name
    return canonicalize_name(str(name)), shown(root, folder)


def _project_table(folder: Path) -> Mapping[str, Any]:
    """The `[project]` table of a folder's `pyproject.toml` (PEP 621); empty where there is none to be read."""
    try:
        table = tomllib.loads((folder / "pyproject.toml").read_text("utf-8")).get("project", {})
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}
