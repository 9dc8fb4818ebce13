"""Check one .whl against its own RECORD and index what is in it.

The format: the PyPA specifications "Binary distribution format" (PEP 427) and "Recording installed projects" (PEP 376, PEP 627).
"""

from __future__ import annotations

import base64
import csv
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from packaging.metadata import parse_email
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from monopack.errors import LockError
from monopack.model import Distribution, Member, Native
from monopack.store.members import Content, UnsoundError, content, files
from monopack.store.modules import modules

INSTALLER_FILES = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "RECORD.jws", "RECORD.p7s"})
SIGNATURES = ("RECORD", "RECORD.jws", "RECORD.p7s")  # the members that RECORD does not vouch for
RECORD_HASHES = frozenset({"sha256", "sha384", "sha512"})
UNREADABLE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError, csv.Error)
GROUP = re.compile(r"(?m)^\s*\[([^\]]+)\]")  # a section of entry_points.txt
HINT = "the wheel is damaged or unsafe: report it to whoever published it, or pin another version"


def read(path: Path, sha256: str) -> Distribution:
    """Check every member of the .whl at `path`, whose digest is `sha256` (hex), and give its index.

    Raises `LockError` when it is no wheel, when it disagrees with its RECORD, file name or METADATA, when a member is absolute,
    leads out, is a link, is there twice or is neither stored nor deflated, and when it unpacks to more than 100 times its size.
    """
    try:
        return _read(path, sha256)
    except UnsoundError as problem:
        raise LockError(str(problem), where=path.name, hint=HINT) from None
    except UNREADABLE as problem:
        raise LockError(f"cannot be read as a wheel: {problem}", where=path.name, hint=HINT) from problem


def _read(path: Path, sha256: str) -> Distribution:
    name, version, _, _ = parse_wheel_filename(path.name)
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        infos = files(archive, path.stat().st_size)
        info_folder = _info_folder(archive, name)
        parts = {name: _part(archive, f"{info_folder}/{name}", infos) for name in ("RECORD", "METADATA", "entry_points.txt")}
        record = _record(parts["RECORD"].decode(), infos, info_folder)
        contents = {member: _checked(content(file, info, record[member][0]), record) for member, info in infos.items()}
        installed = _installed(contents, info_folder)
    metadata, _ = parse_email(parts["METADATA"])
    _same(metadata.get("name", ""), metadata.get("version", ""), name, version)
    provides, namespaces = modules(installed, [target for target, found in installed.items() if found.shared_init])
    return Distribution(
        name=name, version=metadata["version"], wheel=path.name, location=str(path), sha256=sha256,
        members=tuple(_member(target, found) for target, found in sorted(installed.items())),
        provides=provides, namespaces=namespaces, requires=tuple(metadata.get("requires_dist", ())),
        entry_points=frozenset(GROUP.findall(parts["entry_points.txt"].decode("utf-8", "replace"))),
        requires_python=metadata.get("requires_python", ""), natives=tuple(_natives(installed)),
    )  # fmt: skip


def _info_folder(archive: zipfile.ZipFile, name: str) -> str:
    """The one `.dist-info` folder, which must be the named distribution's."""
    folders = {first for member in archive.namelist() if (first := member.partition("/")[0]).endswith(".dist-info")}
    if len(folders) != 1:
        raise UnsoundError(f"holds {len(folders)} .dist-info folders in place of one")
    folder = folders.pop()
    if canonicalize_name(folder.removesuffix(".dist-info").rpartition("-")[0]) != name:
        raise UnsoundError(f"holds {folder!r}, which is another distribution's")
    return folder


def _part(archive: zipfile.ZipFile, member: str, infos: Mapping[str, zipfile.ZipInfo]) -> bytes:
    if member in infos:
        return archive.read(member)
    if member.endswith("entry_points.txt"):
        return b""
    raise UnsoundError(f"holds no {member!r}")


def _same(found_name: str, found_version: str, name: str, version: Version) -> None:
    if canonicalize_name(found_name) != name or Version(found_version) != version:
        raise UnsoundError(f"says in its METADATA that it is {found_name} {found_version}")


def listed_modules(members: Iterable[str]) -> frozenset[str]:
    """The dotted names of the modules that a wheel with these members may provide, told by their names alone."""
    return modules([target for member in members if (target := _target(member))], ())[0]


# ---------------------------------------------------------------- RECORD


def _record(text: str, infos: Mapping[str, zipfile.ZipInfo], info_folder: str) -> dict[str, tuple[str, str]]:
    """Algorithm and digest by member, for exactly the members there are; RECORD itself and its signatures have no digest."""
    rows = {row[0]: row[1] if len(row) > 1 else "" for row in csv.reader(io.StringIO(text)) if row and not row[0].endswith("/")}
    own = {f"{info_folder}/{name}" for name in SIGNATURES}
    if lost := sorted(rows.keys() - infos.keys() - own):
        raise UnsoundError(f"holds no {lost[0]!r}, which its RECORD names")
    return {member: _algorithm(member, "" if member in own else rows.get(member), own=member in own) for member in infos}


def _algorithm(member: str, recorded: str | None, *, own: bool) -> tuple[str, str]:
    if own:
        return "sha256", ""
    algorithm, _, digest = (recorded or "").partition("=")
    if recorded is None:
        raise UnsoundError(f"holds {member!r}, which its RECORD does not name")
    if algorithm not in RECORD_HASHES or not digest:
        raise UnsoundError(f"has no usable hash of {member!r} in its RECORD")
    return algorithm, digest


def _checked(found: Content, record: Mapping[str, tuple[str, str]]) -> Content:
    """The content itself, once its digest is the one in RECORD."""
    _, digest = record[found.info.filename]
    if digest and base64.urlsafe_b64encode(found.recorded).rstrip(b"=").decode() != digest.rstrip("="):
        raise UnsoundError(f"holds {found.info.filename!r} with other bytes than its RECORD says")
    return found


# ---------------------------------------------------------------- what is installed


def _installed(contents: Mapping[str, Content], info_folder: str) -> dict[str, Content]:
    """What ships, by its installed path: no bytecode, no installer's files, and of `.data` only `purelib` and `platlib`."""
    installed: dict[str, Content] = {}
    for member, found in contents.items():
        target = _target(member)
        if target in installed:
            raise UnsoundError(f"installs {target!r} twice")
        if target and not _dropped(target, info_folder):
            installed[target] = found
    return installed


def _target(member: str) -> str:
    """Where a member is installed below the root; empty: not at all."""
    first, _, rest = member.partition("/")
    if not rest or not first.endswith(".data"):
        return member
    scheme, _, inner = rest.partition("/")
    return inner if scheme in ("purelib", "platlib") else ""


def _dropped(target: str, info_folder: str) -> bool:
    path = PurePosixPath(target)
    by_installer = str(path.parent) == info_folder and path.name in INSTALLER_FILES
    return by_installer or path.suffix in (".pyc", ".pyo") or "__pycache__" in path.parts


def _natives(installed: Mapping[str, Content]) -> Iterator[Native]:
    """What the compiled files among what is installed ask for."""
    for target, found in sorted(installed.items()):
        if found.native:
            yield replace(found.native, path=target)


def _member(target: str, found: Content) -> Member:
    info = found.info
    mode = 0o755 if (info.external_attr >> 16) & 0o111 else 0o644
    return Member(
        path=target, sha256=found.sha256, crc=info.CRC, size=info.file_size, mode=mode,
        offset=found.offset, packed=info.compress_size, packed_sha256=found.packed_sha256,
        method=info.compress_type,
    )  # fmt: skip
