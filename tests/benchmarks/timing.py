"""Running commands and measuring them."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

OURS = (sys.executable, "-m", "monopack")


@dataclass(frozen=True)
class Measured:
    """How long a command took, and the most memory (bytes) that any child of this process has had so far."""

    seconds: float
    memory: int


def timed(argv: Sequence[str], cwd: Path, cache: Path | None = None) -> Measured:
    """Run a command, which has to succeed, and measure it."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith("MONOPACK_")}
    environ |= {"MONOPACK_CACHE_DIR": str(cache)} if cache else {}
    started = time.perf_counter()
    done = subprocess.run(argv, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)} failed:\n{done.stderr[-2000:]}")
    return Measured(seconds=seconds, memory=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
