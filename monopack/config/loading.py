"""From flags, variables and the file to one configuration: finding the file, merging, making paths absolute."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath

from pydantic import ValidationError

from monopack.config.keys import CONFIG_VARIABLE, FILE_NAME, PREFIX
from monopack.config.layers import Layer, origins_of, place_of
from monopack.config.options import BuildConfig
from monopack.config.refusals import refusal
from monopack.config.sources import file_layer, flag_layer, read, variable_layer
from monopack.errors import ConfigError
from monopack.model import value

log = logging.getLogger(__name__)


@value()
class Loaded:
    """The configuration of a run, and where it came from.

    `root` is the project root: the config file's folder, else the parent of the packs folder. All paths, those in `config` too,
    are absolute (a command name in `python` stays one); `source_roots` are relative to the root.
    `origins` maps a dotted key (`jobs`, `packs.users_get.handler`) to `flag --jobs`, `variable MONOPACK_JOBS`,
    `monopack.toml: jobs` or `default`. `build_dir_given` is the build folder as the user knows it, for printing.
    """

    config: BuildConfig
    root: Path
    file: Path | None
    origins: Mapping[str, str]
    warnings: tuple[str, ...]
    packs_dir: Path
    build_dir: Path
    build_dir_given: str
    tests_dir: Path
    cache_dir: Path


def load(flags: Mapping[str, object], *, cwd: Path, config_file: Path | None, environ: Mapping[str, str]) -> Loaded:
    """Merge flags, variables and `monopack.toml` into one configuration.

    `flags` maps field names to what the command line gave (None: not given); `cwd` is absolute. The file is `config_file`, else
    the one that `MONOPACK_CONFIG` in `environ` names, else the nearest `monopack.toml` in `cwd` or above, else from a packs
    folder that a flag or variable names. Paths in flags and
    variables are relative to `cwd`, those in the file to its folder. Raises `ConfigError`, which lists all keys with a bad value.
    """
    file = _find(cwd, config_file, environ) or _beside_packs(cwd, flags, environ)
    document = read(file) if file else {}
    variables, warnings = variable_layer(environ, document)
    layers = (flag_layer(flags), variables, file_layer(file, document))
    log.debug("config file: %s", file or "none")
    try:
        config = BuildConfig.model_validate({"layers": [layer.values for layer in layers]})
    except ValidationError as error:
        raise refusal(error, (), lambda key: place_of(layers, key)[1]) from None
    return _located(config, layers, cwd, file, warnings)


def _find(cwd: Path, given: Path | None, environ: Mapping[str, str]) -> Path | None:
    named = given or environ.get(CONFIG_VARIABLE)
    if named:
        file = _absolute(cwd, named)
        if not file.is_file():
            where = "--config" if given else CONFIG_VARIABLE
            raise ConfigError(f"there is no file {named}", where=where, hint="name an existing monopack.toml, or leave it out")
        return file
    return _nearest(cwd)


def _beside_packs(cwd: Path, flags: Mapping[str, object], environ: Mapping[str, str]) -> Path | None:
    """The nearest file from a packs folder upward that was named by a flag or a variable."""
    named = flags.get("packs_dir") or environ.get(f"{PREFIX}PACKS_DIR")
    return _nearest(_absolute(cwd, str(named)).parent) if named else None


def _nearest(folder: Path) -> Path | None:
    candidates = (above / FILE_NAME for above in (folder, *folder.parents))
    return next((file for file in candidates if file.is_file()), None)


def _located(config: BuildConfig, layers: tuple[Layer, ...], cwd: Path, file: Path | None, warnings: tuple[str, ...]) -> Loaded:
    """Make every path of a configuration absolute."""

    def base(name: str, root: Path) -> Path:
        return cwd if place_of(layers, (name,))[0] else root

    packs_dir = _absolute(base("packs_dir", file.parent if file else cwd), config.packs_dir)
    root = file.parent if file else packs_dir.parent
    paths = {name: _absolute(base(name, root), getattr(config, name)) for name in ("build_dir", "tests_dir")}
    cache_dir = _absolute(base("cache_dir", root), config.cache_dir) if config.cache_dir else _user_cache()
    pythons = {name: _program(base(name, root), getattr(config, name)) for name in ("python", "existing_install_python")}
    typed = place_of(layers, ("build_dir",))[0]
    return Loaded(
        config=config.model_copy(update={"packs_dir": packs_dir, "cache_dir": cache_dir, **paths, **pythons}),
        root=root,
        file=file,
        origins=origins_of(layers),
        warnings=warnings,
        packs_dir=packs_dir,
        build_dir_given=_raw(layers, "build_dir") if typed else _shown(paths["build_dir"], cwd),
        cache_dir=cache_dir,
        **paths,
    )


def _raw(layers: Iterable[Layer], name: str) -> str:
    """An option's text exactly as the best layer has it."""
    return str(next(layer.values[name] for layer in layers if name in layer.values))


def _shown(path: Path, cwd: Path) -> str:
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)


def _absolute(base: Path, given: Path | str) -> Path:
    """A path made absolute and tidy without following links: whether a folder is a link is for others to see."""
    path = Path(given)
    path = path.expanduser() if path.parts[:1] == ("~",) else path
    return Path(os.path.normpath(base / path))


def _program(base: Path, given: str | None) -> str | None:
    """A path made absolute; a bare command name (or None) as it is."""
    if given is None or (given != "~" and PurePath(given).name == given):
        return given
    return str(_absolute(base, given))


def _user_cache() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("monopack", appauthor=False)
