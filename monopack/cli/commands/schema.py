"""`monopack schema`: the JSON Schema of monopack.toml, for editors."""

from __future__ import annotations

import json

import click

from monopack import config
from monopack.cli.front import Front
from monopack.cli.options import Command

HELP = """Print the JSON Schema (draft 2020-12) of monopack.toml.

Editors that know JSON Schema complete and check the file with it, once its first line names where the schema lies.
"""

EPILOG = """\b
Examples:
  monopack schema > monopack.schema.json   write it beside monopack.toml
  #:schema ./monopack.schema.json          the first line of monopack.toml
"""


def command() -> click.Command:
    """The command."""
    return Command("schema", callback=schema, help=HELP, epilog=EPILOG)


@click.pass_obj
def schema(front: Front, /) -> None:
    """Print it."""
    front.terminal.results([json.dumps(config.schema(), indent=2, ensure_ascii=False)])
