"""Processes that parse many files at once, each its part of them, while this one parses its own."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from monopack.errors import MonopackError
from monopack.model import SourceFile, value
from monopack.run import Door, temporary_folder
from monopack.trace.written import file_of

log = logging.getLogger(__name__)

FEWEST = 400  # files for one process: starting a helper takes as long as parsing so many
HEAD = 300  # files that are parsed here while helpers start
# The folder of the project must not be on its `sys.path`; the one that holds monopack comes last, if it is not there already.
RUN = "import sys; sys.path.append(sys.argv.pop(1)); from monopack.trace.helper import main; main(*sys.argv[1:])"

Parsed = list[tuple[SourceFile, str]]  # what files are, and what they say as text


@value()
class Hands:
    """What helpers are started with: the door, the environment, and how many processes may parse at once."""

    door: Door
    environ: Mapping[str, str]
    processes: int


@value()
class Job:
    """What all of them are told: the project's folder (absolute) and the target's markers."""

    root: str
    markers: Mapping[str, str]


def share(paths: Sequence[str], job: Job, hands: Hands, own: Callable[[Sequence[str]], None]) -> Parsed:
    """What helpers say about their parts of some files (project-relative), while `own` parses the rest: all, where they are few.

    Files that helpers could not parse are left out.
    """
    count = min(hands.processes, len(paths) // FEWEST) or 1
    if count == 1:
        own(paths)
        return []
    begun, rest = paths[:HEAD], paths[HEAD:]
    parts = [rest[first::count] for first in range(count)]
    with ThreadPoolExecutor(count - 1) as threads:
        answers = [threads.submit(_ask, part, job, hands) for part in parts[1:]]
        own([*begun, *parts[0]])
        return [said for answer in answers for said in answer.result()]


def _ask(paths: Sequence[str], job: Job, hands: Hands) -> Parsed:
    """What a helper says of its part; nothing where it cannot be started."""
    with contextlib.suppress(OSError, MonopackError), temporary_folder("trace") as folder:
        asked, result = folder / "job.json", folder / "result.jsonl"
        asked.write_text(json.dumps({"root": job.root, "markers": dict(job.markers), "paths": paths}), encoding="utf-8")
        home = str(Path(__file__).parents[2])
        argv = [sys.executable, "-P", "-c", RUN, home, str(asked), str(result)]
        ended = hands.door.run(argv, cwd=folder, env=hands.environ)
        if ended.code:
            log.debug("a helper of tracing failed: %s", ended.output)
        return list(_lines(result))
    return []


def _lines(result: Path) -> Iterator[tuple[SourceFile, str]]:
    """What a helper wrote; its last line may be cut off."""
    with result.open(encoding="ascii") as lines:
        for line in lines:
            with contextlib.suppress(ValueError):
                source, _, text = line.partition("\t")
                yield file_of(json.loads(source)), text


def processors() -> int:
    """How many processes can work at once on this machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
