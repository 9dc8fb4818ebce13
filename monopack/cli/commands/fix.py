"""`monopack fix`: name in a pack's managed block what its build misses."""

from __future__ import annotations

from typing import Any

import click

from monopack import pipeline, report
from monopack.cli.commands.build import tell
from monopack.cli.front import Front
from monopack.cli.options import Command, Option, pack_argument, project_options
from monopack.cli.session import start
from monopack.config import Group

HELP = """Build PACK and name in its managed block what verifying and tests find missing; build again, up to 3 times.

What does not help is taken back. The change goes to stdout, as a diff. With --dry-run it is found out by the same builds, in a
temporary folder, and nothing is written.
"""

EPILOG = """\b
Examples:
  monopack fix users_get --dry-run   what would be changed
  monopack fix users_get             as monopack build users_get --auto-fix
"""


def command() -> click.Command:
    """The command."""
    dry = Option(["--dry-run"], is_flag=True, help="Show the change, and write nothing.")
    options = [option for option in project_options(*Group) if option.name != "auto_fix"]
    return Command("fix", callback=fix, params=[pack_argument(required=True), dry, *options], help=HELP, epilog=EPILOG)


@click.pass_obj
def fix(front: Front, /, *, pack: str, dry_run: bool, config: str | None, as_json: bool, **flags: Any) -> int:
    """Mend a pack's block; the exit code of its last build."""
    session = start(front, config, flags, command="fix")
    mend = pipeline.rehearse_fix if dry_run else pipeline.fix
    fixed = mend(session.loaded, pack, session.outside)
    tell((fixed.report,), session)
    if as_json:
        session.terminal.document(report.fix_document(fixed.report, fixed.diff, written=not dry_run))
    else:
        session.terminal.results(fixed.diff.split("\n")[:-1])
    return fixed.report.exit_code
