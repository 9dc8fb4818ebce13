"""Wheels by `pip download`, and where there is none, by `pip wheel` from the sdist."""

from __future__ import annotations

import errno
import logging
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from packaging import tags
from packaging.utils import parse_wheel_filename

from monopack.errors import LockError, UnavailableError
from monopack.model import value
from monopack.run import Completed, clean_environment, temporary_folder
from monopack.store.choose import Asked, Wanted, local_path, no_wheel
from monopack.store.failures import lasting, not_found, refusal, unmatched, wheels_of
from monopack.store.git import check_out, is_git
from monopack.store.pip import Fetching, from_cache, option_lines, run_pip

log = logging.getLogger(__name__)

ONLY_WHEELS = ("--no-deps", "--only-binary", ":all:")
NETWORK = {"http_proxy", "https_proxy", "no_proxy", "all_proxy", "ssl_cert_file", "ssl_cert_dir", "requests_ca_bundle"}
URL_SAFE = ":/?#[]@!$&'()*+,;=%~{}"


@value()
class Job:
    """One fetch: what the pins share, where the files go (an existing, empty folder), and how to fetch."""

    asked: Asked
    folder: Path
    settings: Fetching


@value()
class Fetched:
    """The wheels of one fetch: their paths by canonical name, which were built from an sdist, and which pip's cache had."""

    files: Mapping[str, Path]
    built: frozenset[str]
    cached: frozenset[str]


def fetch(pins: Sequence[Wanted], job: Job) -> Fetched:
    """Fetch a wheel for each pin into the job's folder.

    pip checks the hashes that the pins have. Raises `LockError` for what is not found, does not match its hashes, has no wheel
    for the target or cannot be built, and for a full disk.
    """
    sources = [pin for pin in pins if pin.url and not pin.wheel]
    binary = [pin for pin in pins if pin not in sources]
    said: list[str] = []
    for group in together(binary):
        without, output = _download(group, job)
        sources += without
        said.append(output)
    said += [_build(pin, job) for pin in sources]
    found = {str(parse_wheel_filename(file.name)[0]): file for file in job.folder.glob("*.whl")}
    for pin in pins:
        if pin.pin.name not in found:
            raise pin.refusal("came under another name", f"look at what its URL leads to; there is {', '.join(found)}")
    cached = from_cache("\n".join(said))
    return Fetched(
        files=found, built=frozenset(pin.pin.name for pin in sources),
        cached=frozenset(name for name, file in found.items() if file.name in cached),
    )  # fmt: skip


def together(pins: Sequence[Wanted]) -> list[list[Wanted]]:
    """Pins that one call may fetch: of one index, and all with a hash or none, since where one has a hash, pip wants all."""
    groups: dict[tuple[str, bool], list[Wanted]] = {}
    for pin in pins:
        groups.setdefault((pin.pin.index, not pin.hashes), []).append(pin)
    return list(groups.values())


def _download(pins: Sequence[Wanted], job: Job) -> tuple[list[Wanted], str]:
    """Download the pins' wheels; gives the pins of which the index has none, and what pip said."""
    wanted, without, said = list(pins), list[Wanted](), ""
    while wanted:
        done = run_pip(job.settings, _arguments(job), lines(wanted, job), environ_of(wanted[0], job))
        said += done.output
        if done.code == 0:
            break
        lost = next((pin for pin in wanted if not pin.url and pin.pin.name == unmatched(done)), None)
        if lost is None:
            raise _refusal(wanted, done, job)
        without.append(lost)
        wanted.remove(lost)
    return without, said


def _refusal(pins: Sequence[Wanted], done: Completed, job: Job) -> LockError:
    """Why pip could not fetch `pins`; a full disk is no pin's fault."""
    if os.strerror(errno.ENOSPC) in done.output:
        hint = "make room on it and for temporary files (TMPDIR), or choose a folder on another disk with --cache-dir"
        return LockError("the disk is full", where=str(job.folder.parent), hint=hint)
    return refusal(pins, done, job.asked.target)


def _arguments(job: Job, *more: str) -> list[str]:
    return ["download", *more, *ONLY_WHEELS, "--dest", str(job.folder), *target_options(job)]


def target_options(job: Job) -> list[str]:
    """pip's options for a target other than the Python which runs pip; none when it is that Python."""
    target = job.asked.target
    if not job.settings.pip_python and target.version == platform.python_version() and target.tags == tuple(tags.sys_tags()):
        return []
    best = target.tags[0]
    abis = dict.fromkeys(tag.abi for tag in target.tags if tag.interpreter == best.interpreter)
    platforms = dict.fromkeys(tag.platform for tag in target.tags if tag.platform != "any")
    options = ["--python-version", target.version, "--implementation", best.interpreter.rstrip("0123456789")]
    options += [word for abi in abis for word in ("--abi", abi)]
    return options + [word for name in platforms for word in ("--platform", name)]


def lines(pins: Sequence[Wanted], job: Job) -> list[str]:
    """The requirements file. Its `--index-url` takes the place of all indexes that pip is configured for."""
    options = _only(pins[0].pin.index, job.asked.options) if pins[0].pin.index else job.asked.options
    return [*option_lines(options), *(_line(pin, job.asked.root) for pin in pins)]


def _only(index: str, options: Sequence[str]) -> list[str]:
    """pip's options to ask one index alone; of the others those that say how to speak to it."""
    hosts = [word for name, host in pairwise(options) if name == "--trusted-host" for word in (name, host)]
    return ["--index-url", index, *hosts]


def environ_of(pin: Wanted, job: Job) -> Mapping[str, str]:
    """What pip sees: folders of wheels that it is configured for are no part of an index that a lock names."""
    return {**job.settings.environ, "PIP_FIND_LINKS": os.devnull} if pin.pin.index else job.settings.environ


def _line(pin: Wanted, root: Path) -> str:
    hashes = "".join(f" --hash={digest}" for digest in sorted(pin.hashes))
    if not pin.url:
        return f"{pin.pin.name}=={pin.pin.version}{hashes}"
    local = pin.checkout or (None if "://" in pin.url else local_path(pin.url, root))
    return f"{pin.pin.name} @ {local.as_uri() if local else quote(pin.url, safe=URL_SAFE)}{hashes}"


# ---------------------------------------------------------------- sdists


def _build(pin: Wanted, job: Job) -> str:
    """Build a pin's wheel with the Python that stands for the target, in an environment without the machine's credentials.

    Gives what pip said.
    """
    pin = _without_index(pin)
    if not job.settings.may_build(pin.pin.name):
        raise _forbidden(pin, job)
    target = job.asked.target
    if target.name != "host" and not pin.url:
        _refuse_compiled(pin, job)
    arguments = ["--python", target.python, "wheel", "--no-deps", "--no-binary", pin.pin.name, "--wheel-dir", str(job.folder)]
    with temporary_folder("git") as place, temporary_folder("build") as home:
        source = replace(pin, checkout=check_out(pin, job.settings, place / "repository")) if is_git(pin.url) else pin
        done = run_pip(job.settings, arguments, lines([source], job), _build_environment(environ_of(pin, job), home))
    if done.code == 0:
        log.warning("%s %s", pin.label, "was built from Git" if is_git(pin.url) else "has no wheel and was built from its sdist")
    elif unmatched(done) == pin.pin.name:
        probe = _probe(pin, job)
        raise lasting(not_found(pin, probe, target), probe)
    else:
        raise _refusal([pin], done, job)
    return done.output


def _forbidden(pin: Wanted, job: Job) -> UnavailableError:
    """The refusal of a pin that would have to be built and may not; it lasts if the index says that it has no wheel."""
    why = "comes from Git" if is_git(pin.url) else "has no wheel for the target"
    error = pin.refusal(f"{why} and may not be built from its source", "allow it (sdists), or pin a wheel")
    return error if pin.url else lasting(error, _probe(pin, job))


def _without_index(pin: Wanted) -> Wanted:
    """A pin with an address of its own does without its index; what its build needs may not be there."""
    return replace(pin, pin=replace(pin.pin, index="")) if pin.url else pin


def _probe(pin: Wanted, job: Job) -> Completed:
    """What pip says of all that an index has of a pin."""
    return run_pip(job.settings, _arguments(job, "-vv"), lines([pin], job), environ_of(pin, job))


def _refuse_compiled(pin: Wanted, job: Job) -> None:
    """Refuse what has wheels for other machines: its sdist would be compiled for this one."""
    probe = _probe(pin, job)
    if wheels := wheels_of(pin, probe):
        raise lasting(no_wheel(pin, job.asked.target, wheels), probe)


def _build_environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """A clean environment with what pip needs to reach its index: its own variables and file, proxies and certificates."""
    names = [name for name in environ if name.startswith("PIP_") or name.lower() in NETWORK]
    clean = clean_environment(environ, home=home, passthrough=names)
    user = environ.get("HOME", "")
    files = (Path(environ.get("XDG_CONFIG_HOME") or f"{user}/.config", "pip/pip.conf"), Path(user, ".pip/pip.conf"))
    config = next((str(file) for file in files if user and file.is_file()), "")
    return {"PIP_CONFIG_FILE": config, **clean} if config else clean
