"""A side door of the hallway: build, mend the pack's managed block, build again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from monopack.autofix import Extras, diff, propose, rewrite, save
from monopack.model import Failure, PackReport, value

log = logging.getLogger(__name__)

ATTEMPTS = 3
NOTHING = Extras()


@value()
class Remedies:
    """What can be done about a missing module: say that it is first-party, or which pinned distribution provides it."""

    ours: Callable[[str], bool]
    provider: Callable[[str], str]


def mend(report: PackReport, file: Path, root: Path, remedies: Remedies, rebuild: Callable[[], PackReport]) -> PackReport:
    """Name in a pack's managed block what its build missed, and build again, while that helps; the report of the last build.

    `file` is the pack's own (absolute), `root` the project's folder. An entry whose module is still missing afterwards is taken
    back. Raises `MonopackError` when the file cannot be edited; it is then as it was.
    """
    hopeless: set[str] = set()
    for _ in range(ATTEMPTS):
        failures = [failure for failure in report.failures if failure.missing not in hopeless]
        extras = propose(failures, remedies.ours, remedies.provider)
        if not extras:
            break
        old = file.read_bytes()
        new = _edit(file, root, old, extras, NOTHING)
        log.info("%s: auto-fix adds %s to %s", report.name, _named(extras), file.relative_to(root).as_posix())
        before = {failure.missing for failure in failures}
        report = rebuild()
        still = [failure for failure in report.failures if failure.missing in before]
        useless = propose(still, remedies.ours, remedies.provider)
        if useless == extras:
            save(file, new, old, root)
        elif useless:
            _edit(file, root, new, NOTHING, useless)
        if useless:
            log.info("%s: auto-fix takes back %s, which did not help", report.name, _named(useless))
        hopeless |= _missing(still)
    return report


def _edit(file: Path, root: Path, old: bytes, add: Extras, remove: Extras) -> bytes:
    """Rewrite the managed block; the file's new bytes."""
    shown = file.relative_to(root).as_posix()
    new = rewrite(old, add, remove, shown)
    log.debug("%s", diff(shown, old, new))
    save(file, old, new, root)
    return new


def _missing(failures: list[Failure]) -> set[str]:
    return {failure.missing for failure in failures}


def _named(extras: Extras) -> str:
    return ", ".join((*extras.modules, *extras.distributions))
