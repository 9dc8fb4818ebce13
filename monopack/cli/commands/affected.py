"""`monopack affected`: the packs that a change touches, and why."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from monopack import touching
from monopack.cli.completion import complete_path
from monopack.cli.front import Front
from monopack.cli.options import Command, Option, project_options
from monopack.cli.session import Session, current_folder, start
from monopack.config import Group
from monopack.report.affected import document, lines

HELP = """List the packs that a change touches, each with the reason: by source, data, tests, config or lock.

With --since it is what has changed since the commit at which the current branch left REV (their merge base), uncommitted and
untracked files included. With --files it is what a change of these files, there or gone, would touch. Where it cannot be told, a
pack is listed. Nothing is built.
"""

EPILOG = """\b
Examples:
  monopack affected --since origin/main          what this branch touches
  monopack affected --since HEAD                 what is not committed yet
  monopack affected --since origin/main --json   for a matrix of CI jobs
  monopack affected --files app/db.py uv.lock    without git
"""


def command() -> click.Command:
    """The command."""
    params: list[click.Parameter] = [
        click.Argument(["names"], nargs=-1, metavar="[FILE]...", shell_complete=complete_path("file")),
        Option(["--since"], metavar="REV", help="What has changed since the merge base of REV and HEAD, by git."),
        Option(["--files", "given"], is_flag=True, help="What a change of the named files would touch."),
        *project_options(Group.PLACES, Group.PINS, Group.TERMINAL),
    ]
    return Command("affected", callback=affected, params=params, help=HELP, epilog=EPILOG)


@click.pass_obj
def affected(
    front: Front, /, *, names: tuple[str, ...], since: str | None, given: bool, config: str | None, **flags: Any
) -> None:  # fmt: skip
    """List them."""
    as_json = flags.pop("as_json")
    _refuse_both(since, given, names)
    session = start(front, config, flags, command="affected")
    if since is not None:
        found = touching.since(session.loaded, None, since, session.outside)
    else:
        found = touching.files(session.loaded, None, _in_project(names, session), session.outside)
    session.terminal.say(*(f"{name} is no pack any more" for name in found.gone))
    session.terminal.say(
        *(f"{path} is not there: it counts as deleted, and no pack is listed because of it" for path in found.unknown)
    )
    if as_json:
        session.terminal.document(document(found))
    else:
        session.terminal.results(lines(found))


def _refuse_both(since: str | None, given: bool, names: Sequence[str]) -> None:
    if (since is None) == (not given):
        meant = f" (did you mean --since {names[0]}?)" if names and since is None else ""
        raise click.UsageError(f"say what has changed: --since REV, or --files FILE...{meant}")
    if names and not given:
        raise click.UsageError(f"{names[0]} is one word too many: --files comes before names of files")


def _in_project(names: Sequence[str], session: Session) -> list[str]:
    """Paths from the project's root, of files that were named from the current folder."""
    cwd, root = current_folder(), session.loaded.root
    return [Path(os.path.relpath(cwd / name, root)).as_posix() for name in names]
