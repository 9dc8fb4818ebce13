"""Whether a first-party module may have a name, as far as the sources of those that a pack reaches tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from monopack.model import value
from monopack.trace.meaning import Meaning
from monopack.trace.names import Names
from monopack.trace.sources import SourceTree

UNKNOWN = Names()


@value()
class Having:
    """What is known of the modules that a pack reaches, by their files: their names, and the modules they take all names from
    (`bases`; an empty string stands for one of others). Both grow while imports are followed.
    """

    names: Mapping[str, Names]
    bases: Mapping[str, Sequence[str]]
    tree: SourceTree

    def near(self, meaning: Meaning) -> str:
        """What is there in the place of a name that is not: a native module for another target, or a name nearly alike."""
        names = self.names.get(meaning.holder, UNKNOWN)
        close = get_close_matches(meaning.attribute, sorted({*names.bound, *names.exported}), n=1)
        return self.tree.foreign(meaning.dotted) or "".join(close)

    def may_have(self, meaning: Meaning) -> bool:
        """Whether a module may have a name, its own or by `from ... import *`."""
        name, waiting = meaning.attribute, [meaning.holder]
        seen: set[str] = set()
        while waiting:
            path = waiting.pop()
            if self._shows(path, name):
                return True
            seen.add(path)
            waiting.extend(base for base in self.bases.get(path, ()) if base not in seen)
        return False

    def _shows(self, path: str, name: str) -> bool:
        """Whether a module may have a name by what its own source says, or because a submodule is called so."""
        names = self.names.get(path, UNKNOWN)
        if names.open or name.startswith("__") or not names.bound.isdisjoint({name, "__getattr__"}) or name in names.exported:
            return True
        return self.tree.locate(f"{self.tree.module(path)}.{name}") is not None
