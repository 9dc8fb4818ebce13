"""Answers that were worked out once, such as what a source file imports, kept by digest in one file beside the wheels.

Such a file may be lost or thrown away at any time: whoever asks can work out the answers again.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

DAY = 24 * 60 * 60  # seconds
PATIENCE = 5.0  # seconds to wait for another process that writes
TABLE = "CREATE TABLE IF NOT EXISTS answers (digest TEXT PRIMARY KEY, check_sum INTEGER, used INTEGER, answer BLOB)"
ASK = "SELECT digest, check_sum, answer, used < ? FROM answers WHERE digest IN (SELECT value FROM json_each(?))"
NOTE = "UPDATE answers SET used = ? WHERE digest IN (SELECT value FROM json_each(?))"

Result = TypeVar("Result")


class Answers:
    """The answers in one file (absolute, SQLite), for several threads and processes at once.

    A file that is damaged is thrown away; one that cannot be read or written holds nothing and keeps nothing.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def recall(self, digests: Sequence[str]) -> dict[str, str]:
        """The answers that there are for some digests."""
        wanted, today = json.dumps(digests), _today()
        rows: list[Any] = self._do(lambda answers: answers.execute(ASK, [today, wanted]).fetchall(), [])
        if any(old for *_, old in rows):
            self._do(lambda answers: answers.execute(NOTE, [today, wanted]), None)
        return {digest: answer.decode("ascii") for digest, check_sum, answer, _ in rows if check_sum == zlib.crc32(answer)}

    def keep(self, given: Mapping[str, str]) -> None:
        """Keep answers (ASCII) by their digests."""
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
        rows = [_row(digest, answer.encode("ascii")) for digest, answer in sorted(given.items())]

        def write(answers: sqlite3.Connection) -> None:
            answers.execute(TABLE)
            answers.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", rows)

        self._do(write, None)

    def clean(self, before: float) -> int:
        """Remove what was last used before that time (seconds since 1970); how many answers were removed."""

        def remove(answers: sqlite3.Connection) -> tuple[int, int]:
            gone = answers.execute("DELETE FROM answers WHERE used < ?", [int(before / DAY)]).rowcount
            answers.commit()
            answers.execute("VACUUM")
            return gone, _count(answers)

        gone, left = self._do(remove, (0, 0))
        if not left:
            self._file.unlink(missing_ok=True)
        return gone

    def held(self) -> int:
        """How many answers there are."""
        return self._do(_count, 0)

    def _do(self, work: Callable[[sqlite3.Connection], Result], otherwise: Result) -> Result:
        """What some work on the file gives, done as one transaction; something else where it cannot be done."""
        try:
            with contextlib.closing(sqlite3.connect(self._file, timeout=PATIENCE)) as answers, answers:
                answers.execute("PRAGMA synchronous = OFF")  # what a power cut damages is found out by its check sum
                return work(answers)
        except sqlite3.OperationalError:  # there is no such folder or table, no room, or another process writes for too long
            return otherwise
        except sqlite3.DatabaseError:
            with contextlib.suppress(OSError):
                self._file.unlink(missing_ok=True)
            return otherwise


def _row(digest: str, answer: bytes) -> tuple[str, int, int, bytes]:
    return digest, zlib.crc32(answer), _today(), answer


def _count(answers: sqlite3.Connection) -> int:
    count: int = answers.execute("SELECT count(*) FROM answers").fetchone()[0]
    return count


def _today() -> int:
    return int(time.time() / DAY)
