"""Small facts that the store keeps beside the wheels, each in a file of its own that knows whether it is whole.

Any of them may be lost or thrown away at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

Fact = TypeVar("Fact")


def load(file: Path, read: Callable[[dict[str, Any]], Fact]) -> Fact | None:
    """What `read` makes of the values that were kept, if the file holds what was written; else None."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        digest, _, text = file.read_text("utf-8").partition("\n")
        if digest == hashlib.sha256(text.encode()).hexdigest():
            return read(json.loads(text))
    return None


def keep(file: Path, fact: Mapping[str, object]) -> None:
    """Write values in place of those that were kept before; a folder that cannot be written keeps nothing."""
    with contextlib.suppress(OSError):
        write(file, fact)


def write(file: Path, fact: Mapping[str, object]) -> None:
    """Write values in place of those that were kept before. Raises `OSError`."""
    text = json.dumps(fact, separators=(",", ":"), sort_keys=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    place(file, f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")


def place(file: Path, text: str) -> None:
    """Put a file in place, whole. Raises `OSError`."""
    with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=".new-", delete=False, encoding="utf-8") as new:
        new.write(text)
    Path(new.name).replace(file)
