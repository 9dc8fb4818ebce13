"""What an explanation is made from."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.utils import canonicalize_name

from monopack.model import ConfigEntry, Distribution, Evidence, Link, Lock, Resolution, Target, Trace, TracedFile, value


@value()
class Known:
    """What is known about one pack, and what there is beside it.

    `entry` is the path of its entrypoint, `files` are its first-party files by path; `dropped` are paths that distributions have
    and that do not ship. `project` maps every file of the project to where it would ship; `included` and `excluded` map those
    that patterns of the config name to the pattern; `config` has all entries of its lists.
    """

    pack: str
    entry: str
    files: Mapping[str, TracedFile]
    trace: Trace
    resolution: Resolution
    dropped: frozenset[str]
    lock: Lock
    target: Target
    project: Mapping[str, str]
    included: Mapping[str, str]
    excluded: Mapping[str, str]
    config: tuple[ConfigEntry, ...]


def is_folder(name: str, known: Known) -> bool:
    """Whether a path, or a package's dotted name, is a folder of the project."""
    starts = tuple(f"{folder}/" for folder in (name, name.replace(".", "/")))
    return any(path.startswith(starts) or ships_as.startswith(starts) for path, ships_as in known.project.items())


def label(distribution: Distribution) -> str:
    """A distribution as it is shown: `pyyaml==6.0.3`, as origins in a Tree are."""
    return f"{distribution.name}=={distribution.version}"


def config_link(option: str, entry: str, leads_to: str, known: Known) -> Link:
    """The step that an entry of the config takes."""
    found = (e.evidence for e in known.config if e.option == option and e.entry == entry)
    return Link(kind="config", evidence=next(found, Evidence(file=option, line=0)), leads_to=leads_to, text=f"{option}: {entry}")


def naming(option: str, distribution: str, known: Known) -> str:
    """The entry of an option that names a distribution, in whatever spelling; an empty string when none does."""
    entries = (e.entry for e in known.config if e.option == option)
    return next((entry for entry in entries if canonicalize_name(entry) == distribution), "")
