"""`monopack build`: build packs, and tell how it went."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import click

from monopack import recalling, report
from monopack.cli.front import Front
from monopack.cli.group import COMMANDS
from monopack.cli.options import Command, Option, pack_argument, project_options
from monopack.cli.session import Session, start
from monopack.config import Group
from monopack.errors import ConfigError
from monopack.model import BuildReport, PackReport
from monopack.report.affected import lines

HELP = """Build one small, verified artifact for each entrypoint in packs/, or for PACK alone.

For every pack: trace its imports, copy the first-party files it reaches, add the pinned distributions it needs, import it in a
clean interpreter, run the tests that belong to it, and write a zip with its digests. What has not changed is not built again.
The path of each built folder goes to stdout.
"""

EPILOG = """\b
Examples:
  monopack build users_get             one pack: packs/users_get.py
  monopack build --sha-output hex,b64  the digest that AWS Lambda knows, too
  monopack build --affected HEAD~1     those that the last commit touches
  monopack build --auto-fix            name in the packs what was missing
  monopack build --python python3.12   for another Python than monopack's own
  monopack build --json > build.json   what was built, for machines
"""


def command() -> click.Command:
    """The command."""
    affected = Option(["--affected"], metavar="REV", help="Only packs that changes since the merge base of REV and HEAD touch.")
    affected.group = str(Group.BUILD)
    params = [pack_argument(), *project_options(*Group), affected]
    return Command("build", callback=build, params=params, help=HELP, epilog=EPILOG)


@click.pass_obj
def build(
    front: Front, /, *, pack: str | None, affected: str | None, config: str | None, as_json: bool, **flags: Any
) -> int:  # fmt: skip
    """Build, and tell how it went; the exit code."""
    started = time.monotonic()
    _refuse_no_revision(affected)
    session = start(front, config, flags)
    _refuse_command(pack, session)
    if affected is None:
        built = recalling.unchanged(session.loaded, pack, session.outside) or _build(pack, session)
    else:
        built = _build_touched(affected, pack, session)
    tell(built.packs, session)
    session.terminal.news(report.summary(built, time.monotonic() - started, session.terminal.width))
    code = exit_code(built.packs)
    if as_json:
        session.terminal.document(report.document(built, code))
    else:
        session.terminal.results(each.folder for each in built.packs if each.status != "failed")
    return code


def _build(pack: str | None, session: Session, among: frozenset[str] | None = None) -> BuildReport:
    """Build. The hallway and its rooms are loaded only here: most runs have nothing to build."""
    from monopack import pipeline

    return pipeline.build(session.loaded, pack, session.outside, among)


def _build_touched(revision: str, pack: str | None, session: Session) -> BuildReport:
    """Build the packs that changes since a revision touch; each is told with the reason."""
    from monopack import touching

    found = touching.since(session.loaded, pack, revision, session.outside)
    session.terminal.news(*lines(found), *(() if found.packs else (f"nothing since {revision} touches a pack",)))
    return _build(pack, session, frozenset(each.name for each in found.packs)) if found.packs else BuildReport()


def tell(reports: Sequence[PackReport], session: Session) -> None:
    """Say every warning and every failure; in GitHub Actions pack by pack, and beside the code."""
    if session.terminal.actions:
        session.terminal.say(*(line for each in reports for line in session.terminal.actions.pack(each)))
    else:
        session.terminal.say(*report.warnings(reports), *report.failures(reports))


def exit_code(reports: Sequence[PackReport]) -> int:
    """What the run ends with: 0, or 1 when any pack failed by its own code, else the code that the refusals have."""
    return min((each.exit_code for each in reports if each.exit_code), default=0)


def _refuse_no_revision(revision: str | None) -> None:
    """Refuse an option that stands where the revision should; of all else git knows whether it is one."""
    if revision is not None and revision.startswith("-"):
        hint = "monopack build --affected REV, such as --affected origin/main; --since is an option of monopack affected"
        raise ConfigError(f"--affected needs a revision, and {revision} is none", hint=hint)


def _refuse_command(pack: str | None, session: Session) -> None:
    """Options come after a command, so that `monopack --quiet list` is no build of a pack `list`."""
    if pack in COMMANDS and not (session.loaded.packs_dir / f"{pack}.py").exists():
        raise ConfigError(f"{pack} is a command, and no pack", hint=f"options come after it: monopack {pack} [OPTIONS]")
