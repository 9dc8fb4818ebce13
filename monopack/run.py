"""The one door to other programs.

Every child gets its own process group and no standard input, its output is collected up to a bound, and it is killed with all
that it started when its time is up or the run is cancelled.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

OUTPUT_LIMIT = 1_000_000  # bytes of a child's output that are kept, from its end
POLL = 0.05  # seconds between looks at the cancel flag


class CancelledError(Exception):
    """The run was cancelled (Ctrl-C, SIGTERM) while a child was running; the child is dead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Completed:
    """How a child ended: its exit code (negative: the signal), its stdout and stderr as text, and whether its time was up."""

    code: int
    output: str
    timed_out: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """Starts programs for the rooms. `cancelled` is set from outside to end every child that is running."""

    cancelled: Event = field(default_factory=Event)

    def run(self, argv: Sequence[str], *, cwd: Path | str, env: Mapping[str, str], timeout: float | None = None) -> Completed:
        """Run a program to its end.

        `argv[0]` is a path or a name on `env`'s PATH, `timeout` is in seconds. Output is stdout and stderr together, decoded as
        UTF-8 with replacement characters. Raises `OSError` when the program cannot be started and `CancelledError` when the
        run is being cancelled.
        """
        with tempfile.TemporaryFile() as out:
            child = subprocess.Popen(
                list(argv), cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
            try:
                timed_out = self._wait(child, timeout)
            finally:
                _kill_group(child)
            size = out.seek(0, os.SEEK_END)
            out.seek(max(0, size - OUTPUT_LIMIT))
            output = out.read().decode("utf-8", "replace")
        return Completed(code=child.returncode, output=output, timed_out=timed_out)

    def _wait(self, child: subprocess.Popen[bytes], timeout: float | None) -> bool:
        """Wait for a child; True when its time was up before it ended."""
        end = None if timeout is None else time.monotonic() + timeout
        while child.poll() is None:
            if self.cancelled.is_set():
                raise CancelledError
            if end is not None and time.monotonic() > end:
                return True
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(POLL)
        return False


INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT")


def clean_environment(
    environ: Mapping[str, str], *, home: Path, passthrough: Sequence[str] = (), extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment for code that is not ours: an allowlist of `environ`, a home and a temporary folder of its own.

    `home` (absolute, existing) becomes HOME, USERPROFILE, TMPDIR, TMP and TEMP; `passthrough` names variables of `environ`
    that the config lets through; `extra` is set last. No credential of the machine gets in unless it is named.
    """
    kept = {name: environ[name] for name in (*INHERITED, *passthrough) if name in environ}
    own = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TMP", "TEMP"), str(home))
    return {**own, **kept, **(extra or {})}


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    """Kill a child and everything it left behind in its process group."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    elif child.poll() is None:
        child.kill()
    child.wait()
