"""The front door: from argv to a configuration, from reports to lines and an exit code.

Everything ambient (the working folder, the environment, the streams, signals) enters here and nowhere else. Built folders go to
stdout, everything else to stderr.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

from monopack import __version__, config, pipeline, report
from monopack.errors import ConfigError, MonopackError
from monopack.model import PackReport
from monopack.run import CancelledError, Door

BUG = 4

EPILOG = """\b
Examples:
  monopack                              build every pack in packs/
  monopack users_get                    build packs/users_get.py
  monopack --skip-tests --jobs 4        no tests, four packs at a time
  MONOPACK_BUILD_DIR=/tmp/out monopack  every option is a variable too

\b
Exit codes: 0 all packs built; 1 a pack failed; 2 usage or config; 3 lock, resolving or
fetching; 4 a bug in monopack; 130, 143 interrupted or terminated.
"""


_PAGE = """\
<!-- Generated from monopack/cli.py by `python tests/test_generated.py`. -->
# The command line

```text
{help}
```

Each option is also a variable and a key of `monopack.toml`: see [the configuration](reference/configuration.md).

## What is printed

The path of each built folder goes to stdout, one a line, in the order of the packs, as the build folder was given. Everything
else goes to stderr: what is being done, warnings, every failure with a hint, and a closing table. A pack that fails does not
stop the others, and keeps the artifacts of its last good build.

When packs fail for different reasons, the smallest of their exit codes is the run's.
"""


class Stopped(BaseException):
    """A signal ended the run; not a KeyboardInterrupt, which click would make something else of."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def run(argv: Sequence[str]) -> int:
    """Run monopack and return its exit code."""
    debug = "--debug" in argv
    door = Door()
    _listen(door)
    try:
        code = command(door).main(list(argv), prog_name="monopack", standalone_mode=False)
        return int(code or 0)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        return _usage(error)
    except MonopackError as error:
        _say(report.error_line(str(error), error.hint))
        _trace(debug)
        return error.exit_code
    except Stopped as stopped:
        _say(f"stopped by {signal.Signals(stopped.exit_code - 128).name}")
        return stopped.exit_code
    except CancelledError:
        return 130
    except _OutputError as problem:
        return _unwritable(problem)
    except Exception as error:  # what nobody foresaw is ours, and says so
        _trace(True)
        _say(report.error_line(f"this is a bug in monopack {__version__}: {error!r}", "please report it with the lines above"))
        return BUG


def command(door: Door) -> click.Command:
    """The command line; its options are derived from `BuildConfig`."""
    name = click.Argument(["pack_name"], required=False)
    file = click.Option(["--config"], metavar="FILE", help="The config file. [default: the nearest monopack.toml upward]")
    version = click.version_option(__version__, prog_name="monopack")
    built = click.Command(
        "monopack",
        callback=lambda pack_name, config, **flags: _build(pack_name, config, flags, door),
        params=[name, file, *(_option(flag) for flag in config.flags())],
        help="Build one small, verified artifact for each entrypoint in packs/, or for PACK_NAME alone.\n\n"
        "For every pack: trace its imports, copy the first-party files it reaches, add the pinned distributions it needs, "
        "import it in a clean interpreter, run the tests that belong to it, and write a zip with its digests.",
        epilog=EPILOG,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    return version(built)


def page() -> str:
    """The page of the documentation that shows the command line, as Markdown."""
    described = command(Door())
    shown = click.Context(described, info_name="monopack", terminal_width=110, **described.context_settings).get_help()
    return _PAGE.format(help="\n".join(line.rstrip() for line in shown.splitlines()))


def _option(flag: config.Flag) -> click.Option:
    """A click option for a field; what is not given stays None, so that variables and the file can say."""
    text = f"{flag.help} [default: {flag.default}]" if flag.default else flag.help
    if flag.kind == "bool":
        return click.Option([f"{flag.option}/{flag.negative}"], default=None, help=text)
    return click.Option([flag.option], metavar=flag.metavar, default=None, help=text)


def _build(pack_name: str | None, file: str | None, flags: dict[str, object], door: Door) -> int:
    """Load the configuration, build, and tell how it went."""
    started = time.monotonic()
    environ = dict(os.environ)
    loaded = config.load(flags, cwd=_current_folder(), config_file=Path(file) if file else None, environ=environ)
    _log_to_stderr(loaded.config.debug)
    for warning in loaded.warnings:
        _say(f"warning: {warning}")
    reports = pipeline.build(loaded, pack_name, environ, door)
    for line in (*report.warnings(reports), *report.failures(reports)):
        _say(line)
    _say(report.summary(reports, time.monotonic() - started))
    _print([each.folder for each in reports if each.status != "failed"])
    return exit_code(reports)


def exit_code(reports: Sequence[PackReport]) -> int:
    """What the run ends with: 0, or 1 when any pack failed by its own code, else the code that the refusals have."""
    codes = {each.exit_code for each in reports if each.exit_code}
    return min(codes, default=0)


def _usage(error: click.ClickException) -> int:
    """A wrong command line, in one line and a hint."""
    _say(report.error_line(error.format_message(), "monopack --help lists the options"))
    return 2


class _OutputError(Exception):
    """stdout could not be written."""


def _print(lines: Sequence[str]) -> None:
    """Write lines to stdout, now."""
    try:
        click.echo("".join(f"{line}\n" for line in lines), nl=False)
        sys.stdout.flush()
    except OSError as problem:
        raise _OutputError(problem.strerror) from problem


def _unwritable(problem: Exception) -> int:
    """Say that stdout could not be written, and keep Python from trying again at its end."""
    _say(report.error_line(f"stdout cannot be written: {problem}", "the packs are built"))
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ConfigError("the current folder does not exist any more", hint="change to a folder that does") from None


def _say(line: str) -> None:
    click.echo(line, err=True)


def _trace(wanted: bool) -> None:
    if wanted:
        _say(traceback.format_exc().rstrip())


def _log_to_stderr(debug: bool) -> None:
    """Show what the rooms log: plain lines, details only with `--debug`."""
    logger = logging.getLogger("monopack")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(logging.DEBUG if debug else logging.INFO)


class _Lines(logging.Formatter):
    """`warning: ...` for warnings, bare text for everything else."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        return text if record.levelno < logging.WARNING else f"{record.levelname.lower()}: {text}"


def _listen(door: Door) -> None:
    """End every child as soon as a signal asks for it, then unwind."""

    def stop(number: int, _frame: FrameType | None) -> None:
        door.cancelled.set()
        raise Stopped(number)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)
