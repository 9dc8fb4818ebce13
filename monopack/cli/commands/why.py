"""`monopack why`: the chain from an entrypoint to a module, file or distribution, or why there is none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from monopack import inspection
from monopack.cli.completion import complete_path
from monopack.cli.front import Front
from monopack.cli.options import Command, pack_argument, project_options
from monopack.cli.session import current_folder, start
from monopack.config import Group
from monopack.report.why import document, lines

HELP = """Show why NAME is in PACK: each step from the entrypoint, with the line of code or config that takes it; or why not.

NAME is a dotted module, a file (its path in the project, or where it ships), an import name, or a distribution in any spelling.
The exit code is 0 when it is in the pack and 1 when it is not. Nothing is built; distributions that the store does not have yet
are fetched.
"""

EPILOG = """\b
Examples:
  monopack why users_get yaml               what imports and provides it
  monopack why users_get app/db.py          what leads to a file
  monopack why users_get typing-extensions  what requires a distribution
  monopack why users_get app.models --all   every file that imports it
"""


def command() -> click.Command:
    """The command."""
    name = click.Argument(["name"], metavar="NAME", shell_complete=complete_path("file"))
    in_full = click.Option(["--all", "in_full"], is_flag=True, help="Show every step that leads there, not only a few.")
    params = [pack_argument(required=True), name, in_full, *project_options(Group.PLACES, Group.PINS, Group.TERMINAL)]
    return Command("why", callback=why, params=params, help=HELP, epilog=EPILOG)


@click.pass_obj
def why(front: Front, /, *, pack: str, name: str, config: str | None, as_json: bool, **flags: Any) -> int:
    """Explain; the exit code."""
    in_full = flags.pop("in_full")
    session = start(front, config, flags, command="why")
    explained = inspection.why(session.loaded, pack, _in_project(name, session.loaded.root), session.outside)
    code = 0 if explained.chains else 1
    if as_json:
        session.terminal.document(document(explained, code))
    else:
        session.terminal.results(lines(explained, in_full=in_full))
    return code


def _in_project(name: str, root: Path) -> str:
    """A path from the project root, for one that the shell completed in a folder below it; any other name as it is."""
    path = Path(os.path.normpath(current_folder() / name))
    known = (root / name).exists() and not Path(name).is_absolute()
    return name if known or not path.is_file() or not path.is_relative_to(root) else path.relative_to(root).as_posix()
