"""What pydantic finds wrong, as one `ConfigError` in the user's words; and "did you mean"."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from pydantic import ValidationError

from monopack.config.keys import Key, depth, dotted, field_of, known_keys
from monopack.config.kinds import accepted
from monopack.config.options import BuildConfig, PackOptions
from monopack.errors import ConfigError


def refusal(error: ValidationError, prefix: Key, place: Callable[[Key], str], *, shows_key: bool = False) -> ConfigError:
    """All that is wrong, one line for each key: the first line is the error's own, with its place in `where`.

    `prefix` leads to what was validated, `place` tells the place that holds a key; `shows_key` is for places that do not name it.
    """
    problems: dict[Key, tuple[str, str]] = {}
    for detail in error.errors(include_url=False):
        key = (*prefix, *map(str, detail["loc"]))
        unknown = detail["type"] == "extra_forbidden"
        key = key if unknown else key[: depth(key)]
        text = _unknown(key) if unknown else _bad_value(key, detail["input"])
        name = f"{dotted(key[len(prefix) :])}: " if shows_key else ""
        problems.setdefault(key, (place(key), f"{name}{text}"))
    (where, what), *others = problems.values()
    lines = [what, *(f"{other}: {text}" for other, text in others)]
    return ConfigError("\n".join(lines), where=where, hint=_hint(next(iter(problems)), what))


def _hint(key: Key, what: str) -> str:
    if "unknown key" not in what:
        return "give it an accepted value"
    if key[-1] in _all_keys():
        return "move it there"
    close = closest(key[-1], known_keys(key))
    return f"rename {key[-1]} to {close}" if close else f"the keys there are: {', '.join(known_keys(key))}"


def _bad_value(key: Key, given: object) -> str:
    field = field_of(key)
    shown = json.dumps(given, ensure_ascii=False, default=str)
    return f"given {shown if len(shown) <= 80 else shown[:77] + '...'}, accepted: {accepted(field)}"


def _unknown(key: Key) -> str:
    known = known_keys(key)
    if key[-1] in _all_keys():
        home = "above the first table" if len(key) > 1 else "in [pack] or [packs.NAME]"
        return f"unknown key here, it belongs {home}"
    return f"unknown key{did_you_mean(key[-1], known)}"


def _all_keys() -> set[str]:
    """The keys of all tables; one that is unknown where it stands belongs into another table."""
    return {*BuildConfig.model_fields, *PackOptions.model_fields}


def did_you_mean(name: str, known: Iterable[str], start: str = "") -> str:
    """A suggestion to append to a message, each of the known names preceded by `start`; empty when none is close."""
    close = closest(name, known)
    return f", did you mean {start}{close}?" if close else ""


def closest(name: str, known: Iterable[str]) -> str:
    """The one of the known names that a name is nearly, whatever its case and its hyphens; empty when none is close."""
    from difflib import get_close_matches

    by_case = {one.lower(): one for one in sorted(known)}
    close = get_close_matches(name.lower().replace("-", "_"), by_case, n=1)
    return by_case[close[0]] if close else ""
