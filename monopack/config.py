"""The room that turns flags, variables and `monopack.toml` into one validated value that knows where each option came from.

Precedence: flags > `MONOPACK_*` variables > `monopack.toml` > defaults. An option is one field of `BuildConfig` or `PackOptions`:
its flag, variable, error messages, JSON Schema and row in the reference are derived from that field.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from monopack.errors import ConfigError
from monopack.model import value

log = logging.getLogger(__name__)

FILE_NAME = "monopack.toml"
PREFIX = "MONOPACK_"
CONFIG_VARIABLE = "MONOPACK_CONFIG"
TRUE = ("1", "true", "yes", "on")
FALSE = ("0", "false", "no", "off")

Key = tuple[str, ...]  # the path of a key: ("packs", "users_get", "handler")
_OPTION_LENGTH = {"pack": 2, "packs": 3, "module_map": 2}  # parts of a key down to the option (or the entry of a table)


# ---------------------------------------------------------------- kinds of values


class Text(str):
    """A value from a flag or a variable: text that may stand for a boolean, a number or a list. TOML has those itself."""

    __slots__ = ()


@value()
class Accepts:
    """What an option takes, in words for error messages and the reference."""

    words: str


@value()
class OnCommandLine:
    """Marks an option that is a flag too; `metavar` stands for its value in the help."""

    metavar: str = ""


@value()
class Unset:
    """Words for a default that is no value."""

    words: str


def _word(given: object) -> object:
    """A plain string for a text (older versions of pydantic compare literals by type); anything else as it is."""
    return str(given) if isinstance(given, Text) else given


def _switch(given: object) -> object:
    """The boolean that a text stands for; anything else as it is."""
    word = given.strip().lower() if isinstance(given, Text) else ""
    return word in TRUE if word in (*TRUE, *FALSE) else _word(given)


def _number(given: object) -> object:
    """The number that a text stands for; anything else as it is."""
    if isinstance(given, Text) and re.fullmatch(r"\s*[0-9]+(\.[0-9]+)?\s*", given, re.ASCII):
        return float(given) if "." in given else int(given)
    return _word(given)


def _words(given: object) -> object:
    """The list that a text stands for, `a,b` or `["a", "b"]`; anything else as it is."""
    if not isinstance(given, Text) or given == "auto":
        return _word(given)
    if given.lstrip().startswith("["):
        return json.loads(given)
    return [word.strip() for word in given.split(",") if word.strip()]


def _path(given: object) -> object:
    """Refuse what no system takes for a path."""
    if isinstance(given, str) and (not given.strip() or "\0" in given):
        raise ValueError("no path")
    return given


def _distinct(given: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(given)) != len(given):
        raise ValueError("one of them twice")
    return given


StrictBool = Annotated[bool, Strict()]
Name = Annotated[str, Field(min_length=1)]
Switch = Annotated[StrictBool, BeforeValidator(_switch), Accepts(words="true or false")]
Depth = Annotated[StrictBool | Literal["all"], BeforeValidator(_switch), Accepts(words='true, false or "all"')]
Names = Annotated[tuple[Name, ...], BeforeValidator(_words), Accepts(words="a list of strings")]
Strings = Annotated[dict[str, str], Accepts(words="a table of strings")]
Folder = Annotated[Path, BeforeValidator(_path), Accepts(words="a path")]
Program = Annotated[Name | None, BeforeValidator(_path), Accepts(words="a path or a command name")]
Seconds = Annotated[
    float, Field(gt=0, allow_inf_nan=False, strict=True), BeforeValidator(_number), Accepts(words="seconds, above 0")
]
Jobs = Annotated[
    Annotated[int, Field(ge=1, strict=True)] | Literal["auto"],
    BeforeValidator(_number),
    Accepts(words='"auto" or a whole number from 1'),
]
Formats = Annotated[
    tuple[Literal["hex", "b64"], ...],
    Field(min_length=1, json_schema_extra={"uniqueItems": True}),
    BeforeValidator(_words),
    AfterValidator(_distinct),
    Accepts(words='a list of "hex" and "b64", each at most once'),
]
Handler = Annotated[
    str, Field(pattern=r"^$|^[^\W\d]\w*(\.[^\W\d]\w*)*$"), Accepts(words='the name of a function, or "" for none')
]
Roots = Annotated[
    Annotated[tuple[Name, ...], Field(min_length=1)] | Literal["auto"],
    BeforeValidator(_words),
    Accepts(words='"auto" or a list of folders'),
]


# ---------------------------------------------------------------- the options


class PackOptions(BaseModel):
    """The options of one pack, from `[pack]` (defaults of every pack), `[packs.NAME]` or a managed block.

    In these tables `verify` and `skip_tests` are None when the project-wide option decides; `pack_options` fills them in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    handler: Handler = Field(
        default="lambda_handler", description="The function that the pack's file must have; an empty string asks for none."
    )
    extra_modules: Names = Field(default=(), description="First-party modules to ship that no import shows, as dotted names.")
    extra_distributions: Names = Field(default=(), description="Pinned distributions to ship that no import shows.")
    exclude_distributions: Names = Field(
        default=(), description="Distributions that never ship, because the runtime has them already."
    )
    include: Names = Field(default=(), description="Files to ship besides code, as glob patterns from the project root.")
    exclude: Names = Field(default=(), description="Files that never ship, as glob patterns from the project root.")
    env: Strings = Field(default_factory=dict, description="Variables that verifying and tests run with.")
    test_env: Strings = Field(default_factory=dict, description="Variables that only tests run with.")
    env_passthrough: Names = Field(
        default=(), description="Names of variables that verifying and tests take over from the caller's environment."
    )
    verify: Annotated[StrictBool | Literal["all"] | None, BeforeValidator(_switch), Accepts(words='true, false or "all"')] = (
        Field(default=None, description="As the project-wide `verify`, for this pack.")
    )
    skip_tests: Annotated[StrictBool | None, BeforeValidator(_switch), Accepts(words="true or false")] = Field(
        default=None, description="As the project-wide `skip_tests`, for this pack."
    )
    require_tests: Switch = Field(default=True, description="A pack for which no test runs fails.")
    test_runner: Annotated[
        Literal["auto", "pytest", "unittest"], BeforeValidator(_word), Accepts(words='"auto", "pytest" or "unittest"')
    ] = Field(default="auto", description="What runs the tests; `auto` is pytest where it is pinned, else unittest.")
    test_distributions: Names = Field(default=(), description="Pinned distributions that only the tests need.")
    unresolved: Annotated[Literal["warn", "error"], BeforeValidator(_word), Accepts(words='"warn" or "error"')] = Field(
        default="warn", description="What an import means that neither the project nor a pinned distribution provides."
    )


class BuildConfig(BaseSettings):
    """All options of a run. Names are snake_case in `monopack.toml`, `--kebab-case` as flags, `MONOPACK_NAME` as variables."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    packs_dir: Annotated[Folder, OnCommandLine(metavar="DIR")] = Field(
        default=Path("packs"), description="The folder that holds one file for each pack."
    )
    build_dir: Annotated[Folder, OnCommandLine(metavar="DIR")] = Field(
        default=Path("build"), description="The folder that artifacts are written to."
    )
    skip_tests: Annotated[Switch, OnCommandLine()] = Field(default=False, description="Run no tests.")
    verify: Annotated[Depth, OnCommandLine()] = Field(
        default=True,
        description="Import each pack in a clean interpreter before it is packed; `all` imports the modules that may only"
        " be reached later, too.",
    )
    debug: Annotated[Switch, OnCommandLine()] = Field(default=False, description="Show every step, and tracebacks.")
    jobs: Annotated[Jobs, OnCommandLine(metavar="N|auto")] = Field(
        default="auto", description="How many packs are built at the same time; `auto` follows the processor."
    )
    sha_output: Annotated[Formats, OnCommandLine(metavar="hex,b64")] = Field(
        default=("hex",), description="How the artifact's sha256 is written beside it."
    )
    package_manager: Annotated[
        Literal["auto", "pip", "uv"],
        BeforeValidator(_word),
        Accepts(words='"auto", "pip" or "uv"'),
        OnCommandLine(metavar="NAME"),
    ] = Field(default="auto", description="Whose pins are read: `pip` means requirements.txt, `uv` means uv.lock.")
    python: Annotated[Program, OnCommandLine(metavar="PYTHON"), Unset(words="detected")] = Field(
        default=None,
        description="The Python that the packs run on, a path or a command name; without it the active virtual environment's,"
        " else that of `.venv`, else the one `.python-version` names, else monopack's own.",
    )
    existing_install_python: Annotated[Program, OnCommandLine(metavar="PYTHON"), Unset(words="none")] = Field(
        default=None, description="A Python whose pip cache is used when distributions are fetched."
    )
    cache_dir: Annotated[
        Path | None,
        BeforeValidator(_path),
        Accepts(words="a path"),
        OnCommandLine(metavar="DIR"),
        Unset(words="the user's cache folder"),
    ] = Field(default=None, description="The folder of the store of distributions, shared by all projects.")
    offline: Annotated[Switch, OnCommandLine()] = Field(
        default=False, description="Use no network: what the store does not have is an error."
    )
    force: Annotated[Switch, OnCommandLine()] = Field(
        default=False, description="Replace folders in the build folder that monopack did not write."
    )
    source_roots: Roots = Field(
        default="auto",
        description="The folders, relative to the project root, whose children are importable names; `auto` is `src`,"
        " where there is one without `__init__.py`, and the project root.",
    )
    tests_dir: Folder = Field(default=Path("tests"), description="The folder that holds the tests.")
    verify_timeout: Seconds = Field(default=120.0, description="How long verifying one pack may take, in seconds.")
    test_timeout: Seconds = Field(default=600.0, description="How long the tests of one pack may take, in seconds.")
    lock_timeout: Annotated[
        float, Field(ge=0, allow_inf_nan=False, strict=True), BeforeValidator(_number), Accepts(words="seconds, from 0")
    ] = Field(default=300.0, description="How long to wait for another run on the same build folder, in seconds.")
    module_map: Strings = Field(
        default_factory=dict,
        description="Import name to distribution, where the wheels themselves cannot tell.",
    )
    pack: Annotated[PackOptions, Accepts(words="a table of pack options")] = Field(
        default_factory=PackOptions, description="Defaults of every pack."
    )
    packs: Annotated[dict[str, PackOptions], Accepts(words="a table of pack options for each pack")] = Field(
        default_factory=dict, description="Options of single packs, by the pack's name."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The tables that `load` hands over as `layers`, best first; without them only the arguments count.

        The process environment is never read here: `load` gets it as a value.
        """
        given = init_settings.init_kwargs if isinstance(init_settings, InitSettingsSource) else {}
        layers = given.get("layers")
        return (init_settings,) if layers is None else tuple(_Source(settings_cls, layer) for layer in layers)


class _Source(PydanticBaseSettingsSource):
    """One layer of values as it is; pydantic-settings merges the layers key by key."""

    def __init__(self, settings_cls: type[BaseSettings], layer: _Layer) -> None:
        super().__init__(settings_cls)
        self.layer = layer

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        return self.layer.values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return self.layer.values


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


# ---------------------------------------------------------------- loading


def load(flags: Mapping[str, object], *, cwd: Path, config_file: Path | None, environ: Mapping[str, str]) -> Loaded:
    """Merge flags, variables and `monopack.toml` into one configuration.

    `flags` maps field names to what the command line gave (None: not given); `cwd` is absolute. The file is `config_file`, else
    the one that `MONOPACK_CONFIG` in `environ` names, else the nearest `monopack.toml` in `cwd` or above. Paths in flags and
    variables are relative to `cwd`, those in the file to its folder. Raises `ConfigError`, which lists all keys with a bad value.
    """
    file = _find(cwd, config_file, environ)
    document = _read(file) if file else {}
    variables, warnings = _variables(environ, document)
    layers = (_flag_layer(flags), variables, _file_layer(file, document))
    log.debug("config file: %s", file or "none")
    try:
        config = BuildConfig.model_validate({"layers": layers})
    except ValidationError as error:
        raise _refusal(error, (), lambda key: _place(layers, key)[1]) from None
    return _located(config, layers, cwd, file, warnings)


def _find(cwd: Path, given: Path | None, environ: Mapping[str, str]) -> Path | None:
    named = given or environ.get(CONFIG_VARIABLE)
    if named:
        file = _absolute(cwd, named)
        if not file.is_file():
            where = "--config" if given else CONFIG_VARIABLE
            raise ConfigError(f"there is no file {named}", where=where, hint="name an existing monopack.toml, or leave it out")
        return file
    candidates = (folder / FILE_NAME for folder in (cwd, *cwd.parents))
    return next((file for file in candidates if file.is_file()), None)


def _read(file: Path) -> dict[str, Any]:
    """The file's plain values; TOML 1.0, UTF-8 with or without a byte order mark."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        data = file.read_bytes()
        return tomlkit.parse(data.decode("utf-8-sig")).unwrap()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(file)) from None
    except UnicodeDecodeError as error:
        lines = data.count(b"\n", 0, error.start)
        raise ConfigError("is not UTF-8 text", where=f"{file.name}:{lines + 1}", hint="save the file as UTF-8") from None
    except TOMLKitError as error:
        line: int | None = getattr(error, "line", None)
        what = re.sub(r" at line \d+ col \d+$", "", str(error))
        where = f"{file.name}:{line}" if line else file.name
        raise ConfigError(f"not valid TOML: {what}", where=where, hint="correct that line") from None


@value()
class _Layer:
    """One source of values: nested as in TOML, and for the key path of each leaf the place that holds it."""

    kind: str  # "flag", "variable" or "" (a file)
    values: dict[str, Any]
    places: Mapping[Key, str]


def _layer(kind: str, given: Iterable[tuple[Key, object, str]]) -> _Layer:
    """Nest values by their key paths; each comes with the place that holds it."""
    values: dict[str, Any] = {}
    places = {}
    for key, item, place in given:
        for leaf, leaf_value in _leaves(key, item):
            _put(values, leaf, leaf_value)
            places[leaf] = place
    return _Layer(kind=kind, values=values, places=places)


def _put(values: dict[str, Any], key: Key, item: object) -> None:
    for part in key[:-1]:
        if not isinstance(values.get(part), dict):
            values[part] = {}
        values = values[part]
    values[key[-1]] = item


def _leaves(key: Key, item: object) -> Iterator[tuple[Key, object]]:
    """All values below a key that are no tables, and empty tables."""
    if isinstance(item, dict) and (item or not key):
        for name, below in item.items():
            yield from _leaves((*key, name), below)
    else:
        yield key, item


def _flag_layer(flags: Mapping[str, object]) -> _Layer:
    def given() -> Iterator[tuple[Key, object, str]]:
        for name, item in flags.items():
            if item is not None:
                text = Text(item) if isinstance(item, str | PurePath) else item
                yield (name,), text, _option(name if item is not False else f"no_{name}")

    return _layer("flag", given())


def _file_layer(file: Path | None, document: dict[str, Any]) -> _Layer:
    name = file.name if file else FILE_NAME
    return _layer("", ((key, item, f"{name}: {_dotted(key)}") for key, item in _leaves((), document)))


def _variables(environ: Mapping[str, str], document: Mapping[str, Any]) -> tuple[_Layer, tuple[str, ...]]:
    """The layer of `MONOPACK_*` variables, and a warning for each that is no option; an empty variable counts as unset."""
    spellings = {name.lower(): name for name in _tables(document)}
    given: list[tuple[Key, object, str]] = []
    warnings = []
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX) or not text or variable == CONFIG_VARIABLE:
            continue
        key = _variable_key(variable.removeprefix(PREFIX))
        if key is None:
            warnings.append(f"{variable}: no such option, ignored{_suggested_variable(variable)}")
            continue
        if key[0] == "packs" and len(key) > 1:
            key = ("packs", spellings.get(key[1], key[1]), *key[2:])
        given.append((key, _table_or_text(key, text), variable))
    return _layer("variable", given), tuple(warnings)


def _tables(document: Mapping[str, Any]) -> Iterable[str]:
    packs = document.get("packs")
    return packs if isinstance(packs, dict) else ()


def _variable_key(rest: str) -> Key | None:
    """The key that a variable sets, by its name without the prefix; None when there is no such option.

    Names of options and packs count in any case; the keys of `module_map`, `env` and `test_env` keep theirs.
    """
    head, _, tail = rest.partition("__")
    name = head.lower()
    if not tail:
        return (name,) if name in BuildConfig.model_fields else None
    if name == "module_map":
        return name, tail
    if name == "pack":
        return _option_key((name,), tail)
    if name == "packs":
        cuts = (cut for cut in range(1, len(tail)) if tail.startswith("__", cut))
        keys = (_option_key((name, tail[:cut].lower()), tail[cut + 2 :]) for cut in cuts)
        return next((key for key in keys if key), None)
    return None


def _option_key(table: Key, rest: str) -> Key | None:
    head, _, inner = rest.partition("__")
    field = PackOptions.model_fields.get(head.lower())
    if field is None or (inner and not _is_table(field)):
        return None
    return (*table, head.lower(), *([inner] if inner else []))


def _table_or_text(key: Key, text: str) -> object:
    """A variable that sets a whole table holds a JSON object; any other is text."""
    if _is_whole_table(key) and text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            log.debug("not a JSON object: the value of %s", _dotted(key))
    return Text(text)


def _is_whole_table(key: Key) -> bool:
    """Whether a key is a table itself, not an entry of one (`pack.env`, not `pack.env.TZ`)."""
    return len(key) in (1, _OPTION_LENGTH.get(key[0])) and _is_table(_field(key))


def _place(layers: Iterable[_Layer], key: Key) -> tuple[str, str]:
    """The kind and the place of the best layer that holds a key, something below it or a value above it."""
    for layer in layers:
        for leaf, place in layer.places.items():
            if leaf[: len(key)] == key or key[: len(leaf)] == leaf:
                return layer.kind, place
    return "", "default"


def _origins(layers: Iterable[_Layer]) -> dict[str, str]:
    names = (name for name, field in BuildConfig.model_fields.items() if not _is_table(field))
    origins = dict.fromkeys(names, "default")
    for layer in reversed(tuple(layers)):
        origins |= {_dotted(leaf): f"{layer.kind} {place}".lstrip() for leaf, place in layer.places.items()}
    return origins


def _located(config: BuildConfig, layers: tuple[_Layer, ...], cwd: Path, file: Path | None, warnings: tuple[str, ...]) -> Loaded:
    """Make every path of a configuration absolute."""

    def base(name: str, root: Path) -> Path:
        return cwd if _place(layers, (name,))[0] else root

    packs_dir = _absolute(base("packs_dir", file.parent if file else cwd), config.packs_dir)
    root = file.parent if file else packs_dir.parent
    paths = {name: _absolute(base(name, root), getattr(config, name)) for name in ("build_dir", "tests_dir")}
    cache_dir = _absolute(base("cache_dir", root), config.cache_dir) if config.cache_dir else _user_cache()
    pythons = {name: _program(base(name, root), getattr(config, name)) for name in ("python", "existing_install_python")}
    typed = _place(layers, ("build_dir",))[0]
    return Loaded(
        config=config.model_copy(update={"packs_dir": packs_dir, "cache_dir": cache_dir, **paths, **pythons}),
        root=root,
        file=file,
        origins=_origins(layers),
        warnings=warnings,
        packs_dir=packs_dir,
        build_dir_given=_raw(layers, "build_dir") if typed else _shown(paths["build_dir"], cwd),
        cache_dir=cache_dir,
        **paths,
    )


def _raw(layers: Iterable[_Layer], name: str) -> str:
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


# ---------------------------------------------------------------- options of one pack


def pack_options(loaded: Loaded, name: str, block: Mapping[str, object], where: str) -> PackOptions:
    """The options of one pack: its managed block before `[packs.NAME]` before `[pack]` before the defaults.

    Lists are united (the defaults' entries first, none twice), tables of strings are merged, everything else is overridden.
    A flag or variable for `verify` or `skip_tests` beats all of them; both are set in the result. `block` holds plain TOML
    values, `where` is its place (`packs/users_get.py:3`). Raises `ConfigError` there when the block cannot be used.
    """
    try:
        own = PackOptions.model_validate(block)
    except ValidationError as error:
        raise _refusal(error, ("pack",), lambda _: where, shows_key=True) from None
    tables = [table for table in (loaded.config.pack, _table(loaded, name), own) if table]
    merged = {
        field: _united([getattr(table, field) for table in tables if field in table.model_fields_set])
        for field in set().union(*(table.model_fields_set for table in tables))
    }
    for field in ("verify", "skip_tests"):
        insisted = loaded.origins[field].startswith(("flag ", "variable "))
        if insisted or merged.get(field) is None:
            merged[field] = getattr(loaded.config, field)
    return PackOptions.model_validate(merged)


def _table(loaded: Loaded, name: str) -> PackOptions | None:
    """A pack's table; variables spell every name in lower case."""
    packs = loaded.config.packs
    return packs.get(name) or packs.get(name.lower())


def _united(values: list[Any]) -> object:
    """What one option's values, least important first, come to."""
    if isinstance(values[-1], tuple):
        return tuple(dict.fromkeys(item for one in values for item in one))
    if isinstance(values[-1], dict):
        return {name: text for one in values for name, text in one.items()}
    return values[-1]


def check_pack_names(loaded: Loaded, names: Iterable[str]) -> None:
    """Raise `ConfigError` when a `[packs.NAME]` table, or a variable for one, is for a pack that there is not."""
    known = sorted(names)
    for table in loaded.config.packs:
        if table in known or table in map(str.lower, known):
            continue
        key = _dotted(("packs", table))
        origin = next(origin for leaf, origin in loaded.origins.items() if leaf == key or leaf.startswith(f"{key}."))
        variable = origin.removeprefix("variable ") if origin.startswith("variable ") else ""
        what = f"there is no pack {table}{_did_you_mean(table, known)}"
        file = loaded.file.name if loaded.file else FILE_NAME
        raise ConfigError(what, where=variable or f"{file}: {key}", hint=f"the packs are: {', '.join(known)}")


# ---------------------------------------------------------------- refusals


def _refusal(error: ValidationError, prefix: Key, place: Callable[[Key], str], *, shows_key: bool = False) -> ConfigError:
    """All that is wrong, one line for each key: the first line is the error's own, with its place in `where`."""
    problems: dict[Key, tuple[str, str]] = {}
    for detail in error.errors(include_url=False):
        key = (*prefix, *map(str, detail["loc"]))
        unknown = detail["type"] == "extra_forbidden"
        key = key if unknown else key[: _depth(key)]
        text = _unknown(key) if unknown else _bad_value(key, detail["input"])
        name = f"{_dotted(key[len(prefix) :])}: " if shows_key else ""
        problems.setdefault(key, (place(key), f"{name}{text}"))
    (where, what), *others = problems.values()
    lines = [what, *(f"{other}: {text}" for other, text in others)]
    return ConfigError("\n".join(lines), where=where, hint=_hint(next(iter(problems)), what))


def _hint(key: Key, what: str) -> str:
    return f"the keys there are: {', '.join(_known(key))}" if what.startswith("unknown") else "give it an accepted value"


def _depth(key: Key) -> int:
    """How many parts of an error's location are keys; what follows is an index or a member of a union."""
    length = _OPTION_LENGTH.get(key[0], 1)
    return length + 1 if key[0] != "module_map" and _is_table(_field(key[:length])) else length


def _bad_value(key: Key, given: object) -> str:
    field = _field(key)
    shown = json.dumps(given, ensure_ascii=False, default=str)
    return f"given {shown if len(shown) <= 80 else shown[:77] + '...'}, accepted: {_accepted(field)}"


def _unknown(key: Key) -> str:
    known = _known(key)
    if key[-1] not in known and key[-1] in (*BuildConfig.model_fields, *PackOptions.model_fields):
        home = "above the first table" if len(key) > 1 else "in [pack] or [packs.NAME]"
        return f"unknown key here, it belongs {home}"
    return f"unknown key{_did_you_mean(key[-1], known)}"


def _known(key: Key) -> tuple[str, ...]:
    """The keys that may stand where a key stands."""
    return tuple(BuildConfig.model_fields if len(key) == 1 else PackOptions.model_fields)


def _did_you_mean(name: str, known: Iterable[str], start: str = "") -> str:
    """A suggestion to append to a message, each of the known names preceded by `start`; empty when none is close."""
    from difflib import get_close_matches

    by_case = {one.lower(): one for one in sorted(known)}
    close = get_close_matches(name.lower().replace("-", "_"), by_case, n=1)
    return f", did you mean {start}{by_case[close[0]]}?" if close else ""


def _suggested_variable(variable: str) -> str:
    in_pack = "__" in variable
    start = f"{variable.rpartition('__')[0]}__" if in_pack else PREFIX
    options = PackOptions.model_fields if in_pack else BuildConfig.model_fields
    return _did_you_mean(variable.removeprefix(start), map(str.upper, options), start)


# ---------------------------------------------------------------- what the fields say about themselves


def _field(key: Key) -> FieldInfo:
    """The option that a key belongs to."""
    length = _OPTION_LENGTH.get(key[0], 1)
    in_pack = key[0] in ("pack", "packs") and len(key) >= length
    return PackOptions.model_fields[key[length - 1]] if in_pack else BuildConfig.model_fields[key[0]]


def _is_table(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is dict or field.annotation is PackOptions


def _accepted(field: FieldInfo) -> str:
    return next(note.words for note in field.metadata if isinstance(note, Accepts))


def _default(field: FieldInfo) -> str:
    """A default in the words of a flag: `build`, `hex`, `false`."""
    default = field.get_default(call_default_factory=True)
    if default is None:
        return next((note.words for note in field.metadata if isinstance(note, Unset)), "as project-wide")
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ",".join(default)
    return f"{default:g}" if isinstance(default, float) else str(default or "")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _dotted(key: Key) -> str:
    """A key path as TOML writes it."""
    return ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part, ensure_ascii=False) for part in key)


@value()
class Flag:
    """One option as a flag: its field's name, its kind (a `bool` has a negative, `--no-name`) and the words for the help."""

    name: str
    kind: Literal["bool", "text", "choice"]
    choices: tuple[str, ...]
    help: str
    metavar: str
    default: str

    @property
    def option(self) -> str:
        """The flag as it is typed: `--build-dir`."""
        return _option(self.name)

    @property
    def negative(self) -> str:
        """The flag that says no, `--no-verify`; empty when the option is no boolean."""
        return _option(f"no_{self.name}") if self.kind == "bool" else ""


def flags() -> tuple[Flag, ...]:
    """The options that are flags too, in the order of their fields."""
    return tuple(
        _flag(name, field, note)
        for name, field in BuildConfig.model_fields.items()
        for note in field.metadata
        if isinstance(note, OnCommandLine)
    )


def _flag(name: str, field: FieldInfo, note: OnCommandLine) -> Flag:
    kind: Literal["bool", "text", "choice"] = "text"
    if isinstance(field.default, bool):
        kind = "bool"
    elif get_origin(field.annotation) is Literal:
        kind = "choice"
    choices = tuple(get_args(field.annotation)) if kind == "choice" else ()
    text = field.description or ""
    return Flag(name=name, kind=kind, choices=choices, help=text, metavar=note.metavar, default=_default(field))


# ---------------------------------------------------------------- generated files


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `monopack.toml`, as plain JSON values."""
    generated = _tidy(BuildConfig.model_json_schema())
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": FILE_NAME,
        "description": "The configuration of monopack.",
    }
    return {**head, **{name: item for name, item in generated.items() if name not in head}}


def _tidy(node: Any) -> Any:
    """Take away what TOML does not have (null), what says a thing twice, and what docstrings say to programmers."""
    if isinstance(node, list):
        return [_tidy(item) for item in node if item != {"type": "null"}]
    if not isinstance(node, dict):
        return node
    kept = {
        name: _tidy(item)
        for name, item in node.items()
        if not (name == "title" and isinstance(item, str)) and not (name == "default" and item is None)
    }
    if "const" in kept:
        return {"const": kept["const"]}
    if isinstance(kept.get("description"), str):
        kept["description"] = kept["description"].split("\n\n")[0]
    for group in ("anyOf", "allOf"):
        if isinstance(kept.get(group), list) and len(kept[group]) == 1:
            kept = {**kept.pop(group)[0], **kept}
    return kept


def reference() -> str:
    """The page of the reference that lists every option, as Markdown."""
    projects = [_row(name, field) for name, field in BuildConfig.model_fields.items() if name not in ("pack", "packs")]
    packs = [_pack_row(name, field) for name, field in PackOptions.model_fields.items()]
    return _PAGE.format(projects="\n".join(projects), packs="\n".join(packs))


def _row(name: str, field: FieldInfo) -> str:
    flag = next((flag for flag in flags() if flag.name == name), None)
    typed = f"`{flag.option}`" if flag else ""
    typed += f" `{flag.negative}`" if flag and flag.negative else ""
    return _cells(f"`{name}`", typed, f"`{PREFIX}{name.upper()}`", *_last_cells(field))


def _pack_row(name: str, field: FieldInfo) -> str:
    return _cells(f"`{name}`", *_last_cells(field))


def _last_cells(field: FieldInfo) -> tuple[str, str, str]:
    default = _default(field)
    words = field.get_default(call_default_factory=True) is None or not default
    return (default if words else f"`{default}`") or "empty", _accepted(field), field.description or ""


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


_PAGE = """\
<!-- Generated from monopack/config.py by `python tests/test_generated.py`. -->
# Configuration

A flag counts before a `MONOPACK_*` variable, a variable before `monopack.toml`, and that before the default. The file is the one
that `--config` or `MONOPACK_CONFIG` names, else the nearest `monopack.toml` in the current folder or above; its folder is the
project root. Without a file the parent of the packs folder is the project root.

## Options of the project

| key | flag | variable | default | takes | what it does |
|---|---|---|---|---|---|
{projects}

Paths in flags and variables are relative to the current folder, paths in `monopack.toml` to that file. `source_roots` are always
relative to the project root. Defaults are relative to the project root; without a file, `packs` is one of the current folder.

## Options of a pack

These stand in `[pack]` (for every pack), in `[packs.NAME]` and in the managed block of a pack's file, which counts most. Lists
are united, `env` and `test_env` are merged key by key, everything else is overridden. A flag or variable for `verify` or
`skip_tests` counts before all of these.

| key | default | takes | what it does |
|---|---|---|---|
{packs}

In the environment they are `MONOPACK_PACK__KEY` and `MONOPACK_PACKS__NAME__KEY`, and `MONOPACK_PACK__ENV__NAME` for one entry
of a table. Packs and keys are found in any case there; the names in `module_map`, `env` and `test_env` keep theirs.

## Values in flags and variables

* Booleans are `1`, `true`, `yes`, `on` or `0`, `false`, `no`, `off`, in any case.
* Lists are separated by commas, or a JSON list.
* A whole table is a JSON object.
* An empty variable counts as unset.

A variable that begins with `MONOPACK_` and is no option is ignored with a warning. An unknown key in `monopack.toml` or in a
managed block is an error.

## Example

```toml
#:schema ./schemas/monopack.schema.json
build_dir = "dist"
sha_output = ["hex", "b64"]

[module_map]
cv2 = "opencv-python-headless"

[pack]
handler = "lambda_handler"

[packs.users_get]
extra_modules = ["app.hidden.runtime_dep"]
include = ["app/templates/**"]
```
"""
