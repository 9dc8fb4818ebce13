"""How pip and uv are run for locks, and what they say when they fail."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from monopack.errors import LockError
from monopack.locks.pins import redact
from monopack.model import value
from monopack.run import Completed, Door

DRAWING = " \t\u00d7\u2570\u2500\u25b6\u251c\u2502\u256d"  # with what uv draws its chains of causes


@value()
class Resolver:
    """With what to resolve: the door to other programs, the caller's environment, and whether the network may be used.

    `pip_files` are those that pip reads its settings from in that environment, there or not (absolute).
    """

    door: Door
    environ: Mapping[str, str]
    pip_files: Sequence[Path]
    offline: bool = False


def run(argv: list[str], root: Path, environ: Mapping[str, str], resolver: Resolver) -> Completed:
    """Run a program in the project's folder. Raises `LockError` when it cannot be started."""
    try:
        return resolver.door.run(argv, cwd=root, env=environ)
    except OSError as error:
        raise LockError(f"{argv[0]} cannot be started: {error.strerror}", hint="install monopack again") from error


def last_words(output: str) -> str:
    """The reason at the end of a program's output, as one line without warnings, hints, drawings and credentials."""
    lines = [text for line in output.splitlines() if (text := line.strip(DRAWING)) and not text.lower().startswith("warning:")]
    reason = itertools.takewhile(lambda line: not line.startswith("hint:"), lines)
    text = re.sub(r"(^|:? )(error|ERROR|cause):", ":", " ".join([*reason][-8:]))
    return redact(text.strip(" :")) or "no reason was given"
