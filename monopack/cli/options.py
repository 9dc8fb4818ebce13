"""Options of commands, derived from the fields of `BuildConfig`, and a help that shows them under headings."""

from __future__ import annotations

from collections.abc import Iterable

import click

from monopack import config
from monopack.cli.completion import Complete, complete_pack, complete_path, complete_word
from monopack.config import Flag, Group

PATHS = {"DIR": "dir", "FILE": "file", "PYTHON": "file"}


class Option(click.Option):
    """An option that stands under a heading of the help."""

    group: str = "Options"


class Command(click.Command):
    """A command whose help shows its options under headings."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words; click does not tell of itself whose option it was that lacks its value."""
        try:
            return super().parse_args(ctx, args)
        except click.BadOptionUsage as error:
            error.ctx = error.ctx or ctx
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each heading, in the order in which they first appear."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for option in (parameter for parameter in self.get_params(ctx) if isinstance(parameter, click.Option)):
            if record := option.get_help_record(ctx):
                sections.setdefault(getattr(option, "group", Group.TERMINAL), []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def project_options(*groups: Group) -> list[click.Parameter]:
    """The options of a command that looks at a project: `--config`, `--json`, and those of the groups."""
    file = _grouped(
        Group.PLACES, ["--config"], metavar="FILE", help="The config file. [default: the nearest monopack.toml upward]",
        shell_complete=complete_path("file"),
    )  # fmt: skip
    chosen = sorted((flag for flag in config.flags() if flag.group in groups), key=lambda flag: list(Group).index(flag.group))
    return [file, *(_option(flag) for flag in chosen), json_option()]


def json_option() -> click.Parameter:
    """`--json`, for machines."""
    return _grouped(Group.TERMINAL, ["--json", "as_json"], is_flag=True, help="Write the answer as JSON to stdout.")


def _option(flag: Flag) -> Option:
    """A click option for a field; what is not given stays None, so that variables and the file can say."""
    text = f"{flag.help} [default: {flag.default}]" if flag.default else flag.help
    if flag.kind == "bool":
        return _grouped(flag.group, [f"{flag.option}/{flag.negative}"], default=None, help=text)
    return _grouped(flag.group, [flag.option], metavar=flag.metavar, default=None, help=text, shell_complete=_complete(flag))


def _complete(flag: Flag) -> Complete:
    """How a shell completes the value of an option."""
    return complete_path(PATHS[flag.metavar]) if flag.metavar in PATHS else complete_word(flag.choices)


def _grouped(group: str, names: Iterable[str], **settings: object) -> Option:
    option = Option(list(names), **settings)  # type: ignore[arg-type]  # click's own parameters, passed through
    option.group = str(group)
    return option


def pack_argument(*, required: bool = False) -> click.Argument:
    """The argument that names a pack."""
    metavar = "PACK" if required else "[PACK]"
    return click.Argument(["pack"], required=required, metavar=metavar, shell_complete=complete_pack)
