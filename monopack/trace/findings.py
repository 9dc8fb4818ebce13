"""What the rules find in a file: the imports, data, metadata and strings that it names, and what cannot be told."""

from __future__ import annotations

from monopack.model import value


@value()
class Reference:
    """One name that a file imports, as written.

    `name` is dotted and may be empty (`from . import x`); `level` counts leading dots, from the package `anchor` where one is
    named, else from the file's own; `attribute` is what follows `from X import` (`*` for a star). `lazy` says that it does not
    (surely) run when the module is imported, `optional` that the code copes when it fails, `dynamic` that a call makes it.
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
    rule: str = ""

    @property
    def written(self) -> str:
        """The name with its dots."""
        return "." * self.level + self.name


Finding = Reference
