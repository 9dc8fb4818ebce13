"""Workflow commands of GitHub Actions: groups of lines in its log, and annotations that it shows beside the code.

The runner reads them on stderr as well as on stdout, so stdout stays the answer's.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from monopack import report
from monopack.model import PackReport, value

PLACE = re.compile(r"(?P<file>[^:]+)(?::(?P<line>\d+))?(?=: |$)")
BEGINNING = re.compile(r"(?P<where>[^\s:]+(?::\d+)?): (?P<what>.+)", re.DOTALL)


@value()
class Actions:
    """A job of GitHub Actions: `folders` are where files that messages name may lie, `workspace` is the repository (absolute)."""

    folders: tuple[Path, ...]
    workspace: Path

    def error(self, title: str, where: str, what: str, hint: str) -> str:
        """An annotation for what is wrong at `where` (`file:line`, `monopack.toml: key`, ...), and what to do about it."""
        return self._annotation("error", title, where, f"{what}\nhint: {hint}" if hint else what)

    def warning(self, title: str, text: str) -> str:
        """An annotation for a warning, at the place that it begins with, if it does."""
        match = BEGINNING.fullmatch(text)
        where, what = (match["where"], match["what"]) if match else ("", text)
        return self._annotation("warning", title, where, what)

    def pack(self, pack: PackReport) -> Iterator[str]:
        """All that is to be said about a pack, as a group, then as annotations; nothing where there is nothing."""
        lines = [*report.warnings([pack]), *report.failures([pack])]
        if not lines:
            return
        yield f"::group::{_data(f'{pack.name}: {pack.status}' if pack.status else pack.name)}"
        yield from lines
        yield "::endgroup::"
        yield from (self.warning(pack.name, text) for text in pack.warnings)
        yield from (self.error(pack.name, each.where, each.message, each.hint) for each in pack.failures)

    def _annotation(self, kind: str, title: str, where: str, message: str) -> str:
        place, rest = self._place(where)
        return _command(kind, title, place, f"{rest}: {message}" if rest else message)

    def _place(self, where: str) -> tuple[dict[str, str], str]:
        """A place for GitHub, its path relative to the repository, and what of `where` that cannot say: all, if it is no file."""
        match = PLACE.match(where)
        files = ((folder / match["file"]).resolve() for folder in self.folders) if match else ()
        found = next((file for file in files if file.is_file() and file.is_relative_to(self.workspace)), None)
        if not match or not found:
            return {}, where
        place = {"file": found.relative_to(self.workspace).as_posix(), "line": match["line"]}
        return {name: text for name, text in place.items() if text}, where[match.end() :].removeprefix(": ")


def actions(environ: Mapping[str, str], folders: Sequence[Path]) -> Actions | None:
    """The job that this process is a part of, if it is; `folders` are absolute, the first is the project's root."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return None
    workspace = Path(environ.get("GITHUB_WORKSPACE") or next(iter(folders), "/"))
    return Actions(folders=tuple(folders), workspace=workspace.resolve())


def _command(kind: str, title: str, place: Mapping[str, str], message: str) -> str:
    properties = ",".join(f"{name}={_property(text)}" for name, text in {**place, "title": title}.items())
    return f"::{kind} {properties}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
