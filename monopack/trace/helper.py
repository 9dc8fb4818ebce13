"""The program that a helper runs: it parses some of a project's files, and writes down what they say.

`job` is a file with the paths of files, by where they are, and the target's markers; `result` gets a line for each file that can
be parsed: what it is, a tab, and its facts, as `written` writes them.
"""

from __future__ import annotations

import gc
import json
from pathlib import Path

from monopack.trace.scan import facts_of, load
from monopack.trace.written import row_of, written


def main(job: str, result: str) -> None:
    """Do a job."""
    gc.disable()  # a syntax tree has no circles
    given = json.loads(Path(job).read_text("utf-8"))
    with Path(result).open("w", encoding="ascii") as lines:
        for path in given["paths"]:
            source, data = load(path, f"{given['root']}/{path}")
            facts = facts_of(source, data, given["markers"])
            if facts.error is None:
                lines.write(f"{json.dumps(row_of(source))}\t{written(facts)}\n")
