"""The targets other than this machine, from their names: presets of platforms, and `python3.12-manylinux_2_28_x86_64`.

The C libraries are those of the platforms' own system images:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, https://cloud.google.com/functions/docs/runtime-support
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import stdlibs
from packaging import tags

from monopack.errors import ConfigError
from monopack.model import Target, value

# The last maintenance release of each Python when this was written: a platform has it, or a newer one.
PATCHES = {8: 20, 9: 25, 10: 19, 11: 14, 12: 12, 13: 9, 14: 0}
NEWEST = max(PATCHES)
ACCEPTED = (
    f"host, aws-lambda-python3.8-x86_64 to aws-lambda-python3.{NEWEST}-arm64, gcf-python38 to gcf-python3{NEWEST}, or a Python"
    " and a platform tag such as python3.12-manylinux_2_28_aarch64"
)
AMAZON_LINUX_2, AMAZON_LINUX_2023 = 26, 34  # glibc 2.N
UBUNTU_18, UBUNTU_22, UBUNTU_24 = 27, 35, 39
LAMBDA = re.compile(r"aws-lambda-python3\.(?P<minor>\d+)-(?P<machine>x86_64|arm64)")
FUNCTIONS = re.compile(r"gcf-python3(?P<minor>\d+)")
PLAIN = re.compile(r"python3\.(?P<minor>\d+)(?:\.(?P<patch>\d+))?-(?P<platform>(?:many|musl)linux_\d+_\d+_\w+)")
LIBC = re.compile(r"(?P<libc>manylinux|musllinux)_(?P<major>\d+)_(?P<minor>\d+)_(?P<machine>\w+)")
OLD_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}  # PEP 600
LONG_SUPPORTED = frozenset({"x86_64", "i686"})  # machines with wheels from before manylinux2014

# Every CPython on Linux has these compiled in, or has imported them before other code runs.
BUILTINS = frozenset({
    "__main__", "_abc", "_ast", "_codecs", "_collections", "_collections_abc", "_frozen_importlib",
    "_frozen_importlib_external", "_functools", "_imp", "_io", "_locale", "_operator", "_signal", "_sitebuiltins",
    "_sre", "_stat", "_string", "_symtable", "_thread", "_tracemalloc", "_warnings", "_weakref", "abc", "atexit",
    "builtins", "codecs", "encodings", "errno", "faulthandler", "gc", "genericpath", "io", "itertools", "marshal",
    "os", "posix", "posixpath", "pwd", "site", "stat", "sys", "time", "zipimport",
})  # fmt: skip


@value()
class Spec:
    """What a target's name says: its name, the version of CPython (`3.12.12`), the best platform tag that it accepts."""

    name: str
    minor: int
    version: str
    platform: str


def spec_of(name: str) -> Spec:
    """What the name of a target other than `host` says. Raises `ConfigError` for one that is not known."""
    if match := LAMBDA.fullmatch(name):
        floor = AMAZON_LINUX_2 if int(match["minor"]) < 12 else AMAZON_LINUX_2023
        machine = match["machine"].replace("arm64", "aarch64")
        return _spec(name, int(match["minor"]), "", f"manylinux_2_{floor}_{machine}")
    if match := FUNCTIONS.fullmatch(name):
        return _spec(name, int(match["minor"]), "", f"manylinux_2_{_of_functions(int(match['minor']))}_x86_64")
    if match := PLAIN.fullmatch(name):
        return _spec(name, int(match["minor"]), match["patch"] or "", match["platform"])
    raise ConfigError(f"{name} is no target that is known", where="target", hint=f"use {ACCEPTED}")


def _spec(name: str, minor: int, patch: str, platform: str) -> Spec:
    if minor not in PATCHES:
        what = f"{name} is for Python 3.{minor}, which is not known"
        raise ConfigError(what, where="target", hint=f"use one from 3.{min(PATCHES)} to 3.{NEWEST}")
    return Spec(name=name, minor=minor, version=f"3.{minor}.{patch or PATCHES[minor]}", platform=platform)


def _of_functions(minor: int) -> int:
    """The glibc 2.N of the image that Google builds functions for a Python 3.`minor` on."""
    if minor < 10:
        return UBUNTU_18
    return UBUNTU_22 if minor < 14 else UBUNTU_24


def target_of(spec: Spec, python: str, runs: str, chosen_by: str) -> Target:
    """The target itself; `python` is the interpreter of this machine that stands for it, as far as `runs` says."""
    plain, version = f"cp3{spec.minor}", (3, spec.minor)
    platforms = list(platforms_of(spec.platform))
    accepted = (*tags.cpython_tags(version, [plain], platforms), *tags.compatible_tags(version, plain, platforms))
    return Target(
        name=spec.name, python=python, version=spec.version, markers=_markers(spec), tags=tuple(dict.fromkeys(accepted)),
        stdlib=BUILTINS | _stdlib(spec.minor), builtins=BUILTINS, chosen_by=chosen_by, platform=spec.platform, runs=runs,
    )  # fmt: skip


def platforms_of(best: str) -> Iterator[str]:
    """All platform tags that a Linux accepts whose best one is `best`, best first (PEP 600, PEP 656)."""
    match = LIBC.fullmatch(best)
    if match is None:
        raise ConfigError(f"{best} is no platform tag of Linux", where="target", hint="use one such as manylinux_2_28_x86_64")
    libc, major, highest, machine = match["libc"], match["major"], int(match["minor"]), match["machine"]
    lowest = 0 if libc == "musllinux" else 5 if machine in LONG_SUPPORTED else 17
    for minor in range(highest, lowest - 1, -1):
        yield f"{libc}_{major}_{minor}_{machine}"
        if libc == "manylinux" and minor in OLD_NAMES:
            yield f"{OLD_NAMES[minor]}_{machine}"
    yield f"linux_{machine}"


def _markers(spec: Spec) -> dict[str, str]:
    """The PEP 508 environment; release and version of the system, which nobody can know, are empty."""
    return {
        "implementation_name": "cpython",
        "implementation_version": spec.version,
        "os_name": "posix",
        "platform_machine": spec.platform.split("_", 3)[3],
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": spec.version,
        "python_version": f"3.{spec.minor}",
        "sys_platform": "linux",
    }


def _stdlib(minor: int) -> frozenset[str]:
    """The standard library of Python 3.`minor`; this Python's where the published list does not have it yet."""
    version = f"3.{minor}"
    return stdlibs.stdlib_module_names(version) if version in stdlibs.KNOWN_VERSIONS else sys.stdlib_module_names
