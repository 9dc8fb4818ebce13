"""When colours are wanted, and where they help: in errors, warnings, hints, and words that say how a pack is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TextIO

import click

GREEN, YELLOW, RED = ("built", "unchanged", "up to date"), ("outdated", "not built"), ("failed",)
STATUS = "|".join((*GREEN, *YELLOW, *RED))
STATUSES = (
    re.compile(rf"^(\w+ +)({STATUS})(?= |$)"),  # the second column of a table
    re.compile(rf"^(\w+: )({STATUS})(?= in [\d.]+ s$)"),
    re.compile(r"( of \d+ packs are ready, )(\d+ failed)(?=,)"),
)


def wanted(when: str, environ: Mapping[str, str], stream: TextIO | None) -> bool:
    """Whether a stream gets colours: `always` and `never` decide, then NO_COLOR, then FORCE_COLOR, then what the stream is.

    https://no-color.org, https://force-color.org: what counts is that the variable is there and not empty.
    """
    if when in ("always", "never"):
        return when == "always"
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or is_terminal(stream, environ)


def is_terminal(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether a stream leads to a terminal that understands escape sequences; None is one that was closed before the start."""
    return stream is not None and stream.isatty() and environ.get("TERM") != "dumb"


def painted(text: str) -> str:
    """Lines as they are printed, with escape sequences for colours; the words are the same."""
    return "\n".join(map(_painted, text.split("\n")))


def _painted(line: str) -> str:
    if line.startswith("  hint:"):
        return click.style(line, dim=True)
    if line.startswith("error:"):
        return click.style("error:", fg="red", bold=True) + line.removeprefix("error:")
    if line.startswith("warning:"):
        return click.style("warning:", fg="yellow") + line.removeprefix("warning:")
    for pattern in STATUSES:
        line = pattern.sub(_status, line)
    return line


def _status(match: re.Match[str]) -> str:
    color = "green" if match[2] in GREEN else "yellow" if match[2] in YELLOW else "red"
    return match[1] + click.style(match[2], fg=color)
