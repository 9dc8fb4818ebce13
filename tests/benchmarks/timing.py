"""Running commands and measuring them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

OURS = (sys.executable, "-m", "monopack")


@dataclass(frozen=True)
class Measured:
    """How long a command took, and the most memory (bytes) that it had itself."""

    seconds: float
    memory: int


def timed(argv: Sequence[str], cwd: Path, cache: Path | None = None) -> Measured:
    """Run a command, which has to succeed, and measure it."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith("MONOPACK_")}
    environ |= {"MONOPACK_CACHE_DIR": str(cache)} if cache else {}
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(argv, cwd=cwd, env=environ, stdout=subprocess.DEVNULL, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(argv)} failed:\n{said.read()[-2000:].decode(errors='replace')}")
    return Measured(seconds=seconds, memory=used.ru_maxrss * 1024)
