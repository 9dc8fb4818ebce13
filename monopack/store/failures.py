"""What pip's output says when it fails, as refusals that name the pin."""

from __future__ import annotations

import re
from collections.abc import Sequence

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from monopack.errors import AbsentError, UnavailableError
from monopack.model import Target
from monopack.run import Completed
from monopack.store.choose import Wanted, no_wheel

NO_MATCH = re.compile(r"No matching distribution found for ([\w.-]+)")
MISMATCH = re.compile(r"DO NOT MATCH THE HASHES[^\n]*\n\s+([\w.-]+)(?:.*?Got\s+(\w+))?", re.DOTALL)
OTHER_PYTHON = re.compile(r"Package '?([\w.-]+)'? requires a different Python: \S+ not in '([^']*)'")
IGNORED = re.compile(r"(\S+) Requires-Python ([^;\n]+)")
UNREACHABLE = re.compile(
    r"^.*(?:Retry\(total=0|\b40[13] (?:Client )?Error|Could not fetch URL(?!.*\b404\b)|connection error).*$",
    re.MULTILINE | re.IGNORECASE,
)
LOST = re.compile(r"(?:Location '[^\n]*' is ignored|Could not fetch URL)[^\n]*")
NO_PAGE = "Could not fetch URL"
VERSIONS = re.compile(r"\(from versions: ([^)]*)\)")
WHEEL = re.compile(r"([^/\s]+\.whl)\b")
ERROR = re.compile(r"^\s*error:\s*(.*)$", re.MULTILINE | re.IGNORECASE)


def unmatched(done: Completed) -> str:
    """The canonical name of what pip found no file of, though it could reach its index; empty when it failed otherwise."""
    match = NO_MATCH.search(done.output)
    return canonicalize_name(match[1]) if match and not UNREACHABLE.search(done.output) else ""


def refusal(pins: Sequence[Wanted], done: Completed, target: Target) -> UnavailableError:
    """Why pip could not fetch `pins`, as far as it says."""
    named = {pin.pin.name: pin for pin in pins}
    if (match := MISMATCH.search(done.output)) and (pin := named.get(canonicalize_name(match[1]))):
        return mismatch(pin, match[2] or "")
    if (match := OTHER_PYTHON.search(done.output)) and (pin := named.get(canonicalize_name(match[1]))):
        return _absent(other_python(pin, match[2], target))
    if match := UNREACHABLE.search(done.output):
        return _about(pins, f"could not be fetched: {match[0].strip()}", "look at the index, the network and the credentials")
    *_, last = f"pip ended with {done.code}\n{done.output}".strip().splitlines()
    *_, error = (last, *ERROR.findall(done.output))
    why = last if error == "Exception:" else error  # then pip's own trace follows, which ends with what happened
    return _about(pins, f"could not be fetched: {why.strip()}", "run with --debug for all that pip says")


def mismatch(pin: Wanted, found: str) -> UnavailableError:
    """The refusal of a file with another digest (`found`, hex) than the lock's."""
    what = f"does not match the hashes in the lock (found sha256:{found})"
    return pin.refusal(what, "find out why the file changed; lock again only when you trust the new one")


def not_found(pin: Wanted, probe: Completed, target: Target) -> UnavailableError:
    """Why an index has neither a wheel for the target nor an sdist; `probe` is the end of `pip download -vv`."""
    if UNREACHABLE.search(probe.output):
        return refusal([pin], probe, target)
    for version, python in IGNORED.findall(probe.output):
        if version == pin.pin.version:
            return other_python(pin, python, target)
    if wheels := wheels_of(pin, probe):
        return no_wheel(pin, target, wheels)
    versions = [version for found in VERSIONS.findall(probe.output)[:1] if found != "none" for version in found.split(", ")]
    others = f"pin a version that the index has: {', '.join(versions[-3:])}"
    lost = [line for line in LOST.findall(probe.output) if f"/{pin.pin.name}/" not in line]  # but for an index's page of the name
    what = f"was not found: {lost[-1]}" if lost else "was not found"
    return pin.refusal(what, others if versions else "check its name, and the index that the lock names")


def lasting(error: UnavailableError, probe: Completed) -> UnavailableError:
    """A refusal as one that lasts, where every index that was asked told what it has; `probe` is as for `not_found`.

    Many answer 404 to whoever has no password: that there is no page says nothing of tomorrow.
    """
    return error if UNREACHABLE.search(probe.output) or NO_PAGE in probe.output else _absent(error)


def _absent(error: UnavailableError) -> AbsentError:
    return AbsentError(error.what, pins=error.pins, where=error.where, hint=error.hint)


def wheels_of(pin: Wanted, probe: Completed) -> set[str]:
    """The file names of the wheels of a pin that pip saw; `probe` is the end of `pip download -vv`."""
    return {name for name in WHEEL.findall(probe.output) if _is_wheel_of(pin, name)}


def other_python(pin: Wanted, python: str, target: Target) -> UnavailableError:
    """The refusal of a distribution that is for other Pythons (`python`, PEP 440) than the target's."""
    return pin.refusal(f"requires Python {python.strip()}; the target has {target.version}", "choose another version or target")


def _about(pins: Sequence[Wanted], what: str, hint: str) -> UnavailableError:
    """A refusal of one pin, or of several of which pip does not say which."""
    if len(pins) == 1:
        return pins[0].refusal(what, hint)
    shown = ", ".join(pin.label for pin in pins[:3]) + (f" and {len(pins) - 3} more" if len(pins) > 3 else "")
    names = frozenset(pin.pin.name for pin in pins)
    return UnavailableError(f"{shown} {what}", pins=names, where=pins[0].pin.evidence.file, hint=hint)


def _is_wheel_of(pin: Wanted, filename: str) -> bool:
    try:
        name, version, _, _ = parse_wheel_filename(filename.replace("%2B", "+"))
        return name == pin.pin.name and version == Version(pin.pin.version)
    except (InvalidWheelFilename, InvalidVersion):
        return False
