"""One layer of values for each source, and which layer an option comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from monopack.config.keys import Key, dotted, is_table
from monopack.config.options import BuildConfig
from monopack.model import value


@value()
class Layer:
    """One source of values: nested as in TOML, and for the key path of each leaf the place that holds it."""

    kind: str  # "flag", "variable" or "" (a file)
    values: dict[str, Any]
    places: Mapping[Key, str]


def layer_of(kind: str, given: Iterable[tuple[Key, object, str]]) -> Layer:
    """Nest values by their key paths; each comes with the place that holds it."""
    values: dict[str, Any] = {}
    places = {}
    for key, item, place in given:
        for leaf, leaf_value in leaves(key, item):
            _put(values, leaf, leaf_value)
            places[leaf] = place
    return Layer(kind=kind, values=values, places=places)


def _put(values: dict[str, Any], key: Key, item: object) -> None:
    for part in key[:-1]:
        if not isinstance(values.get(part), dict):
            values[part] = {}
        values = values[part]
    values[key[-1]] = item


def leaves(key: Key, item: object) -> Iterator[tuple[Key, object]]:
    """All values below a key that are no tables, and empty tables."""
    if isinstance(item, dict) and (item or not key):
        for name, below in item.items():
            yield from leaves((*key, name), below)
    else:
        yield key, item


def place_of(layers: Iterable[Layer], key: Key) -> tuple[str, str]:
    """The kind and the place of the best layer that holds a key, something below it or a value above it."""
    for layer in layers:
        for leaf, place in layer.places.items():
            if leaf[: len(key)] == key or key[: len(leaf)] == leaf:
                return layer.kind, place
    return "", "default"


def source_of(origin: str) -> str:
    """The flag, variable or key that an origin names, as a person typed it: see `Loaded.origins`."""
    return origin.removeprefix("flag ").removeprefix("variable ")


def origins_of(layers: Iterable[Layer]) -> dict[str, str]:
    """Where each option comes from, by its dotted key; the layers come best first. See `Loaded.origins`."""
    names = (name for name, field in BuildConfig.model_fields.items() if not is_table(field))
    origins = dict.fromkeys(names, "default")
    for layer in reversed(tuple(layers)):
        origins |= {dotted(leaf): f"{layer.kind} {place}".lstrip() for leaf, place in layer.places.items()}
    return origins
