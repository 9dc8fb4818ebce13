"""Absences: pins that could not be had, as far as an index that was asked again today would say the same.

Only what an index says itself is kept: that it has other versions, or wheels for other targets or Pythons alone. That it could
not be reached, sent other bytes or has no page for a name (which may be for want of a password) is not, nor that a disk was full
or a build failed. `absent/<key>.json` keeps it for a day.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

from monopack.errors import AbsentError
from monopack.store import notes
from monopack.store.choose import Asked, Wanted, local_files
from monopack.store.pip import Fetching, without_credentials
from monopack.store.upkeep import DAY


class Absences:
    """What is known not to be had, below one folder (absolute), when it is fetched in one way."""

    def __init__(self, folder: Path, settings: Fetching) -> None:
        self._folder = folder
        self._settings = settings

    def known(self, wanted: Wanted, asked: Asked) -> AbsentError | None:
        """The refusal of a pin that was refused within the last day, in the same words; it is at the pin's line of today."""

        def read(fact: dict[str, object]) -> AbsentError | None:
            error = AbsentError(
                str(fact["what"]), pins=frozenset({wanted.pin.name}), where=str(wanted.pin.evidence), hint=str(fact["hint"])
            )
            return error if 0 <= time.time() - float(str(fact["at"])) < DAY else None

        return None if self._settings.asks_again(wanted.hashes) else notes.load(self._file(wanted, asked), read)

    def keep(self, error: AbsentError, wanted: Wanted, asked: Asked) -> None:
        """Remember the refusal of a pin."""
        notes.keep(self._file(wanted, asked), {"what": error.what, "hint": error.hint, "at": time.time()})

    def _file(self, wanted: Wanted, asked: Asked) -> Path:
        """Named after everything that decides it, and no credentials."""
        target, settings = asked.target, self._settings
        fields = (
            wanted.key, asked.options, asked.settings, local_files(wanted, asked), settings.may_build(wanted.pin.name),
            sorted(f"{name}={text}" for name, text in settings.environ.items() if name.startswith("PIP_")),
            target.name, target.version, target.python, asked.tags,
        )  # fmt: skip
        return self._folder / f"{hashlib.sha256(without_credentials(json.dumps(fields)).encode()).hexdigest()}.json"
