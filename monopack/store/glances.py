"""Glances: which modules wheels seem to have and where they are, told by an index without fetching them.

A glance is no proof, since no hash covers the end of a wheel. It only says which wheels need not be fetched: they have no module
of some name. What they do have is read from the wheel itself. `glances/<key of the pick>.json` keeps it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monopack.errors import LockError
from monopack.model import Origin, Pin, Step, value
from monopack.store import notes
from monopack.store.choose import Asked, Wanted, want
from monopack.store.fetch import ONLY_WHEELS, Job, environ_of, lines, target_options, together
from monopack.store.pip import run_pip
from monopack.store.wheel import listed_modules

ANSWER = "glances.json"  # as in glance_script


@value()
class Told:
    """What an index told of files, by canonical name: which modules are in them, or where they are; and the bytes of that."""

    modules: dict[str, frozenset[str]]
    origins: dict[str, Origin]
    size: int


def wanted_ones(pins: Sequence[Pin], asked: Asked) -> list[Wanted]:
    """What pins mean on the target; those of which the lock names no wheel for it are left out."""
    found = []
    for pin in pins:
        with contextlib.suppress(LockError):
            found.append(want(pin, asked))
    return found


def ask_index(command: str, pins: Sequence[Wanted], job: Job, *, sdists: bool = False) -> Told:
    """Ask for the modules of wheels (`glance`), or where wheels or sdists are (`locate`); what is not told is left out."""
    job.settings.tell(Step(name=command, detail=str(len(pins))))
    options = ["--no-deps", "--no-binary", ":all:"] if sdists else [*ONLY_WHEELS, *target_options(job)]
    told: dict[str, Any] = {}
    size = 0
    for number, group in enumerate(together(pins)):
        folder = job.folder / str(number)
        folder.mkdir()
        arguments = [command, "--dest", str(folder), *options]
        done = run_pip(job.settings, arguments, lines(group, job), environ_of(group[0], job))
        if done.code == 0:
            answer = json.loads((folder / ANSWER).read_text("utf-8"))
            told |= answer["told"]
            size += answer["size"]
    asked_for = {pin.pin.name for pin in pins}
    told = {name: each for name, each in told.items() if name in asked_for}
    return Told(
        modules={name: listed_modules(each["files"]) for name, each in told.items() if "files" in each},
        origins={name: Origin(url=each["url"], hash=each["hash"], built=sdists) for name, each in told.items() if "url" in each},
        size=size,
    )


class Glances:
    """What is known from glances, below one folder (absolute)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def known(self, wanted: Wanted) -> frozenset[str] | None:
        """The modules that a pin's wheel seems to have, if that was told before."""
        return notes.load(self._file(wanted), lambda fact: frozenset(map(str, _listed(fact["modules"]))))

    def keep(self, wanted: Wanted, modules: frozenset[str]) -> None:
        """Remember the modules of a pin's wheel."""
        notes.keep(self._file(wanted), {"modules": sorted(modules)})

    def _file(self, wanted: Wanted) -> Path:
        return self._folder / f"{wanted.key}.json"


def _listed(found: object) -> list[object]:
    """A list, whatever a note holds. Raises `TypeError`."""
    if not isinstance(found, list):
        raise TypeError
    return found
