"""The room that repairs packs: from failures to extra modules and distributions, and those into a pack's managed block."""

from __future__ import annotations

from monopack.autofix.extras import Extras, propose
from monopack.autofix.files import diff, save
from monopack.autofix.source import rewrite

__all__ = ["Extras", "diff", "propose", "rewrite", "save"]
