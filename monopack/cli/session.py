"""What every command that looks at a project starts with: its configuration, the world outside, and the terminal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from monopack import config
from monopack.cli.completion import FILE_NAME, project_file
from monopack.cli.front import Front
from monopack.cli.terminal import Terminal
from monopack.config import Loaded
from monopack.errors import ConfigError
from monopack.finding import Outside
from monopack.model import value


@value()
class Session:
    """One run of a command on a project."""

    loaded: Loaded
    outside: Outside
    terminal: Terminal


def start(front: Front, file: str | None, flags: dict[str, Any], *, command: str = "") -> Session:
    """Load the configuration, by the flags of the command line and the process environment.

    `command` is the name of a command that must not be that of a pack too; empty for a build, which alone tells how it
    goes on. Raises `ConfigError`.
    """
    environ, cwd, terminal = dict(os.environ), current_folder(), front.terminal
    if flags.get("color"):
        terminal.color(flags["color"])
    terminal.locate([(project_file(cwd, environ, file) or cwd / FILE_NAME).parent])
    loaded = config.load(flags, cwd=cwd, config_file=Path(file) if file else None, environ=environ)
    options = loaded.config
    terminal.color(options.color)
    roots = ("src",) if options.source_roots == "auto" else options.source_roots
    terminal.locate([loaded.root, *(loaded.root / root for root in roots)])
    _refuse_ambiguous(command, loaded)
    terminal.begin(quiet=options.quiet, news=not command, debug=options.debug)
    terminal.warn(*loaded.warnings)
    return Session(loaded=loaded, outside=Outside(environ=environ, door=front.door, tell=terminal.tell), terminal=terminal)


def current_folder() -> Path:
    """The folder that monopack was called in. Raises `ConfigError` when it is gone."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ConfigError("the current folder does not exist any more", hint="change to a folder that does") from None


def _refuse_ambiguous(command: str, loaded: Loaded) -> None:
    """Refuse a command that could as well be a pack's name."""
    if command and (loaded.packs_dir / f"{command}.py").is_file():
        hint = f"monopack build {command} builds the pack; rename the pack to use the command"
        raise ConfigError(f"{command} is a command, and a pack too", where=str(loaded.packs_dir / f"{command}.py"), hint=hint)
