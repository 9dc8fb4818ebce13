"""The window: what was built and why, as lines of text from the same values that the build used."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict

from monopack.errors import error_line
from monopack.model import BuildReport, Failure, Fetches, PackReport, StoredParsed, StoredWheel

NAMED = 5  # pins that a line of the summary names
OUTPUT_LINES = 100  # of a failing test run, from its end


def summary(built: BuildReport, seconds: float, width: int = 0) -> str:
    """The closing table: a row for each pack, then what was fetched, and a total. `seconds` is the time of the whole run.

    `width` is the number of columns that lines may have (0: any); what does not fit is left out from the right.
    """
    head = ("pack", "result", "files", "distributions", "unpacked", "zip", "tests", "seconds", "handler")
    reports = built.packs
    rows = [head, *(_row(report) for report in reports)]
    lines = table(rows, numbers=range(2, 8))
    while width and len(rows[0]) > 2 and max(map(len, lines)) > width:
        rows = [row[:-1] for row in rows]
        lines = table(rows, numbers=range(2, 8))
    if left_out := sorted({name for report in reports for name in report.left_out}):
        names = f"{', '.join(left_out[:NAMED])}{', ...' if left_out[NAMED:] else ''}"
        lines.append(f"left out, since what would import it can do without: {names} (see monopack trace; optional decides)")
    done = sum(report.status != "failed" for report in reports)
    failed = len(reports) - done
    lines.extend(_fetched(built.fetches))
    lines.append(f"{done} of {len(reports)} packs are ready{f', {failed} failed' if failed else ''}, in {seconds:.1f} s")
    return "\n".join(lines)


def _fetched(fetches: Fetches) -> Iterator[str]:
    """How many of how many pins were fetched, unless the store had all that was needed."""
    if fetches.wheels or fetches.glances:
        looked = f"; looked at the file lists of {fetches.glances} ({bytes_in_words(fetches.glanced)})" if fetches.glances else ""
        yield f"fetched {fetches.wheels} of {fetches.pins} pins ({bytes_in_words(fetches.size)}){looked}"
    if fetches.absent:
        pins = "1 pin" if fetches.absent == 1 else f"{fetches.absent} pins"
        yield f"not asked for again: {pins} that could not be had within the last day (monopack cache clean forgets that)"


def document(built: BuildReport, code: int) -> dict[str, object]:
    """A build as plain values: see docs/reference/json.md. `code` is the run's exit code."""
    packs = [asdict(report) for report in built.packs]
    told = built.fetches
    fetches = {
        "pins": told.pins, "wheels": told.wheels, "cached": told.reused, "size": told.size, "glances": told.glances,
        "glanced": told.glanced, "absent": told.absent,
    }  # fmt: skip
    return {"command": "build", "exit_code": code, "packs": packs, "fetches": fetches}


def listing(reports: Sequence[PackReport]) -> list[str]:
    """The packs there are: a table, or with nothing known but their handlers, two columns of it."""
    if not any(report.status for report in reports):
        return table([("pack", "handler"), *((report.name, report.handler) for report in reports)])
    head = ("pack", "state", "files", "distributions", "unpacked", "zip", "handler")
    return table([head, *((*_row(report)[:6], report.handler) for report in reports)], numbers=range(2, 6))


def listing_document(reports: Sequence[PackReport], code: int) -> dict[str, object]:
    """The packs there are as plain values: see docs/reference/json.md."""
    keys = ("name", "handler", "folder") + (
        ("status", "files", "distributions", "size", "packed", "failures") if any(r.status for r in reports) else ()
    )
    packs = [{key: plain[key] for key in keys} for plain in map(asdict, reports)]
    return {"command": "list", "exit_code": code, "packs": packs}


def fix_document(report: PackReport, diff: str, *, written: bool) -> dict[str, object]:
    """The change of a pack's block, and how the last build with it ended, as plain values: see docs/reference/json.md."""
    return {"command": "fix", "exit_code": report.exit_code, "diff": diff, "written": written, "pack": asdict(report)}


def store(folder: object, held: Sequence[StoredWheel], cleaned: Sequence[StoredWheel], parsed: StoredParsed) -> list[str]:
    """What the store holds, and what cleaning it removed."""
    lines = [str(folder), f"{len(held)} distributions, {bytes_in_words(sum(each.size for each in held))}"]
    lines.append(f"{parsed.files} parsed file{'' if parsed.files == 1 else 's'}, {bytes_in_words(parsed.size)}")
    if cleaned:
        lines.append(f"removed {len(cleaned)} distributions, {bytes_in_words(sum(each.size for each in cleaned))}")
    return lines


def store_document(
    folder: object, held: Sequence[StoredWheel], cleaned: Sequence[StoredWheel], parsed: StoredParsed
) -> dict[str, object]:
    """What the store holds as plain values: see docs/reference/json.md."""
    return {
        "command": "cache",
        "folder": str(folder),
        "distributions": [asdict(each) for each in held],
        "size": sum(each.size for each in held) + parsed.size,
        "parsed_files": parsed.files,
        "parsed_size": parsed.size,
        "removed": [asdict(each) for each in cleaned],
    }


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
        bytes_in_words(report.packed) if report.packed else "", str(report.tests), f"{report.seconds:.1f}", report.handler,
    )  # fmt: skip


def table(rows: Sequence[Sequence[str]], numbers: Collection[int] = ()) -> list[str]:
    """Rows of cells as aligned lines: words to the left, the columns with `numbers` to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(_aligned(row, widths, numbers)).rstrip() for row in rows]


def _aligned(row: Sequence[str], widths: Sequence[int], numbers: Collection[int]) -> Iterator[str]:
    for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.rjust(width) if column in numbers else cell.ljust(width)


def rule_in_words(rule: str) -> str:
    """The way in which code names what it imports or reads (`dotted_string`) as words; of import statements there are none."""
    return "" if rule.endswith("_statement") else rule.replace("_", " ")
