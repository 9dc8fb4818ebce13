"""What is missing from a pack, and the lists of its managed block that name it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from monopack.errors import ConfigError
from monopack.model import value

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Array


@value()
class Extras:
    """Entries of a managed block: `modules` are dotted first-party names, `distributions` names of pins; false when empty."""

    modules: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.modules or self.distributions)

    def __str__(self) -> str:
        return ", ".join((*self.modules, *self.distributions))


def united(parts: Iterable[Extras]) -> Extras:
    """The entries of several extras, sorted and without repeats."""
    every = tuple(parts)
    modules = {module for part in every for module in part.modules}
    distributions = {distribution for part in every for distribution in part.distributions}
    return Extras(modules=tuple(sorted(modules)), distributions=tuple(sorted(distributions)))


def edit(document: TOMLDocument, add: Extras, where: str) -> bool:
    """Add what is not there yet to the lists of a block's TOML, in place; whether there was anything to add.

    Raises `ConfigError` at `where` for a value that is no list of strings.
    """
    modules = _entries(document, "extra_modules", where)
    distributions = _entries(document, "extra_distributions", where)
    known = {canonicalize_name(name) for name in distributions}
    new_modules = [name for name in add.modules if name not in modules]
    new_distributions = [name for name in add.distributions if canonicalize_name(name) not in known]
    for key, entries, new in (
        ("extra_modules", modules, new_modules),
        ("extra_distributions", distributions, new_distributions),
    ):
        _extend(entries, new)
        if new and key not in document:
            document[key] = entries
    return bool(new_modules or new_distributions)


def _entries(document: TOMLDocument, key: str, where: str) -> Array:
    """The list as it stands in the document, or a new one; a string of names with commas becomes a list there."""
    import tomlkit
    from tomlkit.items import Array

    found = document.get(key)
    if isinstance(found, str) and not found.lstrip().startswith("["):
        made = tomlkit.array()
        made.extend(name.strip() for name in found.split(",") if name.strip())
        document[key] = made
        return made
    if found is None:
        return tomlkit.array()
    if not isinstance(found, Array) or not all(isinstance(entry, str) for entry in found):
        raise ConfigError(f"{key} is not a list of strings", where=where, hint=f'write {key} = ["..."]')
    return found


def _extend(entries: Array, new: Sequence[str]) -> None:
    """Append to a list; where a comment after the last entry would swallow what tomlkit appends, put it first."""
    trial = _read(entries.as_string())
    trial.extend(new)
    if _reads_as(trial.as_string(), trial.unwrap()):
        entries.extend(new)
        return
    for entry in reversed(new):
        entries.insert(0, entry)


def _reads_as(text: str, entries: list[str]) -> bool:
    from tomlkit.exceptions import TOMLKitError

    try:
        return bool(_read(text).unwrap() == entries)
    except TOMLKitError:
        return False


def _read(text: str) -> Array:
    import tomlkit
    from tomlkit.items import Array

    found = tomlkit.parse(f"entries = {text}\n")["entries"]
    assert isinstance(found, Array)
    return found
