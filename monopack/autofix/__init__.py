"""The room that repairs packs: from failures to extra modules and distributions, and those into a pack's managed block."""

from __future__ import annotations

from monopack.autofix.extras import Extras, united
from monopack.autofix.files import diff, read, save
from monopack.autofix.source import rewrite

__all__ = ["Extras", "diff", "read", "rewrite", "save", "united"]
