"""ROOM: imports a pack in a clean interpreter; what goes wrong comes back as values."""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from monopack.model import Failure, Target, value
from monopack.run import Completed, Door, temporary_folder
from monopack.verify.bytecode import adopt, discard, lend
from monopack.verify.unrun import unrun
from monopack.verify.words import Bytecode, Request, Verified, of_handler, of_import

__all__ = ["Bytecode", "Request", "digest", "unrun", "verify"]

OUTPUT_KEPT = 4000  # characters of what the code printed, from its end
# -I and -S keep out the environment, the user's and the interpreter's site-packages; what was printed and where a signal
# struck must be known even if the process dies.
FLAGS = ("-I", "-S", "-u", "-X", "faulthandler")


def verify(folder: Path, request: Request, target: Target, environment: Mapping[str, str], door: Door) -> tuple[Failure, ...]:
    """Import the modules of the pack in `folder` (absolute) with the target's interpreter; nothing else is importable but its
    standard library.

    `environment` is all that the code gets to see. Every missing module is found in one go; once one is missing, only other
    missing modules are reported. Empty when all is well. Failures are of the kinds `import`, `handler` and `timeout`; `where`
    is `file:line`, relative to `folder`.
    """
    loan = lend(request.bytecode, folder) if request.bytecode else None
    if not (request.bytecode and loan):
        return _imported(folder, request, target, Start(flags=("-B",), environment=environment, door=door))[0]
    start = Start(flags=("-X", f"pycache_prefix={request.bytecode.own}"), environment=environment, door=door)
    failures, plain = _imported(folder, request, target, start)
    if any(map(_is_of_bytecode, failures)):
        discard(request.bytecode)
    if loan.pool and failures and not any(failure.kind == "timeout" for failure in failures):
        return verify(folder, replace(request, bytecode=None), target, environment, door)  # it may be that of kept bytecode
    adopt(request.bytecode, folder, loan, plain)
    return failures


def _is_of_bytecode(failure: Failure) -> bool:
    """Whether a failure is (most likely) that of a compiled module that the disk has damaged."""
    return "marshal data" in failure.message or "EOF read where" in failure.message


@value()
class Start:
    """How the interpreter is started."""

    flags: tuple[str, ...]
    environment: Mapping[str, str]
    door: Door


def _imported(folder: Path, request: Request, target: Target, start: Start) -> tuple[tuple[Failure, ...], frozenset[str]]:
    """The failures of one interpreter that imports all modules, and the paths of bytecode that is Python's own."""
    modules = (request.entry, *(name for name in request.modules if name != request.entry and not name.endswith(".__main__")))
    with temporary_folder("verify") as temporary:
        script, job, result = (temporary / name for name in ("script.py", "job.json", "result.jsonl"))
        script.write_bytes(_script())
        asked = {"folder": str(folder), "modules": modules, "handler": request.handler, "platform": request.platform}
        job.write_text(json.dumps(asked), encoding="utf-8")
        argv = [target.python, *FLAGS, *start.flags, str(script), str(job), str(result)]
        ran = start.door.run(argv, cwd=folder, env=start.environment, timeout=request.timeout)
        lines = result.read_text("utf-8", "replace").splitlines() if result.exists() else []
    events = _events(lines)
    plain = frozenset(path for event in events for path in event.get("compiled", ()))
    return _failures(events, ran, Verified(request=request, target=target, output=ran.output[-OUTPUT_KEPT:])), plain


def digest() -> str:
    """The sha256 (hex) of how it is verified."""
    return hashlib.sha256(_script() + repr(FLAGS).encode()).hexdigest()


def _script() -> bytes:
    return resources.files(__name__).joinpath("script.py").read_bytes()


def _events(lines: Sequence[str]) -> list[dict[str, Any]]:
    """What the script noted; a line that imported code broke counts as not written."""
    events = []
    for line in lines:
        try:
            events.append(json.loads(line))
        except ValueError:
            break
    return [event for event in events if isinstance(event, dict)]


def _failures(events: Sequence[Mapping[str, Any]], ran: Completed, verified: Verified) -> tuple[Failure, ...]:
    found = [_failure(event["failure"], verified) for event in events if "failure" in event]
    if not any("done" in event for event in events):
        importing = next((event["importing"] for event in reversed(events) if "importing" in event), "")
        found.append(_ended(importing, ran, verified))
    return tuple(dict.fromkeys(failure for failure in found if not _repeated(failure, found)))


def _repeated(failure: Failure, others: Sequence[Failure]) -> bool:
    """`import a.b` where `a` is missing reports `a`, then `a.b`; and a failing module fails whoever imports it."""
    longer = f"{failure.missing}."
    return bool(failure.missing) and any(o.where == failure.where and o.missing.startswith(longer) for o in others)


def _failure(noted: Mapping[str, Any], verified: Verified) -> Failure:
    if "handler" in noted:
        kind, (message, hint) = "handler", of_handler(noted, verified)
    else:
        kind, (message, hint) = "import", of_import(noted, verified)
    return Failure(
        kind=kind, message=message, where=noted["where"], hint=hint, output=verified.output, missing=noted.get("missing", ""),
        absent=noted.get("absent", ""), distribution=noted.get("distribution", ""),
    )  # fmt: skip


def _ended(importing: str, ran: Completed, verified: Verified) -> Failure:
    """The process did not live to say that it is done."""
    during = f"while importing {importing}" if importing else "before the first import"
    if ran.timed_out:
        message = f"took longer than {verified.request.timeout:g} s {during}"
        return Failure(kind="timeout", message=message, hint="an import should not wait for anything", output=verified.output)
    hint = "an import must not end the process; when a signal did, a native module is the likeliest cause"
    return Failure(kind="import", message=f"ended {_how(ran.code)} {during}", hint=hint, output=verified.output)


def _how(code: int) -> str:
    """How a process ended, from its exit code (negative: the signal)."""
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"
