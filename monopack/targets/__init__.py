"""ROOM: what a pack must run on.

The target `host` is this machine with one of its interpreters, which is asked about itself: the one that was named, else the
project's own, else the one that runs monopack. All other targets are known by their names.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import stdlibs
from packaging import tags

from monopack.errors import ConfigError
from monopack.model import Target, value
from monopack.run import Door
from monopack.targets.known import Spec, spec_of, target_of
from monopack.targets.natives import misfits

__all__ = ["host", "misfits", "named"]

log = logging.getLogger(__name__)

OLDEST = (3, 8)
PROBE_SECONDS = 60.0
HINT = "name a CPython 3.8 or newer with --python, MONOPACK_PYTHON or monopack.toml: python"

# Runs in the probed interpreter, which may be as old as Python 3.4: the answer is the last line that it prints.
PROBE = r"""
import json, os, platform, sys, sysconfig
import _imp

# Every ordinary start of Python has imported these before any other code runs.
STARTUP = "__main__ _collections_abc _frozen_importlib _frozen_importlib_external _sitebuiltins abc codecs encodings"
STARTUP += " genericpath io os site stat zipimport " + os.path.__name__

def full(info):
    last = "" if info.releaselevel == "final" else info.releaselevel[0] + str(info.serial)
    return "%d.%d.%d%s" % (info.major, info.minor, info.micro, last)

stdlib = sorted(getattr(sys, "stdlib_module_names", ()))
frozen = [name for name in stdlib if _imp.is_frozen(name)]
debug = sysconfig.get_config_var("Py_DEBUG")
print("\n" + json.dumps({
    "executable": sys.executable,
    "version": list(sys.version_info[:2]),
    "implementation": sys.implementation.name,
    "markers": {
        "implementation_name": sys.implementation.name,
        "implementation_version": full(sys.implementation.version),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    },
    "stdlib": stdlib,
    "builtins": sorted(set(sys.builtin_module_names).union(frozen, STARTUP.split())),
    "platform": sysconfig.get_platform(),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "debug": bool(hasattr(sys, "gettotalrefcount") if debug is None else debug),
}))
"""


@value()
class _Choice:
    """Paths of interpreters that may stand for `host`, the first that answers counts; what named them; the version wanted."""

    candidates: tuple[str, ...]
    by: str
    version: str = ""
    given: str = ""


def host(given: str | None, given_by: str, root: Path, environ: Mapping[str, str], door: Door) -> Target:
    """The target `host`: this machine, and the Python on it that stands for the project's.

    `given` is an absolute path of an interpreter (or of a virtual environment) or a command on `environ`'s PATH, and `given_by`
    says where it was named (`--python`, `MONOPACK_PYTHON`, `monopack.toml: python`). When it is None, the first of these that is
    there is taken: the active virtual environment (`VIRTUAL_ENV`), `.venv` and `.python-version` in `root` (absolute), the Python
    that runs monopack. Marker values are those of PEP 508, tags those of PEP 425. Raises ConfigError when the one taken does not
    start, is not CPython, or is older than 3.8: the next is not tried silently.
    """
    choice = _choose(given, given_by, root, environ)
    answer = _probe(choice, root, environ, door)
    _check(answer, choice)
    log.debug("host is %s, chosen by %s", answer["executable"], choice.by)
    return _target(answer, choice.by)


def named(name: str, here: Target, environ: Mapping[str, str], door: Door, root: Path) -> Target:
    """The target of a name: `here` (the host) itself, or another, whatever machine this is.

    Its interpreter is one of this machine that is of its version, if there is one, else the host's. Raises `ConfigError` for a
    name that is not known.
    """
    if name == here.name:
        return here
    spec = spec_of(name)
    python, chosen_by = _stand_in(spec, here, environ, door, root)
    runs = _what_runs(spec, here) if python else "nothing"
    log.debug("%s of %s runs here with %s", runs, name, python or here.python)
    return target_of(spec, python or here.python, runs, chosen_by)


def _stand_in(spec: Spec, here: Target, environ: Mapping[str, str], door: Door, root: Path) -> tuple[str, str]:
    """An interpreter of a target's version on this machine and what chose it; empty when there is none."""
    version = f"3.{spec.minor}"
    if here.markers["python_version"] == version:
        return here.python, here.chosen_by
    candidates = tuple(_on_path(f"python{version}", environ))
    choice = _Choice(candidates=candidates, by=f"python{version} on PATH", version=version)
    try:
        answer = _probe(choice, root, environ, door)
        _check(answer, choice)
    except ConfigError:
        return "", here.chosen_by
    return str(answer["executable"]), choice.by


def _what_runs(spec: Spec, here: Target) -> str:
    """How much of a target's code an interpreter of its version runs on this machine."""
    return "all" if any(tag.platform == spec.platform for tag in here.tags) else "pure"


def _choose(given: str | None, given_by: str, root: Path, environ: Mapping[str, str]) -> _Choice:
    if given is not None:
        return _Choice(candidates=tuple(_named(given, environ)), by=given_by, given=given)
    if active := environ.get("VIRTUAL_ENV"):
        return _Choice(candidates=(str(_python_of(root / active)),), by="VIRTUAL_ENV")
    if os.path.lexists(_python_of(root / ".venv")):
        return _Choice(candidates=(str(_python_of(root / ".venv")),), by=".venv")
    if (root / ".python-version").is_file():
        return _from_version_file(root / ".python-version", environ)
    return _Choice(candidates=(sys.executable,), by="the Python that runs monopack")


def _python_of(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _named(given: str, environ: Mapping[str, str]) -> Iterator[str]:
    """The interpreters that a name or path may mean."""
    if os.sep not in given and (os.altsep or os.sep) not in given:
        yield from _on_path(given, environ)
    elif Path(given).is_dir():
        yield str(_python_of(Path(given)))
    else:
        yield given


def _on_path(command: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Every program of that name on PATH: the first may be a version manager's stand-in that has nothing behind it."""
    for folder in environ.get("PATH", "").split(os.pathsep):
        if os.path.isabs(folder) and (found := shutil.which(command, path=folder)):  # noqa: PTH117 - PATH is text
            yield found


def _from_version_file(path: Path, environ: Mapping[str, str]) -> _Choice:
    """What a `.python-version` file asks for: its first line, `3.12`, `3.12.1` or `cpython-3.12`."""
    lines = (line.strip() for line in path.read_text("utf-8", "replace").splitlines())
    wanted = next((line for line in lines if line and not line.startswith("#")), "")
    match = re.fullmatch(r"(?:c?python[-@]?)?(\d+\.\d+)(?:\.\w+)?", wanted)
    if not match:
        raise ConfigError(f"{wanted!r} is not a version of Python such as 3.12", where=".python-version", hint=HINT)
    version = match[1]
    running = (sys.executable,) if version == f"{sys.version_info[0]}.{sys.version_info[1]}" else ()
    candidates = (*_on_path(f"python{version}", environ), *running)
    if not candidates:
        raise ConfigError(f"there is no python{version} on PATH", where=".python-version", hint=HINT)
    return _Choice(candidates=candidates, by=".python-version", version=version)


def _probe(choice: _Choice, root: Path, environ: Mapping[str, str], door: Door) -> dict[str, Any]:
    """Ask the candidates in order; the first answer counts."""
    said = f"there is no command {choice.given} on PATH"
    for python in choice.candidates:
        try:
            # The folder matters: version managers choose by the folder they are called in.
            ran = door.run([python, "-I", "-S", "-B", "-c", PROBE], cwd=root, env=environ, timeout=PROBE_SECONDS)
        except OSError as error:
            said = f"{python} cannot be started: {error.strerror}"
            continue
        if answer := _answer(ran.output):
            return {**answer, "executable": answer["executable"] or python}
        said = f"{python} is not a Python that monopack can use"
    raise ConfigError(said, where=choice.by, hint=HINT)


def _answer(output: str) -> dict[str, Any] | None:
    try:
        answer = json.loads(output.rstrip().rpartition("\n")[2])
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and "implementation" in answer else None


def _check(answer: Mapping[str, Any], choice: _Choice) -> None:
    python, version = answer["executable"], answer["markers"]["python_version"]
    if answer["implementation"] != "cpython":
        raise ConfigError(f"{python} is {answer['markers']['platform_python_implementation']}", where=choice.by, hint=HINT)
    if tuple(answer["version"]) < OLDEST:
        raise ConfigError(f"{python} is Python {version}", where=choice.by, hint=HINT)
    if choice.version not in ("", version):
        raise ConfigError(f"{python} is Python {version}, not {choice.version}", where=choice.by, hint=HINT)


def _target(answer: Mapping[str, Any], chosen_by: str) -> Target:
    builtins = frozenset(answer["builtins"])
    return Target(
        name="host",
        python=answer["executable"],
        version=answer["markers"]["python_full_version"],
        markers=answer["markers"],
        tags=tuple(_tags(answer)),
        stdlib=builtins.union(answer["stdlib"], _listed(answer["markers"]["python_version"])),
        builtins=builtins,
        chosen_by=chosen_by,
    )


def _listed(version: str) -> frozenset[str]:
    """The standard library of a version by the published list: Python names its own only from 3.10 on."""
    return stdlibs.stdlib_module_names(version) if version in stdlibs.KNOWN_VERSIONS else frozenset()


def _tags(answer: Mapping[str, Any]) -> Iterator[tags.Tag]:
    """The wheel tags of the probed interpreter, best first, as `packaging.tags.sys_tags()` gives them inside it (PEP 425)."""
    version = tuple(answer["version"])
    platforms = list(tags.platform_tags())
    plain = f"cp{version[0]}{version[1]}"
    threaded = plain + ("t" if answer["free_threaded"] else "")
    abis = [f"{threaded}d", threaded] if answer["debug"] else [threaded]
    yield from tags.cpython_tags(version, abis, platforms)
    yield from tags.compatible_tags(version, plain, platforms)
