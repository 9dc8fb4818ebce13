"""The page of the documentation that shows the command line."""

from __future__ import annotations

import click

from monopack.cli.group import COMMANDS, SETTINGS, monopack

WIDTH = 100

_PAGE = """\
<!-- Generated from monopack/cli by `python tests/test_generated.py`. -->
# The command line

```text
{group}
```

{commands}

## What is printed

The answer of a command goes to stdout; a build's is the path of each built folder, one a line, in the order of the packs, as the
build folder was given. Everything else goes to stderr: what is being done, warnings, every failure with a hint, and a closing
table, of which a narrow terminal gets the columns that fit. A pack that fails does not stop the others, and keeps the artifacts
of its last good build. See [the terminal](how-to/terminal.md) for progress, colours and completion.

With `--json` the answer is one JSON document, in [documented shapes](reference/json.md).

When packs fail for different reasons, the smallest of their exit codes is the run's.

Each option is also a variable and a key of `monopack.toml`: see [the configuration](reference/configuration.md).
"""


def page() -> str:
    """The page, as Markdown."""
    group = monopack()
    context = click.Context(group, info_name="monopack", terminal_width=WIDTH, **SETTINGS)
    commands = [_section(context, name) for name in COMMANDS]
    return _PAGE.format(group=_help(context), commands="\n\n".join(commands))


def _section(parent: click.Context, name: str) -> str:
    command = monopack().get_command(parent, name)
    assert command is not None
    context = click.Context(command, info_name=name, parent=parent, terminal_width=WIDTH, **SETTINGS)
    return f"## monopack {name}\n\n```text\n{_help(context)}\n```"


def _help(context: click.Context) -> str:
    return "\n".join(line.rstrip() for line in context.get_help().splitlines())
