"""The options of one pack: its managed block, its table and the defaults of every pack, merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from monopack.config.keys import FILE_NAME, Key, dotted
from monopack.config.loading import Loaded
from monopack.config.options import PackOptions
from monopack.config.refusals import did_you_mean, refusal
from monopack.errors import ConfigError


def pack_options(loaded: Loaded, name: str, block: Mapping[str, object], where: str) -> PackOptions:
    """The options of one pack: its managed block before `[packs.NAME]` before `[pack]` before the defaults.

    Lists are united (the defaults' entries first, none twice), tables of strings are merged, everything else is overridden. A
    flag or variable for `target`, `compression`, `verify` or `skip_tests` beats all of them; all four are set in the result.
    `block` holds plain TOML values, `where` is its place (`packs/users_get.py:3`). Raises `ConfigError` there when the block
    cannot be used.
    """
    try:
        own = PackOptions.model_validate(block)
    except ValidationError as error:
        raise refusal(error, ("pack",), lambda _: where, shows_key=True) from None
    tables = [table for table in (loaded.config.pack, table_of(loaded, name), own) if table]
    merged = {
        field: _united([getattr(table, field) for table in tables if field in table.model_fields_set])
        for field in set().union(*(table.model_fields_set for table in tables))
    }
    for field in ("target", "compression", "verify", "skip_tests"):
        if insisted(loaded, field) or merged.get(field) is None:
            merged[field] = getattr(loaded.config, field)
    return PackOptions.model_validate(merged)


def insisted(loaded: Loaded, field: str) -> bool:
    """Whether an option was given for this run, by a flag or a variable."""
    return loaded.origins[field].startswith(("flag ", "variable "))


def table_key(loaded: Loaded, name: str) -> Key:
    """The key of a pack's table, whether or not there is one; variables spell every name in lower case."""
    return ("packs", name if name in loaded.config.packs else name.lower())


def table_of(loaded: Loaded, name: str) -> PackOptions | None:
    """A pack's table."""
    return loaded.config.packs.get(table_key(loaded, name)[1])


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
        key = dotted(("packs", table))
        origin = next(origin for leaf, origin in loaded.origins.items() if leaf == key or leaf.startswith(f"{key}."))
        variable = origin.removeprefix("variable ") if origin.startswith("variable ") else ""
        what = f"there is no pack {table}{did_you_mean(table, known)}"
        file = loaded.file.name if loaded.file else FILE_NAME
        raise ConfigError(what, where=variable or f"{file}: {key}", hint=f"the packs are: {', '.join(known)}")
