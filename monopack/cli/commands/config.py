"""`monopack config`: every option, its value and where it came from."""

from __future__ import annotations

import json
from typing import Any

import click

from monopack import inspection, report
from monopack.cli.front import Front
from monopack.cli.options import Command, pack_argument, project_options
from monopack.cli.session import start
from monopack.config import Group, Setting

HELP = """Show every option of the project, or of PACK, with its value and where it came from.

Everything that can be wrong with the configuration is found, the managed blocks of all packs included; so it is also a check, for
a pre-commit hook.
"""

EPILOG = """\b
Examples:
  monopack config                  every option, and where it came from
  monopack config users_get        the options of one pack
  MONOPACK_JOBS=2 monopack config  what a variable changes
"""


def command() -> click.Command:
    """The command."""
    return Command("config", callback=show, params=[pack_argument(), *project_options(*Group)], help=HELP, epilog=EPILOG)


@click.pass_obj
def show(front: Front, /, *, pack: str | None, config: str | None, as_json: bool, **flags: Any) -> None:
    """Show the options."""
    session = start(front, config, flags, command="config")
    settings = inspection.settings(session.loaded, pack)
    if as_json:
        session.terminal.document({"command": "config", "pack": pack, "options": [_plain(setting) for setting in settings]})
    else:
        session.terminal.results(report.table([("option", "value", "from"), *map(_row, settings)]))


def _plain(setting: Setting) -> dict[str, object]:
    return {"key": setting.key, "value": setting.value, "origins": setting.origins}


def _row(setting: Setting) -> tuple[str, str, str]:
    return setting.key, json.dumps(setting.value, ensure_ascii=False), ", ".join(setting.origins)
