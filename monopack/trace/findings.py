"""What the rules find in a file: the imports, data, metadata and strings that it names, and what cannot be told.

There are many of them, and they are kept as rows: named tuples are read back at a tenth of what other values cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Reference(NamedTuple):
    """One name that a file imports, as written.

    `name` is dotted and may be empty (`from . import x`); `level` counts leading dots, from the package `anchor` where one is
    named, else from the file's own; `attribute` is what follows `from X import` (`*` for a star). `lazy` says that it does not
    (surely) run when the module is imported, `optional` that the code copes when it fails, `dynamic` that a call makes it.
    `behind` is the name of this module that stands for it, where it is imported only when somebody asks for that name (PEP 562);
    `rule` is the name of the rule that found it.
    """

    name: str
    line: int
    level: int = 0
    anchor: str = ""
    attribute: str = ""
    lazy: bool = False
    optional: bool = False
    dynamic: bool = False
    behind: str = ""
    rule: str = ""

    @property
    def written(self) -> str:
        """The name with its dots."""
        return "." * self.level + self.name


class Matching(NamedTuple):
    """All modules whose names match: a reference whose `name` holds `*` for anything, or `?` for one part of a dotted name."""

    reference: Reference
    line: int
    lazy: bool = True
    optional: bool = False
    rule: str = ""


class Remark(NamedTuple):
    """Something that the user has to know about a line: what cannot be told there, or what is wrong with it."""

    text: str
    line: int
    lazy: bool = True
    optional: bool = False
    rule: str = ""


class Spot(NamedTuple):
    """A place in the project as code spells it.

    `path` (POSIX, may begin with `..`) counts from the folder of the file that spells it; or, where `start` names a module, from
    that module's folder; or, where `start` names something else that a module has, from what it stands for there. A part
    `__file__` is the module's own file. `computed` says that more follows, which only running the code would tell.
    """

    start: str = ""
    path: str = "."
    computed: bool = False


class Data(NamedTuple):
    """A file or folder that code reads. `lazy`, `optional` and `rule` as of a `Reference`."""

    spot: Spot
    line: int
    lazy: bool = True
    optional: bool = False
    rule: str = ""


class Needed(NamedTuple):
    """Metadata that a file reads: that of the distribution of a name (as written), or of all that have entry points in a group.

    `lazy`, `optional` and `rule` are as in `Reference`.
    """

    line: int
    distribution: str = ""
    group: str = ""
    lazy: bool = False
    optional: bool = False
    rule: str = ""


class Mention(NamedTuple):
    """A whole string that looks like the dotted name of a module, or of what one has: `app.x`, `app.x.Y`, `app.x:handler`."""

    name: str
    line: int
    lazy: bool = True
    optional: bool = True
    rule: str = ""


class App(NamedTuple):
    """A package that is installed as an app of Django, which imports modules of it by their names."""

    name: str
    line: int
    lazy: bool = True
    optional: bool = True
    rule: str = ""


Finding = Reference | Matching | Remark | Data | Mention | Needed | App


def by_type(findings: Iterable[Finding]) -> Mapping[type, list[Any]]:
    """Findings by what they are, in their order."""
    found: dict[type, list[Any]] = {}
    for each in findings:
        found.setdefault(type(each), []).append(each)
    return found
