"""`monopack trace`: the files and imports of a pack by kind, each with evidence; or its graph."""

from __future__ import annotations

from typing import Any

import click

from monopack import inspection
from monopack.cli.front import Front
from monopack.cli.options import Command, Option, pack_argument, project_options
from monopack.cli.session import start
from monopack.config import Group
from monopack.report.trace import chart, document, lines

HELP = """Show the files and imports of PACK by kind, each with the line that brought it: first-party files, imports that
distributions provide, imports that nothing provides, what is left to the platform, the standard library, and the distributions.

Nothing is built; distributions that the store does not have yet are fetched. With --mermaid it is a flowchart of files and
distributions, in which what may run later is dashed.
"""

EPILOG = """\b
Examples:
  monopack trace users_get                    lines, by kind
  monopack trace users_get --mermaid > g.mmd  a graph to look at
  monopack trace users_get --json             everything, for machines
"""


def command() -> click.Command:
    """The command."""
    graph = Option(["--mermaid"], is_flag=True, help="Write a Mermaid flowchart.")
    params = [pack_argument(required=True), graph, *project_options(Group.PLACES, Group.PINS, Group.TERMINAL)]
    return Command("trace", callback=trace, params=params, help=HELP, epilog=EPILOG)


@click.pass_obj
def trace(front: Front, /, *, pack: str, mermaid: bool, config: str | None, as_json: bool, **flags: Any) -> None:
    """Show what was traced."""
    if mermaid and as_json:
        raise click.UsageError("--mermaid and --json are two forms of one answer: choose one")
    session = start(front, config, flags, command="trace")
    if mermaid:
        session.terminal.results(chart(inspection.graph(session.loaded, pack, session.outside)))
        return
    found = inspection.inventory(session.loaded, pack, session.outside)
    if as_json:
        session.terminal.document(document(found))
    else:
        session.terminal.results(lines(found))
