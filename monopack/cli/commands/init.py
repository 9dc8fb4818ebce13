"""`monopack init`: the config file and the packs that a project begins with."""

from __future__ import annotations

import sys
from typing import Any

import click

from monopack import scaffold, starting
from monopack.cli.front import Front
from monopack.cli.group import COMMANDS
from monopack.cli.options import Command, Option, project_options
from monopack.cli.session import Session, start
from monopack.config import Group
from monopack.errors import ConfigError
from monopack.scaffold import Question

HELP = """Write monopack.toml, and a pack for each handler that the project has; an example where it has none.

Looks at the source roots, the lock, the tests and the handlers, and asks what it cannot know. Files that are there are never
changed.
"""

EPILOG = """\b
Examples:
  monopack init          asks
  monopack init --yes    takes the proposed answers
"""


def command() -> click.Command:
    """The command."""
    yes = Option(["--yes", "-y"], is_flag=True, help="Take the proposed answer to every question.")
    params = [yes, *project_options(Group.PLACES, Group.TERMINAL)]
    return Command("init", callback=init, params=params, help=HELP, epilog=EPILOG)


@click.pass_obj
def init(front: Front, /, *, yes: bool, config: str | None, as_json: bool, **flags: Any) -> None:
    """Begin a project."""
    session = start(front, config, flags, command="init")
    findings = starting.look(session.loaded, tuple(COMMANDS))
    questions = scaffold.questions(findings)
    if questions and not yes and not sys.stdin.isatty():
        raise ConfigError("there is no terminal to ask on", where="init", hint="--yes takes the proposed answers")
    answers = {} if yes else {question.key: _ask(question) for question in questions}
    proposal = scaffold.propose(findings, answers)
    written = scaffold.write(session.loaded.root, proposal)
    if as_json:
        session.terminal.document({"command": "init", "created": written.created, "kept": written.kept, "notes": proposal.notes})
    else:
        _tell(session, written, proposal)


def _ask(question: Question) -> bool | str:
    """One question, on the terminal."""
    if question.choices:
        return str(click.prompt(question.text, default=question.default, type=click.Choice(question.choices), err=True))
    return click.confirm(question.text, default=bool(question.default), err=True)


def _tell(session: Session, written: scaffold.Written, proposal: scaffold.Proposal) -> None:
    """What was written, on stdout; on stderr what was not, and what to do next."""
    session.terminal.results(written.created)
    session.terminal.say(*proposal.notes, *(f"{path} is there already, and was not changed" for path in written.kept))
    session.terminal.say("next: monopack" if written.created else "there is nothing to write: every handler found has its pack")
