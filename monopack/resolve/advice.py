"""What to tell about imports that nothing provides, and the way out of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches

from packaging.utils import canonicalize_name

from monopack.model import Failure, Import, Lock, Reach
from monopack.resolve.candidates import called, likely_distribution, pinned_names, standard_names, versions_with
from monopack.resolve.wanted import Wanted

NATIVE = (".so", ".pyd")


def judge(
    imports: Iterable[Import], lock: Lock, modules: Callable[[], Iterable[str]], *, strict: bool
) -> tuple[tuple[Failure, ...], tuple[str, ...]]:
    """Failures and warnings for imports that nothing provides, one for each module; `strict` makes lazy ones failures too.

    `modules` gives the project's own, for "did you mean"; it is asked only when something is missing. An import that the code
    itself guards is neither.
    """
    places: dict[tuple[str, str], list[Import]] = {}  # by module, and of a shared package by what is wanted of it
    for wanted in sorted(imports, key=lambda i: (i.reach is Reach.LAZY, i.evidence.file, i.evidence.line)):
        if not wanted.optional:
            places.setdefault((wanted.name, _likely(wanted, lock)), []).append(wanted)
    own = sorted(modules()) if places else []
    failures: list[Failure] = []
    warnings: list[str] = []
    for first, *more in places.values():
        failure = _nothing_provides(first, len({m.evidence for m in more} - {first.evidence}), lock, own)
        if strict or first.reach is Reach.EAGER:
            failures.append(failure)
        else:
            warnings.append(f"{failure.where}: {failure.message}; {failure.hint}")
    return tuple(failures), tuple(warnings)


def _nothing_provides(wanted: Import, more: int, lock: Lock, modules: Sequence[str]) -> Failure:
    also = f" (and {more} more of its imports)" if more else ""
    nobody = f"no first-party file and no distribution of {lock.path} provides"
    nowhere = "no first-party file provides, and there is no lock to take it from"
    return Failure(
        kind="import", missing=wanted.name, where=str(wanted.evidence), hint=_remedy(wanted, lock, modules),
        message=f"{_spelled(wanted)}, which {nobody if lock.path else nowhere}{also}",
    )  # fmt: skip


def _remedy(wanted: Import, lock: Lock, modules: Sequence[str]) -> str:
    """The likeliest way out: another spelling, another Python, another group of pins, or a new pin."""
    likely = _likely(wanted, lock)
    if not wanted.evidence.line and likely not in lock.pins:
        return "check the spelling"
    top = wanted.name.partition(".")[0]
    close = get_close_matches(wanted.dotted, modules, n=1, cutoff=0.85) or get_close_matches(
        wanted.name, modules, n=1, cutoff=0.85
    )
    if close:
        return f"did you mean {close[0]}?"
    if any(module.startswith(f"{top}.") for module in modules):
        return f"{top} is the project's own: check the spelling, or add the folder that holds it to source_roots"
    if versions := versions_with(top):
        return f"{top} is in the standard library of Python {versions} only"
    if likely in lock.pins and lock.pins[likely].development:
        return f"{likely} is pinned for development only: make it a dependency of the project"
    if meant := _misspelt(top, lock):
        return f"did you mean {meant}? If not, {_how_to_pin(likely, lock)}"
    if not lock.path:
        return _how_to_pin(likely, lock)
    return f'{_how_to_pin(likely, lock)}, or say what provides it in monopack.toml: [module_map]  {top} = "..."'


def _misspelt(top: str, lock: Lock) -> str:
    """What a top-level name is nearly: a module of a pin, or of the standard library; empty when it is known or like none."""
    if likely_distribution(top) != canonicalize_name(top):
        return ""
    pinned = get_close_matches(top, pinned_names(lock.pins.keys()), n=1, cutoff=0.8)
    return next(iter(pinned or get_close_matches(top, standard_names(), n=1, cutoff=0.9)), "")


def _likely(wanted: Import, lock: Lock) -> str:
    return likely_distribution(wanted.name, wanted.attribute, lock.pins)


def _how_to_pin(distribution: str, lock: Lock) -> str:
    if not lock.path:
        locks = "uv.lock, poetry.lock, pdm.lock, Pipfile.lock or pylock.toml"
        return f"in the project's root: echo {distribution} >> requirements.txt (or lock it: {locks})"
    command = {"uv": "uv add", "poetry": "poetry add", "pdm": "pdm add", "pipenv": "pipenv install"}.get(lock.dialect)
    return f"{command} {distribution}" if command else f"add {distribution} to {lock.path}"


def unused_exclusions(wanted: Wanted, lock: Lock) -> tuple[str, ...]:
    """A warning for each excluded distribution that is neither pinned nor imported, but spelt nearly like one that is."""
    named = {name for i in wanted.imports for name in called(i.dotted)} | lock.pins.keys()
    close = {name: get_close_matches(name, sorted(named), n=1, cutoff=0.8) for name in sorted(wanted.excluded - named)}
    said = "exclude_distributions names {}, which is neither pinned nor imported, did you mean {}?"
    return tuple(said.format(name, found[0]) for name, found in close.items() if found)


def _spelled(wanted: Import) -> str:
    """An import as its author thinks of it; what has no line is named by the config."""
    if not wanted.evidence.line:
        return f"names {wanted.name}"
    return f"imports {wanted.attribute} from {wanted.name}" if wanted.attribute else f"imports {wanted.name}"


def not_there(
    imports: Sequence[Import], modules: Callable[[], Iterable[str]], *, strict: bool
) -> tuple[tuple[Failure, ...], tuple[str, ...]]:
    """Failures and warnings for first-party modules and names that do not exist, as `judge` gives them for third-party ones."""
    own = sorted(modules()) if imports else []
    failures: dict[str, Failure] = {}
    warnings: dict[str, None] = {}
    for wanted in imports:
        if wanted.optional:
            continue
        failure = _absent(wanted, own)
        line = f"{failure.where}: {failure.message}"
        if strict or wanted.reach is Reach.EAGER:
            failures[line] = failure
        else:
            warnings[line] = None
    return tuple(failures.values()), tuple(warnings)


def _absent(wanted: Import, modules: Sequence[str]) -> Failure:
    """What is wrong with an import that leads nowhere inside the project; only a module can be `missing`."""
    close = get_close_matches(wanted.dotted, modules, n=1, cutoff=0.85)
    missing, reason, hint = wanted.dotted, "but there is no such module in its package", "check the spelling"
    if wanted.name.startswith("."):
        missing, reason, hint = "", "which is above the top of its package", "use fewer dots, or an absolute import"
    elif wanted.attribute:
        missing, reason = "", "which has no such name"
    if wanted.near.endswith(NATIVE):
        missing, reason = "", f"and {wanted.near} is not for the pack's Python"
        hint = "build it for that Python, or build the pack with its own: --python PYTHON"
    elif meant := close[0] if close else wanted.near:
        hint = f"did you mean {meant}?"
    return Failure(kind="import", missing=missing, where=str(wanted.evidence), message=f"{_spelled(wanted)}, {reason}", hint=hint)


def way_out(failure: Failure, pack: str, lock: Lock, *, ours: bool) -> str:
    """What to add to the config or the lock for a module that was missing when code ran: no import shows it.

    `ours` says that the module is first-party.
    """
    table = f"add to monopack.toml: [packs.{pack}]"
    if ours:
        return f'{table}  extra_modules = ["{failure.missing}"]'
    likely = likely_distribution(failure.missing, pins=lock.pins)
    if likely not in lock.pins:
        return _how_to_pin(likely, lock) if lock.path else f"pin {likely} in the project's lock"
    key = "test_distributions" if failure.kind == "tests" else "extra_distributions"
    return f'{table}  {key} = ["{likely}"]'


def metadata_of(distribution: str, pack: str, lock: Lock) -> str:
    """What to do when code looks for the metadata of a distribution that does not ship."""
    if canonicalize_name(distribution) in lock.pins:
        return f'add to monopack.toml: [packs.{pack}]  extra_distributions = ["{distribution}"]'
    folder = f"{distribution.replace('-', '_')}-VERSION.dist-info"
    return f'pin it, or commit {folder}/METADATA and add to monopack.toml: [packs.{pack}]  include = ["{folder}/**"]'
