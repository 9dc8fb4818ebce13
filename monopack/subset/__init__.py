"""The room that writes what a pack ships as a lock of its own: a file of another tool's format, for exactly those wheels.

`requirements` is pip's format with hashes, `pylock` the lock file of PEP 751. Both only think; no URL in them has credentials.
"""

from __future__ import annotations

from monopack.subset.pylock import pylock
from monopack.subset.requirements import requirements

__all__ = ["pylock", "requirements"]
