"""What people and machines see: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Mapping

import click

from monopack.model import Step


class OutputError(Exception):
    """stdout could not be written."""


class Terminal:
    """The two streams of a run. `quiet` leaves out what is only news."""

    def __init__(self, *, quiet: bool = False, debug: bool = False) -> None:
        self._quiet = quiet
        _show_logs(logging.DEBUG if debug else logging.WARNING if quiet else logging.INFO)

    def say(self, *lines: str) -> None:
        """Lines for people that must be seen: warnings and errors."""
        for line in lines:
            say(line)

    def news(self, *lines: str) -> None:
        """Lines for people who want to know."""
        if not self._quiet:
            self.say(*lines)

    def tell(self, step: Step) -> None:
        """Show what is being done now."""

    def results(self, lines: Iterable[str]) -> None:
        """Lines of the answer. Raises `OutputError`."""
        _write("".join(f"{line}\n" for line in lines))

    def document(self, values: Mapping[str, object]) -> None:
        """The answer as one JSON document. Raises `OutputError`."""
        _write(json.dumps({"version": 1, **values}, indent=2, ensure_ascii=False) + "\n")


def say(line: str) -> None:
    """Write a line to stderr."""
    click.echo(line, err=True)


def _write(text: str) -> None:
    """Write to stdout, now."""
    try:
        click.echo(text, nl=False)
        sys.stdout.flush()
    except OSError as problem:
        raise OutputError(problem.strerror) from problem


def _show_logs(level: int) -> None:
    """Show what the rooms log, as plain lines on stderr."""
    logger = logging.getLogger("monopack")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(level)


class _Lines(logging.Formatter):
    """`warning: ...` for warnings, bare text for everything else."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        return text if record.levelno < logging.WARNING else f"{record.levelname.lower()}: {text}"
