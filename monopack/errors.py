"""The refusals: what monopack will not do, each with the exit code it ends in.

A `MonopackError` is for the user: one line that says what happened and where, and one that says what to do.
What the user's own code does wrong (an import that fails, a test that fails) is not an error here but a value,
`monopack.model.Failure`.
"""

from __future__ import annotations

import errno

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
CLOSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class MonopackError(Exception):
    """A refusal with its place and its way out.

    `what` is one line without a final full stop; `where` is `file:line`, a TOML key path or a path;
    `hint` says what to do about it. `exit_code` is the process's status when this ends the run.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(f"{where}: {what}" if where else what)
        self.what = what
        self.where = where
        self.hint = hint


class PackError(MonopackError):
    """One pack cannot be built; the others can (exit code 1)."""


class ConfigError(MonopackError):
    """A flag, variable, config key or pack file that cannot be used (exit code 2)."""

    exit_code = 2


class LockError(MonopackError):
    """A lock that cannot be read, resolved or fetched from (exit code 3)."""

    exit_code = 3


class UnavailableError(LockError):
    """Some pins cannot be had: `pins` are their canonical names. Whether that matters depends on who needs them."""

    def __init__(self, what: str, *, pins: frozenset[str], where: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.pins = pins


class AbsentError(UnavailableError):
    """A pin of which an index says itself that it has no file that would do: asked again soon, it would say the same."""


class UnpinnedError(LockError):
    """A shipped distribution requires one that the lock does not pin."""


def error_line(what: str, hint: str) -> str:
    """One line for what is wrong and one for what to do."""
    return f"error: {what}\n  hint: {hint}" if hint else f"error: {what}"


def out_of_room(problem: OSError) -> bool:
    """Whether the system refused because a disk, or the user's share of it, is full."""
    return problem.errno in FULL


def disk_words(problem: OSError, option: str) -> tuple[str, str]:
    """What the system refused, and what to do about it; `option` is how to choose another folder (`--build-dir`)."""
    if out_of_room(problem):
        return "the disk is full", f"make room on it, or choose a folder on another disk with {option}"
    way = f"choose another folder with {option}"
    return problem.strerror or str(problem), f"make it writable, or {way}" if problem.errno in CLOSED else way
