"""What is missing from a pack, and the lists of its managed block that name it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from monopack.errors import ConfigError
from monopack.model import Failure, value

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


def propose(failures: Iterable[Failure], ours: Callable[[str], bool], provider: Callable[[str], str]) -> Extras:
    """The extras that may repair all `failures` at once, each tuple sorted and without repeats; empty where nothing can.

    `ours` says of a dotted module name whether it is first-party; `provider` gives the canonical name (PEP 503) of the pin that
    provides it, or an empty string.
    """
    missing = {failure.missing for failure in failures if failure.missing}
    modules = {module for module in missing if ours(module)}
    distributions = {provider(module) for module in missing - modules} - {""}
    return Extras(modules=tuple(sorted(modules)), distributions=tuple(sorted(distributions)))


def edit(document: TOMLDocument, add: Extras, remove: Extras, where: str) -> bool:
    """Change the lists of a block's TOML in place; whether there was anything to change. What is in both extras stays.

    Raises `ConfigError` at `where` for a value that is no list of strings.
    """
    modules = _edit(document, "extra_modules", (add.modules, remove.modules), str, where)
    distributions = _edit(document, "extra_distributions", (add.distributions, remove.distributions), canonicalize_name, where)
    return modules or distributions


def _edit(
    document: TOMLDocument, key: str, change: tuple[Sequence[str], Sequence[str]], same: Callable[[str], str], where: str
) -> bool:
    """Add and remove entries of one list, where entries are equal when they are the `same`."""
    entries = _entries(document, key, where)
    wanted = {same(name): name for name in change[0]}
    unwanted = {same(name) for name in change[1]} - set(wanted)
    gone = [entry for entry in entries if same(entry) in unwanted]
    for entry in gone:
        entries.remove(entry)
    present = {same(entry) for entry in entries}
    new = [name for spelled, name in wanted.items() if spelled not in present]
    entries.extend(new)
    if new and key not in document:
        document[key] = entries
    elif gone and not entries:
        del document[key]
    return bool(new or gone)


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
