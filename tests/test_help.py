"""The help: every command and option under a heading, examples that work, lines that fit."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest
from projects import Project

from monopack.cli.group import COMMANDS, SETTINGS, monopack

PAGES = ["", *COMMANDS]
HEADING = re.compile(r"^(\w[\w ,]*):$", re.MULTILINE)


def page(name: str, width: int = 100) -> str:
    group = monopack()
    context = click.Context(group, info_name="monopack", terminal_width=width, **SETTINGS)
    if not name:
        return context.get_help()
    command = group.get_command(context, name)
    assert command
    return click.Context(command, info_name=name, parent=context, terminal_width=width, **SETTINGS).get_help()


def examples(name: str) -> Iterator[list[str]]:
    """The words of each example, without what a shell makes of them."""
    lines = page(name).partition("Examples:\n")[2].split("\n\n")[0].splitlines()
    for line in lines:
        command = re.split(r"\s{2,}| > ", line.strip())[0]
        words = [word for word in shlex.split(command) if not word.startswith("MONOPACK_")]
        if words[:1] == ["monopack"]:
            yield words[1:]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_examples_that_the_command_line_takes(name: str) -> None:
    found = list(examples(name))
    assert found
    for words in found:
        group = monopack()
        with group.make_context("monopack", list(words)) as context:
            _, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
            assert command
            command.make_context(command.name, rest, parent=context)


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("name", PAGES)
def test_lines_fit(name: str, width: int) -> None:
    fitting = 80 if width < 80 else width  # lines of examples are not broken
    assert [line for line in page(name, width).splitlines() if len(line) > fitting] == []


def test_commands_stand_under_headings() -> None:
    shown = page("")
    assert HEADING.findall(shown)[:-1] == ["Build", "Look, without building", "Set up", "Clean up"]
    for name, text in COMMANDS.items():
        assert len(re.findall(rf"^  {name} +{re.escape(text)}$", shown, re.MULTILINE)) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_options_stand_under_headings(name: str) -> None:
    shown = page(name)
    assert HEADING.findall(shown)
    before, _, options = shown.partition("\n\n" + HEADING.findall(shown)[0] + ":\n")
    assert options
    assert "--help" not in before


def test_help_is_shown_by_both_flags_and_ends_well(shop: Project) -> None:
    for arguments in (["--help"], ["-h"]):
        done = shop.build(*arguments)
        assert done.stdout.startswith("Usage: monopack ")
        assert done.stderr == ""
    assert shop.build("list", "-h").stdout == shop.build("list", "--help").stdout
