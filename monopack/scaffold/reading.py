"""Reading the files of a project; what cannot be read says nothing."""

from __future__ import annotations

import logging
import tomllib
from pathlib import Path
from typing import Any

from monopack.model import value
from monopack.scaffold.values import Layout

log = logging.getLogger(__name__)


@value()
class Project:
    """A project's absolute root, and what is known of its layout; the paths of its files are relative to the root."""

    root: Path
    layout: Layout

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        try:
            return (self.root / path).read_bytes() if path in self.layout.files else b""
        except OSError as problem:
            log.debug("%s: %s", path, problem.strerror)
            return b""

    def text(self, path: str) -> str:
        """The text of a file in UTF-8."""
        return self.read(path).decode("utf-8-sig", errors="replace")

    def toml(self, path: str) -> dict[str, Any]:
        """The tables of a TOML file."""
        try:
            return tomllib.loads(self.text(path))
        except (tomllib.TOMLDecodeError, RecursionError) as problem:
            log.debug("%s: %s", path, problem)
            return {}


def table(tables: object, *keys: str) -> dict[str, Any]:
    """The table at a key path in TOML tables; an empty one when there is none."""
    for key in keys:
        tables = tables.get(key) if isinstance(tables, dict) else None
    return tables if isinstance(tables, dict) else {}
