"""Why a name is not in a pack: each function in `RULES` looks for one kind of reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from monopack.explain.known import Known, config_link, is_folder, label, naming
from monopack.explain.names import tidy
from monopack.model import Evidence, Import, Link, Omitted, Reason, Shipped, value


@value()
class Question:
    """A name that is not in a pack; `spellings` are the canonical names of distributions that it may stand for."""

    name: str
    spellings: tuple[str, ...]
    known: Known


def reasons(name: str, known: Known, likely: Sequence[str]) -> tuple[Reason, ...]:
    """Every reason why a name is not in a pack; none when nothing is known of it."""
    name = tidy(name)
    question = Question(name=name, spellings=tuple(dict.fromkeys((canonicalize_name(name), *likely))), known=known)
    return tuple(reason for rule in RULES for reason in rule(question)) if name else ()


Rule = Callable[[Question], Iterator[Reason]]


# ---------------------------------------------------------------- what is in the project


def excluded(question: Question) -> Iterator[Reason]:
    """A file of the project that `exclude` keeps out."""
    known = question.known
    for path in _project_files(question):
        if pattern := known.excluded.get(path):
            place = config_link("exclude", pattern, path, known)
            yield Reason(kind="excluded", message=f"{path} is kept out by exclude", places=(place,))


def unreached(question: Question) -> Iterator[Reason]:
    """A file of the project that nothing leads to, or a folder of which that is true for every file."""
    if is_folder(question.name, question.known):
        yield Reason(
            kind="unreached", message=f"{question.name} is a folder of the project, but nothing in the pack imports a file in it"
        )
    for path in _project_files(question):
        if path not in question.known.excluded:
            code = path.endswith(".py")
            what = "nothing in the pack imports it" if code else "no pattern of include names it"
            yield Reason(kind="unreached", message=f"{path} is in the project, but {what}")


def _project_files(question: Question) -> list[str]:
    """The files of the project that have the name, as a path or a module."""
    wanted = {question.name} | {f"{question.name.replace('.', '/')}{end}" for end in (".py", "/__init__.py")}
    return sorted(path for path, ships_as in question.known.project.items() if path in wanted or ships_as in wanted)


def missing(question: Question) -> Iterator[Reason]:
    """A module of a first-party package that there is not, or a name that a first-party module does not have."""
    modules = [wanted for wanted in question.known.trace.missing if not wanted.attribute]
    names = [wanted for wanted in question.known.trace.missing if wanted.attribute]
    yield from _unprovided(question, modules, "missing", "there is no such module in its package")
    yield from _unprovided(question, names, "missing", "its module has no such name")


# ---------------------------------------------------------------- what others provide


def standard(question: Question) -> Iterator[Reason]:
    """A module of the standard library."""
    known, top = question.known, question.name.partition(".")[0]
    if top in known.target.stdlib | known.target.builtins:
        version = ".".join(known.target.version.split(".")[:2])
        message = f"{question.name} is in the standard library of Python {version}, which the pack runs on"
        yield Reason(kind="standard-library", message=message, places=_code(_named(question, known.trace.standard)))


def platform(question: Question) -> Iterator[Reason]:
    """A distribution that the platform has, or an import of one."""
    known, top = question.known, question.name.partition(".")[0]
    named = [(d, e) for d in question.spellings if (e := naming("exclude_distributions", d, known))]
    imports = _named(question, known.trace.imports)
    if named or top in known.resolution.platform:
        places = (*(config_link("exclude_distributions", entry, name, known) for name, entry in named), *_code(imports))
        message = f"{named[0][0] if named else top} is left to the platform by exclude_distributions"
        yield Reason(kind="platform", message=message, places=places)


def pinned(question: Question) -> Iterator[Reason]:
    """A pinned distribution that the pack does not need."""
    known = question.known
    for pin in (known.lock.pins[name] for name in question.spellings if name in known.lock.pins):
        if naming("exclude_distributions", pin.name, known) or _ships(pin.name, known):
            continue
        title = f"{pin.name}=={pin.version} is pinned"
        place = (Link(kind="lock", evidence=pin.evidence, leads_to=pin.name),)
        if pin.development:
            yield Reason(kind="development", message=f"{title} for development only", places=place)
        elif entry := naming("test_distributions", pin.name, known):
            place = (config_link("test_distributions", entry, pin.name, known),)
            yield Reason(kind="tests", message=f"{title}, and test_distributions names it: only tests get it", places=place)
        elif omitted := [each for each in known.resolution.left_out if each.name == pin.name]:
            message = f"{title}, and left out because what would import it can do without; optional and import_rules decide that"
            yield Reason(kind="optional", message=message, places=(*place, *(_would_import(each, known) for each in omitted)))
        else:
            yield Reason(kind="unneeded", message=f"{title}, but nothing in the pack needs it", places=place)


def _would_import(omitted: Omitted, known: Known) -> Link:
    """The module of a distribution that would import a pin."""
    by = next(label(s.distribution) for s in known.resolution.shipped if s.distribution.name == omitted.distribution)
    text = f"would import {omitted.wanted} in {omitted.module}"
    return Link(kind="requirement", evidence=Evidence(file=by, line=0), leads_to=omitted.name, text=text)


def dropped(question: Question) -> Iterator[Reason]:
    """A path of several distributions that have different files there."""
    if question.name in question.known.dropped:
        shipped = question.known.resolution.shipped
        owners = [label(s.distribution) for s in shipped if question.name in {m.path for m in s.distribution.members}]
        yield Reason(kind="dropped", message=f"{' and '.join(owners)} have different files there, and neither ships")


def condition(question: Question) -> Iterator[Reason]:
    """A distribution that others in the pack require only elsewhere, or for an extra that nobody asks for."""
    known, name = question.known, question.spellings[0]
    if naming("exclude_distributions", name, known):
        return
    requiring = [(s, r) for s in known.resolution.shipped for r in _requirements(s) if canonicalize_name(r.name) == name]
    if requiring:
        message = "it is required only where something holds that does not hold here"
        yield Reason(kind="condition", message=message, places=tuple(_requires(s, r, name) for s, r in requiring))


def _requirements(shipped: Shipped) -> Iterator[Requirement]:
    """What a distribution requires conditionally; lines that cannot be read are left out."""
    for line in shipped.distribution.requires:
        with suppress(InvalidRequirement):
            if (requirement := Requirement(line)).marker:
                yield requirement


def _requires(shipped: Shipped, requirement: Requirement, leads_to: str) -> Link:
    place = Evidence(file=label(shipped.distribution), line=0)
    return Link(kind="requirement", evidence=place, leads_to=leads_to, text=f"requires {requirement}")


def unresolved(question: Question) -> Iterator[Reason]:
    """An import that nothing provides."""
    said = f"no first-party file and no distribution{f' of {lock}' if (lock := question.known.lock.path) else ''} provides it"
    yield from _unprovided(question, question.known.resolution.unresolved, "unresolved", said)


RULES: tuple[Rule, ...] = (excluded, unreached, standard, platform, pinned, dropped, condition, unresolved, missing)


# ---------------------------------------------------------------- imports


def _unprovided(question: Question, imports: Iterable[Import], kind: str, said: str) -> Iterator[Reason]:
    """Imports of the name that fail when they run; those that the code guards apart. A folder alone can be imported."""
    named = [] if is_folder(question.name, question.known) else _named(question, imports)
    guarded = [wanted for wanted in named if wanted.optional]
    open_ones = [wanted for wanted in named if not wanted.optional]
    if open_ones:
        yield Reason(kind=kind, message=f"it is imported, but {said}", places=_code(open_ones))
    if guarded:
        yield Reason(kind="guarded", message=f"its import is guarded, and {said}", places=_code(guarded))


def _named(question: Question, imports: Iterable[Import]) -> list[Import]:
    """The imports of a name or of what is in it."""
    name = question.name
    return [wanted for wanted in imports if wanted.name == name or f"{wanted.dotted}.".startswith(f"{name}.")]


def _code(imports: Iterable[Import]) -> tuple[Link, ...]:
    """The lines that import, none twice."""
    links = (Link(kind="code", evidence=i.evidence, leads_to=i.dotted, reach=i.reach) for i in imports)
    return tuple({link.evidence: link for link in links}.values())


def _ships(name: str, known: Known) -> bool:
    return any(shipped.distribution.name == name for shipped in known.resolution.shipped)
