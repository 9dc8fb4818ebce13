"""What people and machines see: results on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, TextIO

import click

from monopack.cli import colors, github
from monopack.cli.progress import plain
from monopack.errors import MonopackError, error_line
from monopack.model import Step

if TYPE_CHECKING:
    from monopack.cli.display import Display

NO = ("", "0", "false")
LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


class OutputError(Exception):
    """stdout could not be written."""


class Terminal:
    """The two streams of a run. What it shows is settled in steps: by the environment, the flags, at last the configuration."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.actions = github.actions(environ, ())
        self._environ = environ
        self._color = environ.get("MONOPACK_COLOR", "auto")
        self._news = self._watched = False
        self._display: Display | None = None
        self._lock = RLock()

    def color(self, when: str) -> None:
        """Use colours `always`, `never` or, for anything else, as the environment and the streams say."""
        self._color = when

    def locate(self, folders: Sequence[Path]) -> None:
        """Say in which folders the files lie that messages name: the project's root, then its source roots."""
        self.actions = github.actions(self._environ, folders)

    def begin(self, *, quiet: bool, news: bool, debug: bool) -> None:
        """Show progress unless `quiet`, and with `news` the lines for people who want to know."""
        self._news = news and not quiet
        unwatched = quiet or self._environ.get("CI", "") not in NO
        self._watched = not unwatched and colors.is_terminal(sys.stderr, self._environ)
        self._show_logs(logging.DEBUG if debug else logging.INFO if self._news else logging.WARNING)

    @property
    def width(self) -> int:
        """The columns of the terminal that stderr is; 0 where it is none."""
        return os.get_terminal_size(sys.stderr.fileno()).columns if colors.is_terminal(sys.stderr, self._environ) else 0

    def say(self, *lines: str) -> None:
        """Lines for people that must be seen: warnings and errors. They end the display of progress."""
        self.close()
        for line in lines:
            self._line(line)

    def warn(self, *texts: str) -> None:
        """Warnings of the whole run."""
        for text in texts:
            self._line(f"warning: {text}")
            if self.actions:
                self._line(self.actions.warning("monopack", text))

    def news(self, *lines: str) -> None:
        """Lines for people who want to know."""
        if self._news:
            self.say(*lines)

    def refuse(self, error: MonopackError) -> None:
        """Say what monopack will not do: in one line and a hint."""
        self.say(error_line(str(error), error.hint))
        if self.actions:
            self.say(self.actions.error("monopack", error.where, error.what, error.hint))

    def tell(self, step: Step) -> None:
        """Show what is being done now; called by any thread."""
        with self._lock, _unheard():
            if self._watched:
                self._display = self._display or _display(colored=self._colored(sys.stderr))
                self._display.tell(step)
                return
        if self._news:
            for line in plain(step):
                self._line(line)

    def results(self, lines: Iterable[str]) -> None:
        """Lines of the answer. Raises `OutputError`."""
        self._write("".join(f"{colors.painted(line)}\n" for line in lines))

    def document(self, values: Mapping[str, object]) -> None:
        """The answer as one JSON document, in plain bytes. Raises `OutputError`."""
        self._write(json.dumps({"version": 1, **values}, indent=2, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Take the display of progress away; a step that is told later brings another one."""
        with self._lock, _unheard():
            display, self._display = self._display, None
            if display:
                display.close()

    def log(self, record: logging.LogRecord) -> None:
        """Show what a room logs: `warning: ...` for warnings, bare text for everything else."""
        show = self._line if record.levelno < logging.WARNING else self.warn
        show(record.getMessage())

    def _line(self, text: str) -> None:
        """A line on stderr, above the display of progress."""
        colored = self._colored(sys.stderr)
        with self._lock, _unheard():
            if self._display:
                self._display.line(colors.painted(text))
            else:
                click.echo(colors.painted(text), err=True, color=colored)

    def _write(self, text: str) -> None:
        """Write to stdout, now."""
        self.close()
        if sys.stdout is None:
            raise OutputError("it is closed")
        try:
            click.echo(_writable(text), nl=False, color=self._colored(sys.stdout))
            sys.stdout.flush()
        except OSError as problem:
            raise OutputError(problem.strerror) from problem

    def _colored(self, stream: TextIO | None) -> bool:
        return colors.wanted(self._color, self._environ, stream)

    def _show_logs(self, level: int) -> None:
        logger = logging.getLogger("monopack")
        logger.handlers = [_Handler(self)]
        logger.propagate = False
        logger.setLevel(level)


class _Handler(logging.Handler):
    """Hands what the rooms log to the terminal."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        self._terminal.log(record)


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """That stderr is gone (a closed window, a full disk) is no error: what is said then is for nobody."""
    try:
        yield
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _display(*, colored: bool) -> Display:
    from monopack.cli.display import Display

    return Display(sys.stderr, colored=colored)


def _writable(text: str) -> str:
    """A text whose lone surrogates, which source literals may have, are spelled out; those of file names stay."""
    return LONE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
