"""ROOM: imports a pack in a clean interpreter; what goes wrong comes back as values."""

from __future__ import annotations

import json
import signal
import tempfile
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from monopack.model import Failure, Target, value
from monopack.run import Completed, Door

OUTPUT_KEPT = 4000  # characters of what the code printed, from its end
# -I and -S keep out the environment, the user's and the interpreter's site-packages; -B writes nothing into the folder;
# what was printed and where a signal struck must be known even if the process dies.
FLAGS = ("-I", "-S", "-B", "-u", "-X", "faulthandler")


@value()
class Request:
    """What to verify: the module `entry` is imported first, then `modules` in their order, names ending in `.__main__` left out.

    `handler` is an attribute of the entry (may be dotted; empty: none) that has to be callable; `timeout` is in seconds, for
    everything together. `platform` are top-level import names that do not ship because the platform has them: where they
    are not importable, something that takes any use stands in for them.
    """

    modules: tuple[str, ...]
    entry: str
    handler: str
    timeout: float
    platform: tuple[str, ...] = ()


def verify(folder: Path, request: Request, target: Target, environment: Mapping[str, str], door: Door) -> tuple[Failure, ...]:
    """Import the modules of the pack in `folder` (absolute) with the target's interpreter; nothing else is importable but its
    standard library.

    `environment` is all that the code gets to see. Every missing module is found in one go; once one is missing, only other
    missing modules are reported. Empty when all is well. Failures are of the kinds `import`, `handler` and `timeout`; `where`
    is `file:line`, relative to `folder`.
    """
    modules = (request.entry, *(name for name in request.modules if name != request.entry and not name.endswith(".__main__")))
    with tempfile.TemporaryDirectory(prefix="monopack-verify-") as temporary:
        script, job, result = (Path(temporary) / name for name in ("script.py", "job.json", "result.jsonl"))
        script.write_text(resources.files(__name__).joinpath("script.py").read_text("utf-8"), encoding="utf-8")
        asked = {"folder": str(folder), "modules": modules, "handler": request.handler, "platform": request.platform}
        job.write_text(json.dumps(asked), encoding="utf-8")
        argv = [target.python, *FLAGS, str(script), str(job), str(result)]
        ran = door.run(argv, cwd=folder, env=environment, timeout=request.timeout)
        lines = result.read_text("utf-8", "replace").splitlines() if result.exists() else []
    return _failures(_events(lines), ran, request)


def _events(lines: Sequence[str]) -> list[dict[str, Any]]:
    """What the script noted; a line that imported code broke counts as not written."""
    events = []
    for line in lines:
        try:
            events.append(json.loads(line))
        except ValueError:
            break
    return [event for event in events if isinstance(event, dict)]


def _failures(events: Sequence[Mapping[str, Any]], ran: Completed, request: Request) -> tuple[Failure, ...]:
    output = ran.output[-OUTPUT_KEPT:]
    found = [_failure(event["failure"], request, output) for event in events if "failure" in event]
    if not any("done" in event for event in events):
        importing = next((event["importing"] for event in reversed(events) if "importing" in event), "")
        found.append(_ended(importing, ran, request, output))
    return tuple(dict.fromkeys(failure for failure in found if not _repeated(failure, found)))


def _repeated(failure: Failure, others: Sequence[Failure]) -> bool:
    """`import a.b` where `a` is missing reports `a`, then `a.b`; and a failing module fails whoever imports it."""
    longer = f"{failure.missing}."
    return bool(failure.missing) and any(o.where == failure.where and o.missing.startswith(longer) for o in others)


def _failure(noted: Mapping[str, str], request: Request, output: str) -> Failure:
    if "handler" in noted:
        return _handler(noted, request, output)
    kind, message = noted["type"], noted["message"]
    by_import = kind in ("ImportError", "ModuleNotFoundError") and message
    said = message if by_import else f"{kind}: {message}" if message else kind
    hint = _hint(noted, request)
    return Failure(
        kind="import", message=said, missing=noted["missing"], where=noted["where"], hint=hint, output=output,
        absent=noted["absent"], distribution=noted["distribution"],
    )  # fmt: skip


def _hint(noted: Mapping[str, str], request: Request) -> str:
    """What to do about a variable that was not set, or about a stand-in that code did not get on with."""
    if noted["variable"]:
        return f'add to monopack.toml: [packs.{_pack(request)}.env]  {noted["variable"]} = "..."'
    if "StandIn" in noted["message"] and request.platform:
        left = ", ".join(request.platform)
        return (
            f"{left}: left to the platform by exclude_distributions, so a stand-in took its place; ship it, or set verify = false"
        )
    return ""


def _pack(request: Request) -> str:
    return request.entry.rpartition(".")[2]


def _handler(noted: Mapping[str, str], request: Request, output: str) -> Failure:
    problems = {
        "missing": "there is no handler {}",
        "none": "the handler {} is None",
        "not callable": "the handler {} cannot be called",
    }
    message = problems[noted["handler"]].format(request.handler)
    hint = f'define it, or name another in monopack.toml: [packs.{_pack(request)}]  handler = "..."'
    return Failure(kind="handler", message=message, where=noted["where"], hint=hint, output=output)


def _ended(importing: str, ran: Completed, request: Request, output: str) -> Failure:
    """The process did not live to say that it is done."""
    during = f"while importing {importing}" if importing else "before the first import"
    if ran.timed_out:
        message = f"took longer than {request.timeout:g} s {during}"
        return Failure(kind="timeout", message=message, hint="an import should not wait for anything", output=output)
    return Failure(kind="import", message=f"ended {_how(ran.code)} {during}", output=output)


def _how(code: int) -> str:
    """How a process ended, from its exit code (negative: the signal)."""
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"
