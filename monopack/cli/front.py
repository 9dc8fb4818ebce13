"""What the front door hands to every command."""

from __future__ import annotations

from monopack.cli.terminal import Terminal
from monopack.model import value
from monopack.run import Door


@value()
class Front:
    """The door to other programs, and the terminal."""

    door: Door
    terminal: Terminal
