"""Which modules a wheel provides, from the paths it installs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

EXTENSION = re.compile(r"(?P<stem>[^.]+)(\.(cpython|pypy|graalpy|abi3|cp\d)[\w-]*)?\.(so|pyd)")


def modules(paths: Iterable[str], shared_inits: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The dotted names of all modules among installed `paths`, and of the namespaces they lie in.

    A namespace is a folder above a module without an `__init__` of its own (PEP 420), or one whose `__init__.py` is among
    `shared_inits` (paths); such a package is not among the modules.
    """
    shared = {_dotted(path) for path in shared_inits}
    provided = {name for path in paths if (name := _dotted(path))}
    above = {parent for name in provided for parent in _parents(name)}
    return frozenset(provided - shared), frozenset((above - provided) | (shared & provided))


def _dotted(path: str) -> str:
    """The module that a file is, or an empty text."""
    *folders, name = PurePosixPath(path).parts
    extension = EXTENSION.fullmatch(name)
    stem = extension["stem"] if extension else name.removesuffix(".py") if name.endswith(".py") else ""
    parts = folders if stem == "__init__" else [*folders, stem]
    return ".".join(parts) if all(part.isidentifier() for part in parts) else ""


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]
