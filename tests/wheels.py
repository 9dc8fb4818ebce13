"""Tiny wheels for the tests: valid and the same bytes every time, or broken in exactly one way."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

DATE = (1980, 1, 1, 0, 0, 0)


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    files: Mapping[str, str | bytes],
    *,
    requires: Sequence[str] = (),
    tag: str = "py3-none-any",
    build: str = "",
    extras: Sequence[str] = (),
    requires_python: str = "",
    entry_points: str = "",
    modes: Mapping[str, int] | None = None,
    method: int = zipfile.ZIP_DEFLATED,
    metadata: str | None = None,
    record: Mapping[str, str | None] | None = None,
    twice: Sequence[str] = (),
    filename: str = "",
) -> Path:
    """Write `folder/NAME-VERSION[-BUILD]-TAG.whl` with METADATA, WHEEL and RECORD; give its path.

    `folder` (made if missing) then serves `--find-links`. `files` are installed paths (`{data}/purelib/x.py` lies in the
    wheel's `.data` folder) with their text (UTF-8) or bytes, a path that ends in `/` is a folder; `requires` are `Requires-Dist`
    lines, `extras` `Provides-Extra` names, `entry_points` the text of entry_points.txt; `modes` are whole `st_mode` values by
    path (default 0o100644); `method` is a zipfile compression.

    To break it: `metadata` replaces the whole METADATA, `record` replaces RECORD lines by path (None: no such line; a path that
    is not in the wheel adds a line), paths in `twice` are written two times, `filename` is the file name to use.
    """
    stem = f"{name.replace('-', '_')}-{version}"
    info, data = f"{stem}.dist-info", f"{stem}.data"
    members = {path.replace("{data}", data): _bytes(content) for path, content in files.items()}
    members[f"{info}/METADATA"] = _bytes(metadata or _metadata(name, version, requires, extras, requires_python))
    members[f"{info}/WHEEL"] = _bytes(_wheel(tag, build))
    if entry_points:
        members[f"{info}/entry_points.txt"] = _bytes(entry_points)
    members[f"{info}/RECORD"] = _bytes(_record(members, f"{info}/RECORD", record or {}))
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / (filename or "-".join(filter(None, (stem, build, tag))) + ".whl")
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in (*members, *twice):
            archive.writestr(_member(path, (modes or {}).get(path), method), members[path])
    return wheel


def sha256(path: Path) -> str:
    """The hex sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _member(path: str, mode: int | None, method: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(path, DATE)
    member.create_system = 3
    member.external_attr = (mode or (0o040755 if path.endswith("/") else 0o100644)) << 16
    member.compress_type = zipfile.ZIP_STORED if path.endswith("/") else method
    return member


def _metadata(name: str, version: str, requires: Sequence[str], extras: Sequence[str], requires_python: str) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    lines += [f"Provides-Extra: {extra}" for extra in extras]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return "\n".join(lines) + "\n"


def _wheel(tag: str, build: str) -> str:
    """The WHEEL file, with compressed tag sets (`py2.py3-none-any`) written out."""
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    lines = ["Wheel-Version: 1.0", "Generator: monopack-tests", f"Root-Is-Purelib: {str(platforms == ['any']).lower()}"]
    lines += [f"Build: {build}"] if build else []
    lines += [f"Tag: {python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms]
    return "\n".join(lines) + "\n"


def _record(members: Mapping[str, bytes], own: str, changes: Mapping[str, str | None]) -> str:
    lines: dict[str, str | None] = {path: _line(path, content) for path, content in members.items() if not path.endswith("/")}
    lines[own] = f"{own},,"
    lines.update(changes)
    return "".join(f"{line}\n" for line in lines.values() if line is not None)


def _line(path: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    quoted = f'"{path}"' if "," in path else path
    return f"{quoted},sha256={digest},{len(content)}"
