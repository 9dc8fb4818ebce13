"""Where each entry of the lists that decide what a pack holds stands: the table, variable or managed block, with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator

from monopack.block import content, decoded
from monopack.config.keys import FILE_NAME, Key, dotted
from monopack.config.loading import Loaded
from monopack.config.options import PackOptions
from monopack.config.packs import table_key, table_of
from monopack.model import ConfigEntry, Evidence, Pack

LISTS = ("extra_modules", "extra_distributions", "test_distributions", "exclude_distributions", "include", "exclude")

Numbered = Iterable[tuple[int, str]]  # lines of a file


def entries(loaded: Loaded, pack: Pack) -> tuple[ConfigEntry, ...]:
    """Every entry of a pack's lists and of `[module_map]`; of several places that name one, the pack's own comes first."""
    file = list(enumerate(loaded.file.read_text("utf-8-sig").split("\n"), 1)) if loaded.file else []
    block = _block(loaded, pack)
    found: dict[tuple[str, str], Evidence] = {}
    for option, entry in _listed(PackOptions.model_validate(pack.block)):
        line = _line(block, option, entry) or pack.block_line
        found[option, entry] = Evidence(file=pack.path, line=line)
    for key, table in ((table_key(loaded, pack.name), table_of(loaded, pack.name)), (("pack",), loaded.config.pack)):
        for option, entry in _listed(table):
            found.setdefault((option, entry), _place(loaded, file, (*key, option), entry))
    for name in loaded.config.module_map:
        found["module_map", name] = _place(loaded, file, ("module_map", name), name)
    return tuple(ConfigEntry(option=option, entry=entry, evidence=place) for (option, entry), place in found.items())


def _listed(options: PackOptions | None) -> Iterator[tuple[str, str]]:
    """The entries of all lists of a table."""
    return ((option, entry) for option in LISTS for entry in (getattr(options, option) if options else ()))


def _block(loaded: Loaded, pack: Pack) -> Numbered:
    """The lines of a pack's managed block, without their comment signs."""
    if not pack.block_line:
        return []
    lines, start = content(decoded((loaded.root / pack.path).read_bytes()), pack.path)
    return list(enumerate(lines, start + 1))


def _place(loaded: Loaded, file: Numbered, key: Key, entry: str) -> Evidence:
    """The variable or line of the config file that sets an option, or an entry of it."""
    kind, _, name = loaded.origins.get(dotted(key), "").partition(" ")
    if kind == "variable":
        return Evidence(file=name, line=0)
    return Evidence(file=loaded.file.name if loaded.file else FILE_NAME, line=_line(_table(file, key[:-1]), key[-1], entry))


def _table(file: Numbered, key: Key) -> Numbered:
    """The lines of one table of a TOML file."""
    inside = False
    for number, line in file:
        if (header := _header(line)) is not None:
            inside = header == key
        elif inside:
            yield number, line


def _header(line: str) -> Key | None:
    """The key of a line that begins a table."""
    try:
        table = tomllib.loads(line.strip()) if line.lstrip().startswith("[") else None
    except tomllib.TOMLDecodeError:
        return None
    if table is None:
        return None
    key: list[str] = []
    while isinstance(table, dict) and table:
        key.append(next(iter(table)))
        table = table[key[-1]]
    return tuple(key)


def _line(lines: Numbered, key: str, entry: str) -> int:
    """The line that holds an entry in quotes at or below its key, else that of the key; 0 where the key begins no line."""
    begin = 0
    for number, line in lines:
        opening = re.match(r"""\s*["']?(?P<key>[^"'#=]+?)["']?\s*[=:]""", line)
        if opening and begin:
            return begin
        if opening and opening["key"] == key:
            begin = number
        if begin and (f'"{entry}"' in line or f"'{entry}'" in line):
            return number
    return begin
