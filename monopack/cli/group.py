"""The command line: finds a command in the module of its name; what is no command is the name of a pack to build."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

import click

from monopack import __version__

COMMANDS: Mapping[str, str] = MappingProxyType({
    "build": "Build all packs, or one; what `monopack` does without a command.",
    "init": "Write monopack.toml and packs for a project that has none.",
    "fix": "Name in a pack's managed block what its build misses.",
    "list": "List the packs: handler, files, distributions, size, whether up to date.",
    "why": "Show why a module, file or distribution is in a pack, or why not.",
    "trace": "Show the files and imports of a pack by kind, or its graph.",
    "config": "Show every option, its value and where it came from.",
    "schema": "Print the JSON Schema of monopack.toml.",
    "cache": "Show where the store of distributions is and how large; clean it.",
    "clean": "Remove what monopack wrote to the build folder, and nothing else.",
})  # fmt: skip
OWN_OPTIONS = ("-h", "--help", "--version")
SETTINGS: Mapping[str, Any] = MappingProxyType({"help_option_names": ["-h", "--help"], "max_content_width": 110})

HELP = """Cut a Python monorepo into small, verified artifacts: one for each entrypoint in packs/.

\b
monopack [PACK] [OPTIONS]       builds every pack in packs/, or PACK alone
monopack COMMAND [OPTIONS]      answers questions, and looks after what was built
"""

EPILOG = """\b
Examples:
  monopack                              build every pack in packs/
  monopack users_get                    build packs/users_get.py
  monopack --skip-tests --jobs 4        no tests, four packs at a time
  MONOPACK_BUILD_DIR=/tmp/out monopack  every option is a variable too

\b
monopack build --help lists the options of a build.

\b
Exit codes: 0 all packs built; 1 a pack failed; 2 usage or config; 3 lock, resolving or
fetching; 4 a bug in monopack; 130, 143 interrupted or terminated.
"""


class Commands(click.Group):
    """Finds a command in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        """All commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's interface
        """The command of that name, from its module."""
        if cmd_name not in COMMANDS:
            return None
        made: click.Command = import_module(f"monopack.cli.commands.{cmd_name}").command()
        made.context_settings = dict(SETTINGS)
        return made

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take arguments that do not begin with a command as those of `build`."""
        named = bool(args) and (args[0] in COMMANDS or args[0] in OWN_OPTIONS)
        return super().parse_args(ctx, args if named else ["build", *args])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's interface
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def monopack() -> click.Group:
    """The command line."""
    group = Commands(
        "monopack", help=HELP, epilog=EPILOG, context_settings=dict(SETTINGS), subcommand_metavar="[COMMAND] [ARGUMENTS]"
    )
    click.version_option(__version__, prog_name="monopack")(group)
    return group
