"""Tracing: from an entry module to every first-party file it reaches and every other import it makes.

`scan` reads and parses. What a file says: `flow` tells when its code runs, `guards` which conditions are decided before that,
`names` which names it has (`spelling`: how they are written), `values` what expressions may be worth (`scopes`, `tables`: by
what names hold), `paths` which places they stand for, `rules` how it can import and read, `pragmas` what its comments add. What
that means: `meaning` finds the files of an import, `extensions` those that are compiled, `reading` those that code reads, `walk`
follows the edges, `belongs` chooses a pack's tests. Only `scan` touches files, and `helpers`, which lets other processes parse
some of them; `walk` and `belongs` ask for what they want to read by yielding it. `written` are facts as text, to be kept.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TypeVar

from monopack.errors import PackError
from monopack.model import Reach, Target, TestPlan, Trace, TracedFile
from monopack.passed_over import passed_over
from monopack.trace.belongs import choose, is_test
from monopack.trace.helpers import Hands, processors
from monopack.trace.scan import (
    Memory,
    Scanner,
    by_pattern,
    imports_of,
    links,
    matching,
    quoted,
    survey,
    way_of_reading,
)
from monopack.trace.sources import PERHAPS_SECRET, Facts, SourceTree
from monopack.trace.walk import INCLUDE, Start, starts_of, usable, walk

__all__ = [
    "Hands", "Memory", "Scanner", "SourceTree", "Start", "by_pattern", "imports_of", "is_test", "links",
    "processors", "quoted", "survey", "tests_of", "trace", "way_of_reading",
]  # fmt: skip

Result = TypeVar("Result")


def trace(module: str, extra: tuple[Start, ...], include: tuple[str, ...], scanner: Scanner, target: Target) -> Trace:
    """Everything that `module` (dotted) reaches.

    `extra` are modules that the config adds, `include` glob patterns of project-relative files that ship as well; a `.py`
    file among them is traced. Raises `PackError` for a reached file that cannot be read or parsed, naming `file:line`.
    """
    links, _ = matching(replace(scanner.tree, files=scanner.tree.outside), include)
    if links:
        hint = "copy the file into the project, or narrow the include patterns"
        raise PackError("the include patterns match a link that leads out of the project", where=min(links), hint=hint)
    files, unmatched = matching(scanner.tree, include)
    tree = replace(scanner.tree, named=files & frozenset(include))
    starts = starts_of(module, extra, files, tree)
    traced = _drive(walk(module, starts, tree, target), scanner)
    unused = tuple(f"include pattern {pattern!r} matches no file{_unread(pattern)}" for pattern in unmatched)
    reached = {file.source.path for file in traced.files}
    data = [_data(scanner, path) for path in sorted(files - reached)]
    shipped = tuple(sorted((*data, *traced.files), key=lambda f: f.ships_as))
    return replace(traced, files=shipped, notes=(*traced.notes, *unused, *_wary(shipped, tree)))


def _unread(pattern: str) -> str:
    """Why a pattern matches no file, where it names a folder that is never read."""
    folder = next((part for part in pattern.split("/")[:-1] if passed_over(part) and part not in {".", ".."}), "")
    return f": monopack reads no folder like {folder}, so move what ships out of it" if folder else ""


def tests_of(traced: Trace, tests_dir: str, scanner: Scanner, target: Target) -> TestPlan:
    """The tests that belong to a traced pack, and what they need beside it. `tests_dir` is relative to the project."""
    return _drive(choose(traced, tests_dir, scanner.tree, target), scanner)


def _drive(steps: Generator[frozenset[str], dict[str, Facts], Result], scanner: Scanner) -> Result:
    """Hand a walk the files it asks for until it has its answer."""
    try:
        wanted = next(steps)
        while True:
            wanted = steps.send(scanner.read(wanted))
    except StopIteration as done:
        result: Result = done.value
        return result


def _wary(files: tuple[TracedFile, ...], tree: SourceTree) -> tuple[str, ...]:
    """What to say of data that ships though its name tells of secrets, unless the config names it in full."""
    return tuple(
        f"{file.because}: {file.source.path} ships, and by its name holds secrets; keep it out with exclude,"
        " or name it in full with include if it has to ship"
        for file in files
        if not file.module and file.source.path not in tree.named and PERHAPS_SECRET.fullmatch(PurePosixPath(file.ships_as).name)
    )


def _data(scanner: Scanner, path: str) -> TracedFile:
    """An included file that is not Python: it ships, and nothing follows from it."""
    facts = usable(scanner.read(frozenset({path}))[path], INCLUDE)
    ships_as = scanner.tree.ships_as(path)
    return TracedFile(source=facts.source, ships_as=ships_as, module="", reach=Reach.LAZY, because=INCLUDE)
