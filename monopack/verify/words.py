"""What the script noted of a failure, in words: what happened, and what to do about it. Thinks only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from monopack.model import Target, value

Noted = Mapping[str, Any]
Told = tuple[str, str]  # the message and the hint


@value()
class Bytecode:
    """Where compiled modules are kept: in a pack's own folder and in the pool (both absolute, and on one disk).

    `sources` has the sha256 (hex) of the pack's source files by their relative POSIX paths.
    """

    own: str
    pool: str
    sources: Mapping[str, str]


@value()
class Request:
    """What to verify: the module `entry` is imported first, then `modules` in their order, names ending in `.__main__` left out.

    `handler` is an attribute of the entry (may be dotted; empty: none) that has to be callable; `timeout` is in seconds, for
    everything together. `platform` are top-level import names that do not ship because the platform has them: where they
    are not importable, something that takes any use stands in for them. `project` gives the dotted names of the project's
    modules, for "did you mean"; it is asked only when something is missing. `bytecode` says where compiled modules are kept
    for the next time (None: nowhere).
    """

    modules: tuple[str, ...]
    entry: str
    handler: str
    timeout: float
    platform: tuple[str, ...] = ()
    project: Callable[[], Iterable[str]] = tuple
    bytecode: Bytecode | None = None


@value()
class Verified:
    """What every failure may tell of: what was asked, of which Python, and what the code printed."""

    request: Request
    target: Target
    output: str

    @property
    def pack(self) -> str:
        """The pack's name."""
        return self.request.entry.rpartition(".")[2]


# ---------------------------------------------------------------- handlers


def of_handler(noted: Noted, verified: Verified) -> Told:
    """A handler that is not there or cannot be called."""
    handler, table = verified.request.handler, f"add to monopack.toml: [packs.{verified.pack}]"
    problems = {
        "missing": f"defines no {handler}, which is to be its handler",
        "none": f"its handler {handler} is None",
        "not callable": f"its handler {handler} is of type {noted['type']}, which cannot be called",
    }
    message = problems[noted["handler"]]
    other = [*get_close_matches(handler, noted["functions"], n=1), *noted["functions"]][:1]
    if other:
        return message, f'rename {other[0]} to it, or {table}  handler = "{other[0]}"'
    written = "write it" if "." in handler else f"write def {handler}(event, context): ..."
    return message, f'{written}, or {table}  handler = ""  # none'


# ---------------------------------------------------------------- imports


def of_import(noted: Noted, verified: Verified) -> Told:
    """An import that failed: the first explanation that fits. No hint where the lock and the project have to be asked for it."""
    return next(told for explain in EXPLANATIONS if (told := explain(noted, verified)))


def _foreign(noted: Noted, verified: Verified) -> Told | None:
    """A native module that Python passed over, since by its name it is for another Python or system."""
    native = noted["foreign"]
    if not native:
        return None
    named = re.search(r"cp(?:ython-)?3(\d+)", native)
    version = f"3.{named[1]}" if named else ""
    other = f", or build the pack with its own: --python python{version}"
    hint = "ship one that is built for it" + (other if version not in ("", verified.target.markers["python_version"]) else "")
    return f"{native} is a native module that is not for {verified.target}", hint


def _unloadable(noted: Noted, verified: Verified) -> Told | None:
    """A native module that the system would not load, in the system's own words."""
    native = noted["unloadable"]
    if not native:
        return None
    reason = noted["message"].removeprefix(f"{native}: ")
    library, lacks, _ = reason.partition(": cannot open shared object file")
    if lacks:
        hint = f"{library} is a library of the system, and does not ship: use a distribution that has it inside"
        return f"{native} needs {library}, which is not there", hint
    return f"{native} cannot be loaded: {reason}", f"it is a native module: ship one that is built for {verified.target}"


def _not_there(noted: Noted, _: Verified) -> Told | None:
    """A module, a file or the metadata of a distribution that did not ship."""
    if noted["missing"]:
        return noted["message"], ""
    if noted["absent"]:
        return f"opens {noted['absent']}, which is not in the pack", ""
    return (_said(noted), "") if noted["distribution"] else None


def _unset(noted: Noted, verified: Verified) -> Told | None:
    """A variable of the environment."""
    if not noted["variable"]:
        return None
    message = f"reads the environment variable {noted['variable']} at import, and packs see only variables of their config"
    return message, f'add to monopack.toml: [packs.{verified.pack}.env]  {noted["variable"]} = "..."'


def _misspelt(noted: Noted, verified: Verified) -> Told | None:
    """A name that a module does not have; nearest to it may be one that it has, or would have if it shipped."""
    if not noted["name"]:
        return None
    prefix = f"{noted['module']}."
    submodules = [name.removeprefix(prefix) for name in verified.request.project() if name.startswith(prefix)]
    close = get_close_matches(noted["name"], [*noted["names"], *submodules], n=1)
    hint = f"did you mean {close[0]}?" if close else "check the spelling, and that the version that ships has it"
    return f"imports {noted['name']} from {noted['module']}, which has no such name", hint


def _circular(noted: Noted, _: Verified) -> Told | None:
    """Modules that need each other while they are imported."""
    hint = "two modules import each other: move one of the imports into the function that needs it"
    return (noted["message"], hint) if "partially initialized module" in noted["message"] else None


def _stand_in(noted: Noted, verified: Verified) -> Told | None:
    """Code that did not get on with what stood in for a module of the platform."""
    platform = verified.request.platform
    if "StandIn" not in noted["message"] or not platform:
        return None
    what = f"{', '.join(platform)}: left to the platform by exclude_distributions, so a stand-in took its place"
    return _said(noted), f"{what}; ship it, or set verify = false"


def _syntax(noted: Noted, verified: Verified) -> Told | None:
    """Code that monopack's own Python could read, and the pack's cannot."""
    hint = f"the pack is for {verified.target}: write what that Python reads, or name another with --python"
    return (_said(noted), hint) if noted["type"] == "SyntaxError" else None


def _other(noted: Noted, verified: Verified) -> Told:
    """Whatever else went wrong."""
    env = f"[packs.{verified.pack}.env]"
    return _said(noted), f"importing a pack must work anywhere: do this in a function, or set what it needs in {env}"


def _said(noted: Noted) -> str:
    """The exception in its own words; of an import error they are enough."""
    kind, message = noted["type"], noted["message"]
    by_import = kind in ("ImportError", "ModuleNotFoundError") and message
    return str(message) if by_import else f"{kind}: {message}" if message else str(kind)


EXPLANATIONS: tuple[Callable[[Noted, Verified], Told | None], ...] = (
    _foreign, _unloadable, _not_there, _unset, _misspelt, _circular, _stand_in, _syntax, _other,
)  # fmt: skip
