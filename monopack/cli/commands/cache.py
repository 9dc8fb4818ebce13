"""`monopack cache`: where the store is and how large; `clean` empties it."""

from __future__ import annotations

from typing import Any

import click

from monopack import report, upkeep
from monopack.cli.front import Front
from monopack.cli.options import Command, Option, project_options
from monopack.cli.session import start
from monopack.config import Group

HELP = """Show where the store is, how many distributions it holds and of how many source files it knows what they import, and how
large that is.

`monopack cache clean` removes all; the next build fetches and parses what it needs. With --unused DAYS, only what no run has used
for so long goes.
"""

EPILOG = """\b
Examples:
  monopack cache                      where, how many, how large
  monopack cache clean --unused 30    remove what no run has used for 30 days
  monopack cache clean                remove everything
"""


def command() -> click.Command:
    """The command."""
    action = click.Argument(["action"], required=False, type=click.Choice(["clean"]))
    unused = Option(["--unused"], type=click.IntRange(min=0), metavar="DAYS", help="Clean only what was not used for DAYS days.")
    params = [action, unused, *project_options(Group.PLACES, Group.TERMINAL)]
    return Command("cache", callback=cache, params=params, help=HELP, epilog=EPILOG)


@click.pass_obj
def cache(front: Front, /, *, action: str | None, unused: int | None, config: str | None, as_json: bool, **flags: Any) -> None:
    """Show or clean the store."""
    if unused is not None and not action:
        raise click.UsageError("--unused belongs to monopack cache clean")
    session = start(front, config, flags, command="cache")
    cleaned = upkeep.clean_store(session.loaded, unused or 0) if action else ()
    held, parsed = upkeep.stored(session.loaded), upkeep.stored_parsed(session.loaded)
    if as_json:
        session.terminal.document(report.store_document(session.loaded.cache_dir, held, cleaned, parsed))
    else:
        session.terminal.results(report.store(session.loaded.cache_dir, held, cleaned, parsed))
