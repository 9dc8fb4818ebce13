"""A pseudo-terminal, and a program in it: what a person would see, and keys that a person would press."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()=>][A-Z0-9]?|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
LEAD = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
PATIENCE = 120.0  # seconds after which what was waited for will not come


class Screen:
    """A program whose standard streams are a terminal, stdout apart if a file for it is given."""

    def __init__(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str], *, columns: int = 100, stdout: Path | None = None):
        self._terminal, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        out = os.open(stdout, os.O_WRONLY | os.O_CREAT) if stdout else inner
        self.program = subprocess.Popen(
            [sys.executable, "-ISc", LEAD, *argv], cwd=cwd, env={"TERM": "xterm-256color", **env},
            stdin=inner, stdout=out, stderr=inner, start_new_session=True,
        )  # fmt: skip
        for descriptor in {inner, out}:
            os.close(descriptor)
        self.raw = ""

    def wait_for(self, *texts: str) -> None:
        """Read until all of the texts were shown, in any order, since the last wait."""
        start = len(self.raw)
        self._read_until(lambda: all(text in plain(self.raw[start:]) for text in texts))

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._terminal, keys.encode())

    def end(self) -> int:
        """Read to the end; the program's exit code."""
        self._read_until(lambda: False)
        return self.program.wait(PATIENCE)

    def hang_up(self) -> int:
        """Close the terminal, as its window would be; the program's exit code."""
        os.close(self._terminal)
        return self.program.wait(PATIENCE)

    def lines(self) -> list[str]:
        """Everything that was shown so far, frames of a display that are gone included, without escape sequences."""
        return plain(self.raw).splitlines()

    def remains(self) -> list[str]:
        """The lines that came after the last frame of a display that was taken away."""
        return plain(self.raw.rpartition("\x1b[2K")[2]).splitlines()

    def _read_until(self, enough: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not enough():
            assert time.monotonic() < end, f"this never came, but:\n{plain(self.raw)}"
            if select.select([self._terminal], [], [], 0.2)[0]:
                try:
                    block = os.read(self._terminal, 65_536)
                except OSError:  # Linux: nobody has the other end any more
                    block = b""
                if not block:
                    return
                self.raw += block.decode("utf-8", "replace")


def plain(text: str) -> str:
    """Text without escape sequences and carriage returns; what was written over another line is a line of its own."""
    return SEQUENCE.sub("", text.replace("\x1b[2K", "\n")).replace("\r", "")
