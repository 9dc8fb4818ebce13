"""`monopack clean`: removes what monopack wrote to the build folder, and nothing else."""

from __future__ import annotations

from typing import Any

import click

from monopack import upkeep
from monopack.cli.front import Front
from monopack.cli.options import Command, project_options
from monopack.cli.session import start
from monopack.config import Group

HELP = """Remove what monopack wrote to the build folder: artifacts, digests, manifests, built folders and its own records.

Everything else stays, and with it the folders that hold it. Each removed artifact and folder goes to stdout.
"""

EPILOG = """\b
Examples:
  monopack clean                   remove what was built
  monopack clean --build-dir dist  the same in another build folder
"""


def command() -> click.Command:
    """The command."""
    return Command("clean", callback=clean, params=project_options(Group.PLACES, Group.TERMINAL), help=HELP, epilog=EPILOG)


@click.pass_obj
def clean(front: Front, /, *, config: str | None, as_json: bool, **flags: Any) -> None:
    """Clean up."""
    session = start(front, config, flags, command="clean")
    cleaned = upkeep.clean(session.loaded)
    if as_json:
        session.terminal.document({"command": "clean", "removed": cleaned.removed, "kept": cleaned.kept})
        return
    session.terminal.results(cleaned.removed)
    session.terminal.say(*(f"{path} stays: it holds what monopack did not write" for path in cleaned.kept))
