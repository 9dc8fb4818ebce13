"""The window: what was built and why, as lines of text from the same values that the build used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monopack.model import Failure, PackReport

OUTPUT_LINES = 100  # of a failing test run, from its end


def summary(reports: Sequence[PackReport], seconds: float) -> str:
    """The closing table: a row for each pack, then a total. `seconds` is the time of the whole run."""
    rows: list[tuple[str, ...]] = [("pack", "result", "files", "distributions", "unpacked", "zip", "tests", "seconds", "handler")]
    rows += [_row(report) for report in reports]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(_aligned(row, widths)).rstrip() for row in rows]
    done = sum(report.status != "failed" for report in reports)
    failed = len(reports) - done
    lines.append(f"{done} of {len(reports)} packs are ready{f', {failed} failed' if failed else ''}, in {seconds:.1f} s")
    return "\n".join(lines)


def failures(reports: Sequence[PackReport]) -> Iterator[str]:
    """Every failure in pack order: one line and a hint; after those of a pack, what its code printed."""
    for report in reports:
        for failure in report.failures:
            yield error_line(f"{report.name}: {place(failure)}{failure.message}", failure.hint)
        for output in dict.fromkeys(failure.output.rstrip() for failure in report.failures):
            if output:
                yield "\n".join(f"    {line}" for line in _last_lines(output))
        if report.kept:
            yield f"{report.name}: the artifacts of the last good build are unchanged; {report.folder} may hold what failed"


def _last_lines(output: str) -> list[str]:
    """The end of what code printed, with a line for what is left out."""
    lines = output.splitlines()
    left_out = len(lines) - OUTPUT_LINES
    return [f"... {left_out} more lines above", *lines[-OUTPUT_LINES:]] if left_out > 0 else lines


def warnings(reports: Sequence[PackReport]) -> Iterator[str]:
    """Every warning in pack order, one line each."""
    for report in reports:
        for warning in report.warnings:
            yield f"warning: {report.name}: {warning}"


def error_line(what: str, hint: str) -> str:
    """One line for what is wrong and one for what to do."""
    return f"error: {what}\n  hint: {hint}" if hint else f"error: {what}"


def place(failure: Failure) -> str:
    """`file:line: ` where it is known."""
    return f"{failure.where}: " if failure.where else ""


def bytes_in_words(size: int) -> str:
    """A size in bytes as a person reads it: `44.1 MB` (decimal units)."""
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def _row(report: PackReport) -> tuple[str, ...]:
    if report.status == "failed":
        return (report.name, report.status, "", "", "", "", "", f"{report.seconds:.1f}", "")
    return (
        report.name, report.status, str(report.files), str(report.distributions), bytes_in_words(report.size),
        bytes_in_words(report.packed), str(report.tests), f"{report.seconds:.1f}", report.handler,
    )  # fmt: skip


def _aligned(row: tuple[str, ...], widths: Sequence[int]) -> Iterator[str]:
    """Words to the left, numbers to the right."""
    for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.rjust(width) if 2 <= column <= 7 else cell.ljust(width)
