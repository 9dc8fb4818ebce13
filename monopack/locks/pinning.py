"""From loose requirements to pins: `uv pip compile`, its result kept and used again until an input changes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from dataclasses import replace
from importlib.metadata import version as installed_version
from pathlib import Path

from monopack.errors import LockError, disk_words
from monopack.locks import pip_settings, requirements
from monopack.locks.pins import redact, shown
from monopack.locks.pip_settings import PipSettings
from monopack.locks.running import Resolver, last_words, run
from monopack.model import Lock, Pin, Target
from monopack.run import temporary_folder

PROJECT_FILES = ("pyproject.toml", "setup.cfg", "setup.py")  # where a first-party project states its dependencies
MANYLINUX = re.compile(r"manylinux_2_(\d+)_(x86_64|aarch64)")
UV_FLOORS = (17, 28, *range(31, 41))  # the glibc 2.N that uv has platform names for
UV_SETTINGS = (  # uv's own variables that change what it resolves to
    "UV_CONSTRAINT", "UV_DEFAULT_INDEX", "UV_EXCLUDE_NEWER", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX",
    "UV_INDEX_STRATEGY", "UV_INDEX_URL", "UV_NO_INDEX", "UV_OVERRIDE", "UV_PRERELEASE", "UV_RESOLUTION",
)  # fmt: skip


def pin(lock: Lock, root: Path, target: Target, keep: Path, resolver: Resolver) -> Lock:
    """A requirements `lock` that is not complete, resolved for `target`.

    The result is kept in `keep` (absolute path), for people to read and commit, and used again while its inputs are the same.
    Nothing else below `root` is written. Raises `LockError` when it cannot be resolved, or is not there while offline.
    """
    parsed = requirements.parse(root, lock.path)
    known, key = keep.with_suffix(".pip.json"), pip_settings.key_of(root, parsed.options, resolver)
    settings = pip_settings.recall(known, key)
    if settings is None or not _is_current(keep, _digest(_inputs(parsed, root, target, settings, resolver))):
        settings = pip_settings.ask(root, parsed.options, resolver)
        digest = _digest(_inputs(parsed, root, target, settings, resolver))
        if not _is_current(keep, digest):
            _refuse_offline(lock, root, keep, resolver)
            _write(keep, _header(lock, target, digest) + redact(_compile(lock, root, target, settings, resolver)))
        pip_settings.keep(known, key, settings)
    kept = _kept(lock, root, target, keep)
    return replace(kept, files=(*kept.files, *map(str, _files(parsed, root, settings))))


def _kept(lock: Lock, root: Path, target: Target, keep: Path) -> Lock:
    """The lock that the kept file holds, in the place of the one it was made from."""
    path = shown(root, keep)
    parsed = replace(requirements.parse(root, path), require_hashes=False)  # an index may lack the hash of one file
    kept = requirements.lock_of(parsed, root, path, target)
    pins = {name: _with_credentials(pin, lock.pins.get(name)) for name, pin in kept.pins.items()}
    gap = f"does not pin {lock.loose[0]}" if lock.loose else "leaves out what its pins require"
    more = f" (and {len(lock.loose) - 1} more)" if len(lock.loose) > 1 else ""
    warning = f"{lock.path} {gap}{more}; resolved into {path} (to make it permanent, copy that file over {lock.path})"
    warnings = (warning, *kept.warnings)
    return replace(kept, path=lock.path, pins=pins, index_options=lock.index_options, loose=(), warnings=warnings)


def _with_credentials(kept: Pin, stated: Pin | None) -> Pin:
    """The kept pin with the URL as the user's own line states it: the kept file has no credentials."""
    return replace(kept, url=stated.url) if stated and redact(stated.url) == kept.url else kept


def _refuse_offline(lock: Lock, root: Path, keep: Path, resolver: Resolver) -> None:
    if resolver.offline:
        state = "was made from other inputs" if keep.exists() else "does not exist"
        what = f"is not fully pinned, and {shown(root, keep)}, which would hold its pins, {state}"
        raise LockError(what, where=lock.path, hint="build once without --offline, or pin every requirement with ==")


# ---------------------------------------------------------------- the kept file


def _header(lock: Lock, target: Target, digest: str) -> str:
    about = f"{lock.path} resolved for target {target.name} (Python {target.version})"
    return f"# Written by monopack: {about}; made again when its inputs change.\n# inputs: sha256:{digest}\n"


def _is_current(keep: Path, digest: str) -> bool:
    """Whether the kept file was made from inputs with this digest."""
    try:
        lines = keep.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return lines[1:2] == [f"# inputs: sha256:{digest}"]


def _write(keep: Path, text: str) -> None:
    """Write a file whole or not at all. Raises `LockError` when the folder cannot be written."""
    try:
        keep.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=keep.parent) as folder:  # the same disk, so that the move is a rename
            fresh = Path(folder, keep.name)
            with fresh.open("w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(keep)
    except OSError as error:
        what, hint = disk_words(error, "--build-dir")
        raise LockError(f"cannot be written: {what}", where=str(keep), hint=hint) from error


# ---------------------------------------------------------------- inputs


def _inputs(parsed: requirements.Parsed, root: Path, target: Target, settings: PipSettings, resolver: Resolver) -> object:
    """Everything that the result depends on, as JSON values without credentials. What the indexes offer today is not an input."""
    files = _files(parsed, root, settings)
    return {
        "uv": installed_version("uv"),
        "target": [target.name, target.version, sorted(target.markers.items()), _platform_arguments(target)],
        "files": [[shown(root, file), hashlib.sha256(file.read_bytes()).hexdigest()] for file in files if file.is_file()],
        "pip": [redact(text) for text in (*settings.lines, *settings.hosts)],
        "environ": [[name, redact(resolver.environ[name])] for name in UV_SETTINGS if name in resolver.environ],
    }


def _files(parsed: requirements.Parsed, root: Path, settings: PipSettings) -> list[Path]:
    """The files that the result depends on, there or not."""
    projects = [folder for line in parsed.lines if (folder := requirements.local_project(line, root))]
    return [*parsed.files, *(folder / name for folder in projects for name in PROJECT_FILES), *map(Path, settings.constraints)]


def _digest(inputs: object) -> str:
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


# ---------------------------------------------------------------- uv


def _compile(lock: Lock, root: Path, target: Target, settings: PipSettings, resolver: Resolver) -> str:
    """The resolved requirements as text, with hashes and without index lines. Raises `LockError` with uv's reason."""
    environ = {**({"SSL_CERT_FILE": settings.cert} if settings.cert else {}), **resolver.environ}
    with temporary_folder("resolve") as folder:
        extra, result = folder / "pip-settings.txt", folder / "requirements.txt"
        extra.write_text("".join(f"{line}\n" for line in settings.lines), "utf-8")  # a file: argv is for all to see
        argv = [*_uv_command(target, settings, resolver), "--output-file", str(result), str(root / lock.path), str(extra)]
        done = run(argv, root, environ, resolver)
        if done.code != 0:
            hint = "change the requirements, or check the index settings"
            raise LockError(f"cannot be resolved for target {target.name}: {last_words(done.output)}", where=lock.path, hint=hint)
        return result.read_text("utf-8")


def _uv_command(target: Target, settings: PipSettings, resolver: Resolver) -> list[str]:
    """uv's command line for a target. Its own configuration files are left out, since pip, which fetches, does not know them."""
    import uv

    try:
        binary = uv.find_uv_bin()
    except FileNotFoundError as error:
        raise LockError("the uv program is not there", hint="install monopack again, with its dependency uv") from error
    # pip takes the best version of all indexes together
    strategy = [] if "UV_INDEX_STRATEGY" in resolver.environ else ["--index-strategy", "unsafe-best-match"]
    constraints = [part for path in settings.constraints for part in ("--constraints", path)]
    hosts = [part for host in settings.hosts for part in ("--allow-insecure-host", host)]
    return [
        binary, "pip", "compile", "--quiet", "--no-config", "--no-python-downloads", "--generate-hashes", "--no-strip-extras",
        "--no-header", "--no-annotate", "--color", "never", "--python", target.python, *_platform_arguments(target), *strategy,
        *constraints, *hosts,
    ]  # fmt: skip


def _platform_arguments(target: Target) -> list[str]:
    """uv's arguments for a target that its interpreter does not stand for; none for the host."""
    if target.name == "host":
        return []
    platform = _uv_platform(target)
    return ["--python-version", target.version, *(["--python-platform", platform] if platform else [])]


def _uv_platform(target: Target) -> str:
    """uv's name for the target's platform: the highest manylinux that uv knows at or below the target's, or the plain system."""
    floors = {(int(found[1]), found[2]) for tag in target.tags if (found := MANYLINUX.fullmatch(tag.platform))}
    named = [(floor, machine) for floor, machine in sorted(floors) if floor in UV_FLOORS]
    if named:
        return f"{named[-1][1]}-manylinux_2_{named[-1][0]}"
    machine = target.markers.get("platform_machine", "").lower().replace("arm64", "aarch64").replace("amd64", "x86_64")
    systems = {"linux": "unknown-linux-musl", "darwin": "apple-darwin", "win32": "pc-windows-msvc"}
    system = systems.get(target.markers.get("sys_platform", ""))
    return f"{machine}-{system}" if system and machine else ""
