"""`monopack schema`: the JSON Schema of monopack.toml, for editors."""

from __future__ import annotations

import json

import click

from monopack import config
from monopack.cli.options import Command
from monopack.cli.terminal import Terminal

HELP = """Print the JSON Schema (draft 2020-12) of monopack.toml.

\b
Editors complete and check the file with it, when its first line names where it lies:
  monopack schema > monopack.schema.json
  #:schema ./monopack.schema.json          the first line of monopack.toml
"""


def command() -> click.Command:
    """The command."""
    return Command("schema", callback=schema, help=HELP)


def schema() -> None:
    """Print it."""
    Terminal(quiet=True).results([json.dumps(config.schema(), indent=2, ensure_ascii=False)])
