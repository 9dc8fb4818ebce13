"""Where a project's build settings say that its modules lie; every build backend has words of its own for that."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from configparser import ConfigParser, Error
from typing import Any

Told = Iterator[object]


def told(manifest: dict[str, Any], setup_cfg: str) -> tuple[str, ...]:
    """The folders, as written and relative to the project's own, that its build settings call source roots.

    `manifest` are the tables of its `pyproject.toml`, `setup_cfg` is the text of its `setup.cfg`; either may be empty.
    """
    found = (folder for setting in SETTINGS for folder in setting(manifest))
    return tuple(dict.fromkeys(folder for folder in (*found, *_setup_cfg(setup_cfg)) if isinstance(folder, str)))


def table(tables: object, *keys: str) -> dict[str, Any]:
    """The table at a key path in TOML tables; an empty one when there is none."""
    for key in keys:
        tables = tables.get(key) if isinstance(tables, dict) else None
    return tables if isinstance(tables, dict) else {}


def texts(node: object) -> list[str]:
    """The strings in a TOML list; a string by itself counts as one."""
    return [each for each in (node if isinstance(node, list) else [node]) if isinstance(each, str)]


def _uv(manifest: dict[str, Any]) -> Told:
    """`module-root`, which is `src` unless it is set."""
    if table(manifest, "build-system").get("build-backend") == "uv_build":
        yield table(manifest, "tool", "uv", "build-backend").get("module-root", "src")


def _setuptools(manifest: dict[str, Any]) -> Told:
    """`package-dir` and `packages.find.where`."""
    settings = table(manifest, "tool", "setuptools")
    yield from _package_dir(settings.get("package-dir"))
    yield from texts(table(settings, "packages", "find").get("where"))


def _package_dir(folders: object) -> Told:
    """The folder of the packages that none is set for, and those above folders that are called like their packages."""
    for package, folder in folders.items() if isinstance(folders, dict) else ():
        below = package.replace(".", "/")
        if not package:
            yield folder
        elif isinstance(folder, str) and f"/{folder}".endswith(f"/{below}"):
            yield folder.removesuffix(below)


def _hatch(manifest: dict[str, Any]) -> Told:
    """The folders above `packages`, and the beginnings that `sources` takes off; for all targets, or for wheels."""
    build = table(manifest, "tool", "hatch", "build")
    for settings in (table(build, "targets", "wheel"), build):
        yield from map(posixpath.dirname, texts(settings.get("packages")))
        sources = settings.get("sources")
        yield from (folder for folder, name in sources.items() if not name) if isinstance(sources, dict) else texts(sources)


def _poetry(manifest: dict[str, Any]) -> Told:
    """The `from` of `packages`, which is the project's folder unless it is set."""
    packages = table(manifest, "tool", "poetry").get("packages")
    for each in packages if isinstance(packages, list) else ():
        if isinstance(each, dict):
            yield each.get("from", "")


def _pdm(manifest: dict[str, Any]) -> Told:
    yield table(manifest, "tool", "pdm", "build").get("package-dir")


def _maturin(manifest: dict[str, Any]) -> Told:
    yield table(manifest, "tool", "maturin").get("python-source")


def _scikit_build(manifest: dict[str, Any]) -> Told:
    """The folders above `wheel.packages`."""
    yield from map(posixpath.dirname, texts(table(manifest, "tool", "scikit-build", "wheel").get("packages")))


# Flit has no such setting: it looks into `src` and into the project's folder, as is done where nothing is told.
SETTINGS: tuple[Callable[[dict[str, Any]], Told], ...] = (_uv, _setuptools, _hatch, _poetry, _pdm, _maturin, _scikit_build)


def _setup_cfg(text: str) -> Iterable[object]:
    """What setuptools read before it read `pyproject.toml`."""
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except Error:
        return ()
    pairs = (line.partition("=") for line in parser.get("options", "package_dir", fallback="").split("\n"))
    folders = {package.strip(): folder.strip() for package, sign, folder in pairs if sign}
    where = parser.get("options.packages.find", "where", fallback="").replace(",", "\n").split()
    return (*_package_dir(folders), *where)
