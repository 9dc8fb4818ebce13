"""What is known of a project before its first build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from monopack.model import Subproject, value


@value()
class Layout:
    """Where a project has what; all paths are POSIX and relative to its root.

    `files` are the files that may be source, `source_roots` the folders whose children are importable names, `projects` those
    inside the project by their folders. `handler` is what
    packs have to have by default (an empty string: nothing), `config` the config file that there is, if any. `locks` maps the
    files that may hold the pins to the package managers that they belong to, best first. No pack may have a name that is
    `reserved`.
    """

    files: frozenset[str]
    source_roots: tuple[str, ...]
    projects: Mapping[str, Subproject] = field(default_factory=dict)
    packs_dir: str = "packs"
    tests_dir: str = "tests"
    build_dir: str = "build"
    handler: str = "lambda_handler"
    config: str = ""
    locks: Mapping[str, str] = field(default_factory=dict)
    reserved: frozenset[str] = frozenset()


@value()
class Candidate:
    """A function that looks like a handler; `imports` are the dotted names that its file imports."""

    path: str
    line: int
    function: str
    certain: bool
    imports: frozenset[str]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.function}"


@value()
class Handler:
    """A function that a platform can call with an event and a context.

    It stands in the project's file `path` at `line` and is imported as `function` from `module`; `pack` is a name for its pack.
    `certain` says that its name or a deployment template shows what it is for; `tested`, that a test is there which will run for
    its pack.
    """

    path: str
    line: int
    module: str
    function: str
    pack: str
    certain: bool
    tested: bool


@value()
class Findings:
    """What `look` found in a project.

    `layout` is what the project should have: it differs from what it has where that would not do and no config file says
    otherwise; `new_roots` says that its source roots do. `managers` are package managers of which each has a lock, best first
    (empty: there is no choice). `packs` are the names of the packs that are there; `handlers` have no pack yet.
    `blind` says that tests import pytest, which nothing pins. `notes` are for the user, a line each.
    """

    layout: Layout
    new_roots: bool
    managers: tuple[str, ...]
    packs: tuple[str, ...]
    handlers: tuple[Handler, ...]
    blind: bool
    notes: tuple[str, ...]
