"""The command line: finds a command in the module of its name; what is no command is the name of a pack to build."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

import click
from click.shell_completion import CompletionItem

from monopack import __version__
from monopack.cli.completion import complete_pack

COMMANDS: Mapping[str, str] = MappingProxyType({
    "build": "Build all packs, or one; what `monopack` does without a command.",
    "fix": "Name in a pack's managed block what its build misses.",
    "list": "List the packs: handlers, sizes, and what is up to date.",
    "why": "Show why a module, file or distribution is in a pack, or why not.",
    "affected": "List the packs that a change touches, and why.",
    "trace": "Show the files and imports of a pack by kind, or its graph.",
    "deps": "List the distributions of a pack, or write them as a lock.",
    "config": "Show every option, its value and where it came from.",
    "init": "Write monopack.toml and packs for a project that has none.",
    "schema": "Print the JSON Schema of monopack.toml.",
    "cache": "Show where the store of distributions is and how large; clean it.",
    "clean": "Remove what monopack wrote to the build folder, and nothing else.",
})  # fmt: skip
HEADINGS: Mapping[str, str] = MappingProxyType({  # each by the command that it begins with
    "build": "Build",
    "list": "Look, without building",
    "init": "Set up",
    "cache": "Clean up",
})  # fmt: skip
OWN_OPTIONS = ("-h", "--help", "--version")
SETTINGS: Mapping[str, Any] = MappingProxyType({"help_option_names": ["-h", "--help"], "max_content_width": 100})

HELP = """Cut a Python monorepo into small, verified artifacts: one for each entrypoint in packs/.

\b
monopack [PACK] [OPTIONS]    builds every pack in packs/, or PACK alone
monopack COMMAND [OPTIONS]   answers questions, and looks after what was built
"""

EPILOG = """\b
Examples:
  monopack                          build every pack in packs/
  monopack users_get                build packs/users_get.py
  monopack --skip-tests --jobs 4    no tests, four packs at a time
  monopack list                     what there is, and what is up to date
  MONOPACK_JOBS=1 monopack          every option is a variable, too

monopack COMMAND --help lists the options of a command; those of `monopack` alone are those of `build`.

Exit codes: 0 all packs are built; 1 a pack failed; 2 usage or configuration; 3 lock, resolving or fetching; 4 a bug in monopack;
130, 143 interrupted or terminated.
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
        first_word_is_completed = ctx.resilient_parsing and not args
        return super().parse_args(ctx, args if named or first_word_is_completed else ["build", *args])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """What the first word may be: a command, a pack, an option of `build`; only for options is a command imported."""
        if incomplete.startswith("-"):
            build = self.get_command(ctx, "build")
            assert build is not None
            with click.Context(build, parent=ctx, resilient_parsing=True) as inner:
                return [*click.Command.shell_complete(self, ctx, incomplete), *build.shell_complete(inner, incomplete)]
        named = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return [*complete_pack(ctx, None, incomplete), *named]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands under their headings, without importing them; then the options."""
        sections: dict[str, list[tuple[str, str]]] = {}
        width = max(map(len, COMMANDS))
        for name, text in COMMANDS.items():
            heading = HEADINGS.get(name) or list(sections)[-1]
            sections.setdefault(heading, []).append((name.ljust(width), text))
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl(rows)
        click.Command.format_options(self, ctx, formatter)


def monopack() -> click.Group:
    """The command line."""
    group = Commands(
        "monopack", help=HELP, epilog=EPILOG, context_settings=dict(SETTINGS), subcommand_metavar="[COMMAND] [ARGUMENTS]"
    )
    click.version_option(__version__, prog_name="monopack")(group)
    return group
