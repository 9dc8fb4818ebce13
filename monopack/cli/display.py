"""The live display of a terminal: what is being done now, at the bottom; everything else is printed above it.

Imported only where there is a terminal to show it on, since rich takes time to import.
"""

from __future__ import annotations

import time
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from monopack.cli.progress import Progress, time_in_words
from monopack.model import Step

BAR = 30  # columns
REST = 4  # lines of the terminal that are not for packs


class Display:
    """Shows the progress of a run until it is closed; then nothing of it stays."""

    def __init__(self, stream: TextIO, *, colored: bool) -> None:
        self._progress = Progress()
        self._console = Console(
            file=stream, force_terminal=True, color_system="auto" if colored else None, no_color=not colored, highlight=False
        )
        self._spinner = Spinner("dots" if self._console.encoding.startswith("utf") else "line")
        self._live = Live(
            get_renderable=self._picture, console=self._console, refresh_per_second=10, transient=True,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip

    def tell(self, step: Step) -> None:
        """Show a step; with the first one the display begins."""
        self._progress.told(step, time.monotonic())
        self._live.start(refresh=True)

    def line(self, text: str) -> None:
        """Print a line above the display."""
        self._console.print(Text.from_ansi(text), soft_wrap=True)

    def close(self) -> None:
        """Take the display away."""
        self._live.stop()

    def _picture(self) -> RenderableType:
        now = time.monotonic()
        packs = self._packs(now)
        parts = [self._whole_run(), packs, self._bar(now) if self._progress.done or packs else None]
        return Group(*(part for part in parts if part))

    def _whole_run(self) -> RenderableType | None:
        """What is being done for all packs together."""
        if not self._progress.doing:
            return None
        row = _grid()
        row.add_row(self._spinner, _cut(self._progress.doing).append(f" {self._progress.detail}", style="dim"))
        return row

    def _packs(self, now: float) -> RenderableType | None:
        """A row for each pack that is being built, as many as there is room for."""
        active = self._progress.active()
        if not active:
            return None
        rows, room = _grid(), max(1, self._console.height - REST)
        for name, pack in list(active.items())[:room]:
            seconds = Text(f"{now - pack.since:.0f} s", style="dim")
            rows.add_row(self._spinner, _cut(name, "bold"), _cut(pack.doing), seconds)
        if len(active) > room:
            rows.add_row("", "", f"and {len(active) - room} more")
        return rows

    def _bar(self, now: float) -> RenderableType:
        """How many packs are done, and what is left."""
        progress = self._progress
        left = progress.left(now)
        count = f"{progress.done} of {progress.total} packs{f', {time_in_words(left)}' if left is not None else ''}"
        row = Table.grid(padding=(0, 1))
        row.add_row(ProgressBar(total=max(1, progress.total), completed=progress.done, width=BAR, complete_style="green"), count)
        return row


def _grid() -> Table:
    """Rows of a spinner, texts that can be cut where a terminal is narrow, and a time."""
    grid = Table.grid(padding=(0, 1))
    for whole in (True, False, False, True):
        grid.add_column(no_wrap=whole)
    return grid


def _cut(text: str, style: str = "") -> Text:
    """Text that is cut, not wrapped, where there is no room for it."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")
