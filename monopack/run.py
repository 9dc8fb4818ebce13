"""The one door to other programs.

Every child gets its own process group and no standard input, and the end of its output is kept. When it ends, when its time is
up or when the run is cancelled, all that it started is killed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import IO

from monopack.errors import PackError, out_of_room

OUTPUT_LIMIT = 1_000_000  # bytes of a child's output that are kept, from its end
MARK = "RUN_BY_MONOPACK"  # a variable by which a child's descendants are known, wherever they went
BLOCK = 65_536  # bytes that are read at a time
POLL = 0.05  # seconds between looks at the cancel flag
GRACE = 1.0  # seconds to wait for output once a child is dead


class CancelledError(Exception):
    """The run was cancelled (Ctrl-C, SIGTERM) while a child was running; the child is dead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Completed:
    """How a child ended: its exit code (negative: the signal), its stdout and stderr as text, and whether its time was up."""

    code: int
    output: str
    timed_out: bool = False


class _Tail:
    """Reads what a child prints, without end if need be, and keeps the last `OUTPUT_LIMIT` bytes; `heard` gets each line."""

    def __init__(self, child: subprocess.Popen[bytes], heard: Callable[[str], None] | None) -> None:
        self._pipe = child.stdout or child.stderr
        self._heard = heard
        self._line = b""
        self._blocks: deque[bytes] = deque()
        self._size = 0
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while self._pipe and (block := os.read(self._pipe.fileno(), BLOCK)):
            self._blocks.append(block)
            self._size += len(block)
            while self._size - len(self._blocks[0]) >= OUTPUT_LIMIT:
                self._size -= len(self._blocks.popleft())
            if self._heard:
                self._hear(block, self._heard)

    def _hear(self, block: bytes, heard: Callable[[str], None]) -> None:
        """Pass on the lines that a block completes; of an endless one, the end."""
        *lines, rest = (self._line + block).split(b"\n")
        self._line = rest[-BLOCK:]
        for line in lines:
            heard(line.decode("utf-8", "replace"))

    def stop(self) -> None:
        """Wait for the last output; not for long, since a process that has left the group may hold the pipe open."""
        self._thread.join(GRACE)
        if self._pipe and not self._thread.is_alive():
            self._pipe.close()

    def text(self) -> str:
        """What was kept, as text."""
        return b"".join(tuple(self._blocks))[-OUTPUT_LIMIT:].decode("utf-8", "replace")


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """Starts programs for the rooms. `cancelled` is set from outside to end every child that is running.

    `heard` gets each line of a child's output as it comes, on a thread of its own.
    """

    cancelled: Event = field(default_factory=Event)
    heard: Callable[[str], None] | None = None

    def run(
        self, argv: Sequence[str], *, cwd: Path | str, env: Mapping[str, str], timeout: float | None = None,
        into: IO[bytes] | None = None,
    ) -> Completed:  # fmt: skip
        """Run a program to its end.

        `argv[0]` is a path or a name on `env`'s PATH, `timeout` is in seconds. Output is stdout and stderr together, decoded as
        UTF-8 with replacement characters; with `into`, stdout goes to that file, all of it and as it is. Raises `OSError` when
        the program cannot be started and `CancelledError` when the run is being cancelled.
        """
        mark = f"{MARK}={secrets.token_hex(16)}"
        child = subprocess.Popen(
            list(argv), cwd=cwd, env={**env, MARK: mark.partition("=")[2]}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=into or subprocess.PIPE, stderr=subprocess.PIPE if into else subprocess.STDOUT,
        )  # fmt: skip
        tail = _Tail(child, self.heard)
        try:
            timed_out = self._wait(child, timeout)
        finally:
            _kill_group(child)
            _kill_strays(mark.encode())
            tail.stop()
        return Completed(code=child.returncode, output=tail.text(), timed_out=timed_out)

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


@contextlib.contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """An empty folder for the time of a `with` block, `purpose` in its name. Raises `PackError` where the disk gets full."""
    try:
        with tempfile.TemporaryDirectory(prefix=f"monopack-{purpose}-") as folder:
            yield Path(folder)
    except OSError as problem:
        if not out_of_room(problem):
            raise
        hint = "make room on it, or set TMPDIR to a folder on another disk"
        raise PackError("the disk of the temporary folder is full", where=tempfile.gettempdir(), hint=hint) from problem


OWN_FOLDERS = ("HOME", "USERPROFILE", "TMPDIR", "TMP", "TEMP")  # which code that is not ours gets for itself
INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT")


def clean_environment(
    environ: Mapping[str, str], *, home: Path, passthrough: Sequence[str] = (), extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment for code that is not ours: an allowlist of `environ`, a home and a temporary folder of its own.

    `home` (absolute, existing) becomes HOME, USERPROFILE, TMPDIR, TMP and TEMP; `passthrough` names variables of `environ`
    that the config lets through; `extra` is set last. No credential of the machine gets in unless it is named.
    """
    kept = {name: environ[name] for name in (*INHERITED, *passthrough) if name in environ}
    own = dict.fromkeys(OWN_FOLDERS, str(home))
    return {**own, **kept, **(extra or {})}


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    """Kill a child and everything it left behind in its process group."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    elif child.poll() is None:
        child.kill()
    child.wait()


def _kill_strays(mark: bytes) -> None:
    """Kill descendants that have left the process group (Linux: they still have the variable that their ancestor was given)."""
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # gone, or somebody else's
            if mark in environ.read_bytes():
                os.kill(int(environ.parent.name), signal.SIGKILL)
