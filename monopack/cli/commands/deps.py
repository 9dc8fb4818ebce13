"""`monopack deps`: the distributions of a pack, as a table or as a file of another tool's format."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from monopack import inspection
from monopack.cli.front import Front
from monopack.cli.options import Command, Option, pack_argument, project_options
from monopack.cli.session import start
from monopack.config import Group
from monopack.model import Subset
from monopack.report.deps import document, lines
from monopack.subset import pylock, requirements

HELP = """List the distributions of PACK: versions, sizes, wheel tags, hashes, and why each is there.

With --format requirements it is a requirements file with hashes, with --format pylock a lock file (PEP 751), each of exactly
these distributions; pip and uv install from both. No URL in them has a password.

Nothing is built; distributions that the store does not have yet are fetched.
"""

EPILOG = """\b
Examples:
  monopack deps users_get                                 a table
  monopack deps users_get --format pylock > pylock.toml   for pip and uv
  monopack deps users_get --format requirements > r.txt   for everything else
"""

FORMATS = ("text", "json", "requirements", "pylock")


def command() -> click.Command:
    """The command."""
    form = Option(["--format", "form"], type=click.Choice(FORMATS), help="What to write.  [default: text]")
    params = [pack_argument(required=True), form, *project_options(Group.PLACES, Group.PINS, Group.TERMINAL)]
    return Command("deps", callback=deps, params=params, help=HELP, epilog=EPILOG)


@click.pass_obj
def deps(front: Front, /, *, pack: str, form: str | None, config: str | None, as_json: bool, **flags: Any) -> None:
    """List the distributions."""
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} are two forms of one answer: choose one")
    session = start(front, config, flags, command="deps")
    found = inspection.deps(session.loaded, pack, session.outside, located=form == "pylock")
    if as_json or form == "json":
        session.terminal.document(document(found))
    else:
        session.terminal.results(_lines(found, form or "text"))


def _lines(found: Subset, form: str) -> Iterable[str]:
    if form == "requirements":
        return requirements(found)
    return pylock(found) if form == "pylock" else lines(found)
