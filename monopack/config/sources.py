"""Flags, variables and the file, each as a layer."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from monopack.config.keys import CONFIG_VARIABLE, FILE_NAME, PREFIX, Key, dotted, flag_name, is_table, is_whole_table
from monopack.config.kinds import Text
from monopack.config.layers import Layer, layer_of, leaves
from monopack.config.options import BuildConfig, PackOptions
from monopack.config.refusals import did_you_mean
from monopack.errors import ConfigError

log = logging.getLogger(__name__)


def flag_layer(flags: Mapping[str, object]) -> Layer:
    """The layer of flags, by their fields' names; None stands for a flag that was not given."""

    def given() -> Iterator[tuple[Key, object, str]]:
        for name, item in flags.items():
            if item is not None:
                text = Text(item) if isinstance(item, str | PurePath) else item
                yield (name,), text, flag_name(name if item is not False else f"no_{name}")

    return layer_of("flag", given())


def read(file: Path) -> dict[str, Any]:
    """The file's plain values; TOML 1.0, UTF-8 with or without a byte order mark. Raises `ConfigError` for any other file."""
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
        text = data.decode("utf-8-sig").splitlines()[line - 1 : line] if line else []
        raise ConfigError(f"not valid TOML: {what}", where=where, hint=_correction("".join(text))) from None


def _correction(line: str) -> str:
    """What to do about a line that is not TOML: most often it is a text without quotes."""
    bare = re.fullmatch(r"\s*([\w.-]+)\s*=\s*([A-Za-z_./~][^\s\"'#]*)\s*", line)
    return f'put the text into quotes: {bare[1]} = "{bare[2]}"' if bare else "correct that line"


def file_layer(file: Path | None, document: dict[str, Any]) -> Layer:
    """The layer of a file's plain values."""
    name = file.name if file else FILE_NAME
    return layer_of("", ((key, item, f"{name}: {dotted(key)}") for key, item in leaves((), document)))


def variable_layer(environ: Mapping[str, str], document: Mapping[str, Any]) -> tuple[Layer, tuple[str, ...]]:
    """The layer of `MONOPACK_*` variables, and a warning for each that is no option; an empty variable counts as unset.

    `document` is what the file says: packs are spelled as there.
    """
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
    return layer_of("variable", given), tuple(warnings)


def _tables(document: Mapping[str, Any]) -> Iterable[str]:
    packs = document.get("packs")
    return packs if isinstance(packs, dict) else ()


def _suggested_variable(variable: str) -> str:
    in_pack = "__" in variable
    start = f"{variable.rpartition('__')[0]}__" if in_pack else PREFIX
    options = PackOptions.model_fields if in_pack else BuildConfig.model_fields
    return did_you_mean(variable.removeprefix(start), map(str.upper, options), start)


def _variable_key(rest: str) -> Key | None:
    """The key that a variable sets, by its name without the prefix; None when there is no such option.

    Names of options and packs count in any case; the keys of `module_map`, `import_rules`, `env` and `test_env` keep theirs.
    """
    head, _, tail = rest.partition("__")
    name = head.lower()
    if not tail:
        return (name,) if name in BuildConfig.model_fields else None
    if name in ("module_map", "import_rules"):
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
    if field is None or (inner and not is_table(field)):
        return None
    return (*table, head.lower(), *([inner] if inner else []))


def _table_or_text(key: Key, text: str) -> object:
    """A variable that sets a whole table holds a JSON object; any other is text."""
    if is_whole_table(key) and text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            log.debug("not a JSON object: the value of %s", dotted(key))
    return Text(text)
