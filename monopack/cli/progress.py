"""How far a run is: what it was told, and what follows from that. Knows nothing of terminals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from threading import Lock

from monopack.model import Step, value

ENDED = ("built", "unchanged", "failed")
WORDS = {
    "assemble": "gathering its files",
    "verify": "importing it",
    "test": "running its tests",
    "pack": "writing its zip",
}
ENOUGH = 3  # packs that must have been built before the time of the others is guessed


@value()
class Active:
    """A pack that is being built: what is done with it, and since when (seconds on the run's clock)."""

    doing: str
    since: float


class Progress:
    """What a run was told of its steps, by any of its threads; `now` is always a time on the run's clock, in seconds."""

    def __init__(self) -> None:
        self.total = 0
        self.doing = ""
        self.detail = ""
        self._active: dict[str, Active] = {}
        self._done: dict[str, float] = {}
        self._lock = Lock()

    def told(self, step: Step, now: float) -> None:
        """Take note of a step."""
        with self._lock:
            if step.pack:
                self.doing = self.detail = ""
                self._told_of_pack(step, now)
            elif step.name == "plan":  # again when auto-fix plans one of them anew
                self.total = self.total or int(step.detail)
                self.doing, self.detail = in_words(step), ""
            elif step.name == "download":
                self.detail = step.detail
            else:
                self.doing, self.detail = in_words(step), ""

    def _told_of_pack(self, step: Step, now: float) -> None:
        begun = self._active.get(step.pack, Active(doing="", since=now)).since
        if step.name in ENDED:
            self._active.pop(step.pack, None)
            self._done[step.pack] = now - begun if step.name == "built" else 0.0
        else:
            self._done.pop(step.pack, None)
            self._active[step.pack] = Active(doing=WORDS.get(step.name, step.name), since=begun)

    @property
    def done(self) -> int:
        """How many packs are ready or have failed."""
        return len(self._done)

    def active(self) -> dict[str, Active]:
        """The packs that are being built, in the order in which they were begun."""
        with self._lock:
            return dict(self._active)

    def left(self, now: float) -> float | None:
        """About how many seconds are left; None when nobody can tell.

        Nobody can until three packs were really built, nor while one takes longer than any before it.
        """
        with self._lock:
            times = [seconds for seconds in self._done.values() if seconds]
            running = [now - each.since for each in self._active.values()]
        if len(times) < ENOUGH or not running or max(running) > max(times):
            return None
        mean = sum(times) / len(times)
        waiting = self.total - self.done - len(running)
        return (mean * waiting + sum(max(0.0, mean - seconds) for seconds in running)) / len(running)


def in_words(step: Step) -> str:
    """A step of the whole run, for people: `fetching 3 distributions`."""
    count = int(step.detail) if step.detail.isdigit() else 0
    several = "" if count == 1 else "s"
    words = {
        "plan": f"looking at {count} pack{several}",
        "glance": f"looking at the file list{several} of {count} distribution{several}",
        "locate": f"asking where {count} distribution{several} {'is' if count == 1 else 'are'}",
        "fetch": f"fetching {count} distribution{several}",
    }
    return words.get(step.name, step.name)


def time_in_words(seconds: float) -> str:
    """A guess as a person says it, never too small: `about 40 s left`, `about 3 min left`."""
    if seconds > 55:
        return f"about {math.ceil(seconds / 60)} min left"
    return f"about {max(5, math.ceil(seconds / 5) * 5)} s left"


def plain(step: Step) -> Iterator[str]:
    """The lines for a step where there is no display that could change: what takes long, once."""
    if step.name == "fetch":
        yield in_words(step)
    elif step.name == "download":
        yield f"  {step.detail}"
