"""`monopack list`: the packs there are, and what a build of them would find."""

from __future__ import annotations

from typing import Any

import click

from monopack import inspection, report
from monopack.cli.commands.build import exit_code, tell
from monopack.cli.front import Front
from monopack.cli.options import Command, Option, pack_argument, project_options
from monopack.cli.session import start
from monopack.config import Group

HELP = """List the packs, or PACK alone: the handler string to deploy with, files, distributions, size, whether up to date.

Sizes need the distributions, so those that the store does not have yet are fetched. With --brief nothing is traced or fetched,
and only names and handlers are listed: enough for a matrix of CI jobs.
"""

EPILOG = """\b
Examples:
  monopack list                  what there is, and what is up to date
  monopack list --brief --json   names and handlers, for a matrix of CI jobs
"""


def command() -> click.Command:
    """The command."""
    brief = Option(["--brief"], is_flag=True, help="Only names and handlers; nothing is traced or fetched.")
    params = [pack_argument(), brief, *project_options(Group.PLACES, Group.PINS, Group.TERMINAL)]
    return Command("list", callback=listing, params=params, help=HELP, epilog=EPILOG)


@click.pass_obj
def listing(front: Front, /, *, pack: str | None, brief: bool, config: str | None, as_json: bool, **flags: Any) -> int:
    """List the packs; the exit code."""
    session = start(front, config, flags, command="list")
    reports = inspection.names(session.loaded, pack) if brief else inspection.look(session.loaded, pack, session.outside)
    tell(reports, session)
    code = exit_code(reports)
    if as_json:
        session.terminal.document(report.listing_document(reports, code))
    else:
        session.terminal.results(report.listing(reports))
    return code
