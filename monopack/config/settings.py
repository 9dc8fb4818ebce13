"""Every option with its value and where it came from, for people who wonder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from monopack.config.keys import dotted
from monopack.config.loading import Loaded
from monopack.config.options import BuildConfig, PackOptions
from monopack.config.packs import insisted, pack_options, table_key, table_of
from monopack.model import value


@value()
class Setting:
    """One option: its dotted key, its value as plain JSON values, and the places that it comes from, `default` for none."""

    key: str
    value: object
    origins: tuple[str, ...]


def project_settings(loaded: Loaded) -> tuple[Setting, ...]:
    """All options of the project, in the order of the reference; then what tables of pack options set."""
    values = loaded.config.model_dump(mode="json")
    own = (name for name in BuildConfig.model_fields if name not in ("pack", "packs"))
    settings = [Setting(key=name, value=values[name], origins=_origins(loaded, name)) for name in own]
    return (*settings, *_tables(loaded))


def pack_settings(loaded: Loaded, name: str, block: Mapping[str, object], where: str) -> tuple[Setting, ...]:
    """All options of one pack, as `pack_options` merges them. Raises `ConfigError` as that does."""
    merged = pack_options(loaded, name, block, where).model_dump(mode="json")
    sources = [
        (loaded.config.pack.model_fields_set, "pack"),
        (getattr(table_of(loaded, name), "model_fields_set", set()), dotted(table_key(loaded, name))),
    ]

    def origins(field: str) -> tuple[str, ...]:
        found = [_origins(loaded, f"{key}.{field}") for fields, key in sources if field in fields]
        found += [(where,)] if field in block else []
        project_wide = field in BuildConfig.model_fields
        if not found or (project_wide and insisted(loaded, field)):
            return _origins(loaded, field) if project_wide else ("default",)
        united = isinstance(merged[field], list | dict)
        return tuple(dict.fromkeys(place for places in (found if united else found[-1:]) for place in places))

    return tuple(Setting(key=field, value=merged[field], origins=origins(field)) for field in PackOptions.model_fields)


def _tables(loaded: Loaded) -> Iterator[Setting]:
    """The options that `[pack]` and `[packs.NAME]` set."""
    named = [(("packs", name), table) for name, table in loaded.config.packs.items()]
    for key, table in [(("pack",), loaded.config.pack), *named]:
        values = table.model_dump(mode="json")
        for field in PackOptions.model_fields:
            if field in table.model_fields_set:
                leaf = dotted((*key, field))
                yield Setting(key=leaf, value=values[field], origins=_origins(loaded, leaf))


def _origins(loaded: Loaded, key: str) -> tuple[str, ...]:
    """The places of an option, or of the entries of a table."""
    found = (origin for leaf, origin in loaded.origins.items() if leaf == key or leaf.startswith(f"{key}."))
    return tuple(dict.fromkeys(found)) or ("default",)
