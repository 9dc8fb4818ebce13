"""The front door: from argv to a configuration, from values to lines and an exit code.

Everything ambient (the working folder, the environment, the streams, signals) enters here and nowhere else. Results go to
stdout, everything else to stderr.
"""

from __future__ import annotations

import contextlib
import os
import signal
import traceback
from collections.abc import Sequence
from types import FrameType

import click

from monopack import __version__
from monopack.cli.front import Front
from monopack.cli.group import monopack
from monopack.cli.terminal import OutputError, Terminal
from monopack.errors import MonopackError
from monopack.run import CancelledError, Door

__all__ = ["run"]

BUG = 4
COMPLETING = "_MONOPACK_COMPLETE"  # the variable by which a shell asks click for completions


class Stopped(BaseException):
    """A signal ended the run; not a KeyboardInterrupt, which click would make something else of."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def run(argv: Sequence[str]) -> int:
    """Run monopack and return its exit code."""
    front = Front(door=Door(), terminal=Terminal(dict(os.environ)))
    if os.environ.get(COMPLETING):
        return _complete(front)
    _listen(front.door)
    try:
        return _run(argv, front)
    finally:
        front.terminal.close()


def _run(argv: Sequence[str], front: Front) -> int:
    """Run a command; what ends it early is said in monopack's words."""
    terminal = front.terminal
    try:
        return int(monopack().main(list(argv), prog_name="monopack", standalone_mode=False, obj=front) or 0)
    except (click.ClickException, click.Abort, click.exceptions.Exit) as error:
        return _usage(error, argv, terminal)
    except MonopackError as error:
        return _refused(error, error.exit_code, argv, terminal)
    except OutputError as problem:
        return _unwritable(problem, terminal)
    except (Stopped, CancelledError) as stopped:
        return _stopped(stopped, terminal)
    except Exception as error:  # what nobody foresaw is ours, and says so
        what = f"this is a bug in monopack {__version__}: {error!r}"
        return _refused(MonopackError(what, hint="please report it with the lines above"), BUG, argv, terminal)


def _complete(front: Front) -> int:
    """Answer a shell; whatever goes wrong, it gets no answer rather than words that it would show between two keys."""
    with contextlib.suppress(Exception):
        monopack().main([], prog_name="monopack", obj=front)  # ends the process itself
    return 1


def _usage(error: Exception, argv: Sequence[str], terminal: Terminal) -> int:
    """What click ends a command with: its help was shown, a question was not answered, or its words are wrong."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.ClickException):
        return _refused(MonopackError(error.format_message(), hint=_usage_hint(error)), 2, argv, terminal)
    return _refused(MonopackError("a question was not answered", hint="--yes takes the proposed answers"), 2, argv, terminal)


def _usage_hint(error: click.ClickException) -> str:
    """How the command is to be used: with an option's value where that is missing."""
    context: click.Context | None = getattr(error, "ctx", None)
    path = context.command_path if context else "monopack"
    name = error.option_name if context and isinstance(error, click.BadOptionUsage) else ""
    values = [option.metavar for option in context.command.params if name in option.opts] if context else []
    usage = f"{path} {name} {values[0]}; " if values and values[0] else ""
    return f"{usage}{path} --help lists the options"


def _stopped(stopped: Stopped | CancelledError, terminal: Terminal) -> int:
    code = stopped.exit_code if isinstance(stopped, Stopped) else 130
    if isinstance(stopped, Stopped):
        terminal.say(f"stopped by {signal.Signals(code - 128).name}")
    return code


def _refused(error: MonopackError, exit_code: int, argv: Sequence[str], terminal: Terminal) -> int:
    """Say what monopack will not do: in one line and a hint, and to machines that asked for JSON."""
    if exit_code == BUG or "--debug" in argv:
        terminal.say(traceback.format_exc().rstrip())
    terminal.refuse(error)
    if "--json" in argv:
        refusal = {"message": error.what, "where": error.where, "hint": error.hint}
        with contextlib.suppress(OutputError):  # its own exit code tells more
            terminal.document({"error": refusal, "exit_code": exit_code})
    return exit_code


def _unwritable(problem: Exception, terminal: Terminal) -> int:
    """Say that stdout could not be written, and keep Python from trying again at its end."""
    terminal.refuse(MonopackError(f"stdout cannot be written: {problem}", hint="what was to be built is built"))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 1


def _listen(door: Door) -> None:
    """End every child as soon as a signal asks for it, then unwind."""

    def stop(number: int, _frame: FrameType | None) -> None:
        door.cancelled.set()
        raise Stopped(number)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)
