"""The names of options: key paths, how the file, flags and variables spell them, and the field that each belongs to."""

from __future__ import annotations

import json
import re
from typing import get_origin

from pydantic.fields import FieldInfo

from monopack.config.options import BuildConfig, PackOptions

FILE_NAME = "monopack.toml"
PREFIX = "MONOPACK_"
CONFIG_VARIABLE = "MONOPACK_CONFIG"

Key = tuple[str, ...]  # the path of a key: ("packs", "users_get", "handler")


def _option_length(key: Key) -> int:
    """How many parts of a key lead down to the option, or to the entry of a table."""
    return {"pack": 2, "packs": 3, "module_map": 2, "import_rules": 2}.get(key[0], 1)


def field_of(key: Key) -> FieldInfo:
    """The field of the option that a key, or a table's entry, belongs to. Raises `KeyError` when there is none."""
    length = _option_length(key)
    in_pack = key[0] in ("pack", "packs") and len(key) >= length
    return PackOptions.model_fields[key[length - 1]] if in_pack else BuildConfig.model_fields[key[0]]


def is_table(field: FieldInfo) -> bool:
    """Whether an option is a table in TOML."""
    return get_origin(field.annotation) is dict or field.annotation is PackOptions


def is_whole_table(key: Key) -> bool:
    """Whether a key is a table itself, not an entry of one (`pack.env`, not `pack.env.TZ`)."""
    return len(key) in (1, _option_length(key)) and is_table(field_of(key))


def depth(key: Key) -> int:
    """How many parts of an error's location are keys; what follows is an index or a member of a union."""
    length = _option_length(key)
    return length + 1 if key[0] not in ("module_map", "import_rules") and is_table(field_of(key[:length])) else length


def known_keys(key: Key) -> tuple[str, ...]:
    """The keys that may stand where a key stands."""
    return tuple(BuildConfig.model_fields if len(key) == 1 else PackOptions.model_fields)


def flag_name(name: str) -> str:
    """The flag of a field, as it is typed: `--build-dir` for `build_dir`."""
    return f"--{name.replace('_', '-')}"


def dotted(key: Key) -> str:
    """A key path as TOML writes it."""
    return ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part, ensure_ascii=False) for part in key)
