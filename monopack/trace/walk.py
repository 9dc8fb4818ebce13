"""Following imports: which first-party files an entry module reaches, eagerly or lazily, and what is left for others to provide.

`walk` is a generator: it yields the paths it wants to know about and is sent their facts, so that only reachable files are
ever read and the thinking touches no disk.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from monopack.errors import PackError
from monopack.model import Edge, Evidence, Import, MetadataUse, Reach, Target, Trace, TracedFile, value
from monopack.trace.findings import App, Data, Matching, Mention, Needed, Reference, Spot
from monopack.trace.having import Having
from monopack.trace.meaning import Meaning, Meanings, Place, absolute, refuse_link, too_many_dots
from monopack.trace.names import ANYTHING, Names
from monopack.trace.reading import read
from monopack.trace.rules.settings import APP_DATA, APP_MODULES
from monopack.trace.sources import SOURCE, Facts, SourceTree

INCLUDE = Evidence(file="include", line=0)

# What tells one import from another, as edges are told apart, too: values compute their hashes in Python, and there are too many.
Key = tuple[str, str, str, int, Reach, bool]

Walk = Generator[frozenset[str], dict[str, Facts], Trace]


@value()
class Start:
    """Where a walk begins: a module's dotted name (or, when `path` is set, a file), why, and how it is reached."""

    name: str
    because: Evidence
    reach: Reach = Reach.LAZY
    path: str = ""


class Step(NamedTuple):
    """A file to visit, how it is reached and what led there.

    With `asked` it is only to know which names it has; with `ships_as` it is data that ships there.
    """

    path: str
    reach: Reach
    because: Evidence
    rule: str = ""
    asked: bool = False
    ships_as: str = ""


class Doubt(NamedTuple):
    """A string that names a module only if another one has something of that name, and where the string stands."""

    mention: Mention
    place: Place
    module: str
    attribute: str


class Question(NamedTuple):
    """A reference whose answer needs the facts of other files: what it means so far, and where it stands."""

    reference: Reference
    place: Place
    meaning: Meaning

    @property
    def reach(self) -> Reach:
        """How what it means is reached."""
        return Reach.LAZY if self.reference.lazy else self.place.reach


def walk(module: str, starts: Sequence[Start], tree: SourceTree, target: Target) -> Walk:
    """Trace from starts to everything they reach.

    Yields sets of project-relative paths and must be sent the `Facts` of each; returns the `Trace` of `module`. The eager
    part is walked first, so a file's reach is known when it is visited. Raises `PackError` with `file:line` for a reached
    file that cannot be read or parsed, and for a relative import that cannot work.
    """
    trail = _Trail(tree, target)
    for start in starts:
        trail.begin(start)
    for reach in (Reach.EAGER, Reach.LAZY):
        while steps := trail.steps(reach):
            facts = yield frozenset(step.path for step in steps)
            for step in steps:
                trail.visit(step, facts[step.path])
    return trail.traced(module)


def starts_of(module: str, extra: Sequence[Start], files: Iterable[str], tree: SourceTree) -> tuple[Start, ...]:
    """The starts of a pack: its entry module, what its config adds, and the Python files its `include` names."""
    entry = tree.locate(module)
    if entry is None:
        raise PackError(f"the entry module {module} is excluded from its own pack", hint="narrow the exclude patterns")
    here = Evidence(file=entry, line=0)
    included = [Start(name=tree.module(p), path=p, because=INCLUDE) for p in sorted(files) if p.endswith(SOURCE)]
    return (Start(name=module, because=here, reach=Reach.EAGER), *extra, *included)


def usable(facts: Facts, because: Evidence) -> Facts:
    """The facts of a reached file, or the reason why the pack cannot be built with it."""
    if facts.error is None:
        return facts
    problem = facts.error
    raise PackError(problem.message, where=str(problem.where), hint=problem.hint or f"reached from {because}")


class _Trail:
    """What a walk has found so far, and where it goes next."""

    def __init__(self, tree: SourceTree, target: Target) -> None:
        self.tree = tree
        self.meanings = Meanings(tree, target)
        self.files: dict[str, TracedFile] = {}
        self.names: dict[str, Names] = {}
        self.imports: dict[Key, Import] = {}
        self.standard: dict[Key, Import] = {}
        self.missing: dict[Import, None] = {}  # dicts as ordered sets
        self.edges: dict[tuple[str, Reach, str, str, int], Evidence] = {}  # path, reach, rule, file and line
        self.metadata: dict[MetadataUse, None] = {}
        self.uses: dict[str, Evidence] = {}
        self.waiting: dict[Reach, dict[str, Step]] = {Reach.EAGER: {}, Reach.LAZY: {}}
        self.stars: dict[str, list[Question]] = {}  # star imports by the module that they take from
        self.submodules: dict[str, list[Question]] = {}  # `from package import submodule`, by the package
        self.bases: dict[str, list[str]] = {}  # the modules that a file takes everything from; an empty string for one of others
        self.having = Having(names=self.names, bases=self.bases, tree=tree)
        self.questions: list[Question] = []
        self.behind: dict[str, list[tuple[Reference | Matching, Place]]] = {}  # what a file imports when it is asked for a name
        self.used: dict[str, dict[str, None]] = {}  # the names that a file is asked for
        self.places: dict[str, Mapping[str, Sequence[Spot]]] = {}
        self.data: dict[str, TracedFile] = {}  # by where it ships
        self.reads: list[tuple[Data, Evidence]] = []
        self.doubts: dict[str, list[Doubt]] = {}  # by the file that answers them
        self.apps: dict[str, tuple[App, Place]] = {}  # by the names of packages
        self.installed: dict[tuple[str, str], None] = {}  # these names, each with what was imported then
        self.notes: dict[str, None] = {}

    def begin(self, start: Start) -> None:
        """Go to a start."""
        if start.path:
            self._wait(start.path, start.reach, start.because)
            self._use(start.path, ANYTHING)
        else:
            self._follow(Reference(name=start.name, line=0), Place(evidence=start.because, reach=start.reach))

    def steps(self, reach: Reach) -> list[Step]:
        """The files to visit next; none when all that is reached in that way is known."""
        if reach is Reach.LAZY and not self.waiting[reach]:
            self._install()
            if beside := [*self._asked(), *self._read()]:
                return beside
            self._settle()
        waiting = self.waiting[reach]
        packages = waiting.keys() & self.submodules.keys()  # they tell what else there is to visit as near as they are
        return [waiting.pop(path) for path in sorted(packages or waiting)]

    def visit(self, step: Step, facts: Facts) -> None:
        """Take in a file."""
        if step.asked:
            self._answer(step.path, facts)
        elif step.ships_as:
            self._take_data(step, facts)
        else:
            self._take(step, facts)

    def _take(self, step: Step, facts: Facts) -> None:
        """Take in a module, and follow what it imports."""
        known = usable(facts, step.because)
        ships_as = self.tree.ships_as(step.path)
        module = self.tree.module_at(ships_as)
        self.files[step.path] = TracedFile(
            source=known.source, ships_as=ships_as, module=module, reach=step.reach, because=step.because, rule=step.rule
        )
        self.names[step.path] = known.names
        for waiting in self.waiting.values():
            waiting.pop(step.path, None)
        for star in self.stars.get(step.path, ()):
            self._follow_star(star)
        for question in self.submodules.pop(step.path, ()):
            self._follow_submodule(question)
        if "." not in module:
            self._note_twins(step.path, module)
        package = module if self.tree.is_package(step.path) else module.rpartition(".")[0]
        imports: tuple[Reference | Matching, ...] = (*known.references, *known.matching)
        for found in imports:
            place = Place(Evidence(file=step.path, line=found.line), step.reach, package)
            self._import(found, place)
        self._take_rest(known, step)

    def _take_rest(self, known: Facts, step: Step) -> None:
        """Take in what a module says beside its imports: of most modules nothing."""
        for remark in known.remarks:
            self.notes[f"{step.path}:{remark.line}: {remark.text}"] = None
        self.places[step.path] = known.places
        self.reads.extend((data, Evidence(file=step.path, line=data.line)) for data in known.data)
        for mention in known.mentions if self.tree.strings else ():
            self._mention(mention, Place(evidence=Evidence(file=step.path, line=mention.line), reach=Reach.LAZY))
        for app in known.apps:
            if self.tree.is_folder(app.name):
                self.apps.setdefault(app.name, (app, Place(evidence=Evidence(file=step.path, line=app.line), reach=Reach.LAZY)))
        for needed in known.needs:
            self._consult(needed, step)
        for name, line in known.uses.items():
            if name not in self.uses:
                self.uses[name] = Evidence(file=step.path, line=line)

    def _note_twins(self, path: str, module: str) -> None:
        """Tell of a module at the top that it hides others."""
        for twin in self.tree.twins(module):
            self.notes[f"{path} hides {twin}, as both are called {module}; the first of source_roots counts"] = None

    def traced(self, module: str) -> Trace:
        """All that was found."""
        return Trace(
            module=module, files=(*self.files.values(), *self.data.values()), imports=tuple(self.imports.values()),
            missing=tuple(self.missing), standard=tuple(self.standard.values()), notes=tuple(self.notes),
            metadata=tuple(self.metadata), uses=self.uses,
            edges=tuple(
                Edge(evidence=evidence, path=path, reach=reach, rule=rule)
                for (path, reach, rule, _, _), evidence in self.edges.items()
            ),
        )  # fmt: skip

    def _import(self, found: Reference | Matching, place: Place) -> None:
        """Follow what a file imports, at once or when it is asked for a name that stands for it."""
        reference = found if isinstance(found, Reference) else found.reference
        path = place.evidence.file
        if reference.behind:
            self.behind.setdefault(path, []).append((found, place))
            if not _asked_for(reference.behind, self.used.get(path, {})):
                return
        self._go(found, place)

    def _go(self, found: Reference | Matching, place: Place) -> None:
        if isinstance(found, Reference):
            self._follow(found, place)
        else:
            self._follow_matching(found, place)

    def _use(self, path: str, name: str) -> None:
        """Note that a module is asked for a name, or for any; import what stands behind it."""
        used = self.used.setdefault(path, {})
        if name in used:
            return
        used[name] = None
        for found, place in self.behind.get(path, ()):
            reference = found if isinstance(found, Reference) else found.reference
            if _asked_for(reference.behind, {name: None}):
                self._go(found, place)

    def _follow_matching(self, found: Matching, place: Place) -> None:
        """Import all modules that match; where none does, the package that they would be in."""
        pattern = absolute(found.reference, place.package)
        reference = found.reference._replace(level=0, anchor="", lazy=True, optional=found.optional, rule=found.rule)
        modules = self.tree.modules_like(pattern) if pattern else []
        for module in modules:
            self._follow(reference._replace(name=module), place)
        parent = re.split(r"[*?]", pattern or "")[0].rpartition(".")[0]
        if parent and not modules:
            self._follow(reference._replace(name=parent), place)
        ours = not parent or self.tree.locate(parent) or self.tree.is_folder(parent)
        if ours and not modules and found.rule != "listed_modules":  # to list none is no mistake
            note = f"{place.evidence}: no module of the project is called {pattern}; name what is imported there in extra_modules"
            self.notes[note] = None

    def _follow(self, reference: Reference, place: Place) -> None:
        """Go where a reference leads, and note what it needs of others."""
        meaning = self.meanings.of(reference, place)
        question = Question(reference, place, meaning)
        if meaning.package and reference.rule == "from_statement":
            self._follow_submodule(question)
        else:
            self._arrive(question)

    def _follow_submodule(self, question: Question) -> None:
        """Import a submodule by its package, unless that has something else of the name for good: this comes first."""
        meaning, package = question.meaning, question.meaning.package
        if package not in self.names:
            for path in meaning.files[:-1]:
                self._lead(path, question.reach, question.place.evidence, question.reference.rule)
            self.submodules.setdefault(package, []).append(question)
        elif meaning.attribute in self.names[package].first:
            self._arrive(question._replace(meaning=meaning._replace(files=meaning.files[:-1], holder=package, package="")))
        else:
            self._arrive(question)

    def _arrive(self, question: Question) -> None:
        """Go to the files that a reference means, and keep what only those tell."""
        reference, place, meaning, reach = question.reference, question.place, question.meaning, question.reach
        if meaning.beyond and reach is Reach.EAGER:
            raise too_many_dots(reference, place)
        for path in meaning.files:
            self._lead(path, reach, place.evidence, reference.rule)
        for path, name in _uses(reference, meaning):
            if path != place.evidence.file or name != ANYTHING or not reference.line:  # a start is taken as a whole
                self._use(path, name)
        if reference.attribute == ANYTHING:
            self._take_star(question)
        if meaning.missing or meaning.folder or (meaning.holder and meaning.attribute):
            self.questions.append(question)
        if meaning.others and not meaning.missing:
            wanted = _wanted(question)
            kept = self.standard if meaning.standard else self.imports
            where = place.evidence
            kept.setdefault((wanted.name, wanted.attribute, where.file, where.line, wanted.reach, wanted.optional), wanted)

    def _consult(self, needed: Needed, step: Step) -> None:
        """Note that a file reads metadata of distributions."""
        use = MetadataUse(
            distribution=needed.distribution, group=needed.group, evidence=Evidence(file=step.path, line=needed.line),
            reach=Reach.LAZY if needed.lazy else step.reach,
        )  # fmt: skip
        self.metadata[use] = None

    def _take_star(self, star: Question) -> None:
        """Keep a star import until the module that it takes from is known."""
        holder = star.meaning.holder
        self.stars.setdefault(holder, []).append(star)
        self.bases.setdefault(star.place.evidence.file, []).append(holder)
        if holder in self.names:
            self._follow_star(star)

    def _follow_star(self, star: Question) -> None:
        """Import the submodules that the `__all__` of a package names, as `from package import *` does."""
        holder = star.meaning.holder
        names, package = self.names[holder], self.tree.module(holder)
        for name, surely in names.exported.items():
            if self.tree.is_package(holder) and self.tree.locate(f"{package}.{name}"):
                lazy = star.reference.lazy or not surely or name in names.bound
                self._follow(star.reference._replace(attribute=name, lazy=lazy), star.place)

    def _lead(self, path: str, reach: Reach, because: Evidence, rule: str = "") -> None:
        """Note an import of a file, and visit it."""
        if path not in self.files:
            self._wait(path, reach, because, rule)
        self._edge(path, reach, because, rule)

    def _edge(self, path: str, reach: Reach, because: Evidence, rule: str) -> None:
        """Note an edge once."""
        self.edges.setdefault((path, reach, rule, because.file, because.line), because)

    def _wait(self, path: str, reach: Reach, because: Evidence, rule: str = "") -> None:
        if path not in self.files and path not in self.waiting[reach]:
            self.waiting[reach][path] = Step(path=path, reach=reach, because=because, rule=rule)

    # ------------------------------------------------------------ data, and strings that name modules

    def _read(self) -> list[Step]:
        """The files to take in because code reads them, as far as it is known now; code among them is followed."""
        steps: dict[str, Step] = {}
        reads, self.reads = self.reads, []
        for data, evidence in reads:
            for each in read(data, evidence, self.places, self.tree):
                self.notes |= dict.fromkeys(filter(None, [each.note]))
                for path, ships_as in each.files.items():
                    if path.endswith(SOURCE):
                        self._lead(path, Reach.LAZY, evidence, data.rule)
                    else:
                        self._edge(path, Reach.LAZY, evidence, data.rule)
                        steps[ships_as] = Step(path, Reach.LAZY, evidence, data.rule, ships_as=ships_as)
        taken = {*self.data, *(file.ships_as for file in self.files.values())}
        return [*(step for ships_as, step in steps.items() if ships_as not in taken), *self._waiting()]

    def _waiting(self) -> list[Step]:
        """What has begun to wait for a visit."""
        steps = list(self.waiting[Reach.LAZY].values())
        self.waiting[Reach.LAZY].clear()
        return steps

    def _take_data(self, step: Step, facts: Facts) -> None:
        """Let a file ship that code reads; nothing follows from it."""
        source = usable(facts, step.because).source
        self.data[step.ships_as] = TracedFile(
            source=source, ships_as=step.ships_as, module="", reach=Reach.LAZY, because=step.because, rule=step.rule
        )  # fmt: skip

    def _install(self) -> None:
        """Import what Django does of the packages that are its apps, if the pack imports Django; settings alone only name it."""
        if not self.apps:
            return
        imports = [wanted for wanted in self.imports.values() if wanted.name.partition(".")[0] == "django"]
        if all(wanted.optional for wanted in imports):
            return
        for needed, pattern in APP_MODULES.items():
            if any(f"{wanted.dotted}.".startswith(f"{needed}.") for wanted in imports):
                for name in [name for name in self.apps if (name, needed) not in self.installed]:
                    self.installed[name, needed] = None
                    self._take_app(*self.apps[name], pattern)

    def _take_app(self, app: App, place: Place, pattern: re.Pattern[str]) -> None:
        """Import an app, and the modules in it that match; let the data ship that Django finds in its folders."""
        reference = Reference(name=app.name, line=app.line, lazy=True, optional=True, dynamic=True, rule=app.rule)
        below = self.tree.below(app.name)
        modules = {self.tree.module(path) for path in below if path.endswith(self.tree.suffixes)}
        named = sorted(name for name in modules if pattern.fullmatch(name.removeprefix(f"{app.name}.")))
        for name in [app.name, *named]:
            self._follow(reference._replace(name=name), place)
        tops = {self.tree.ships_as(path).removeprefix(f"{app.name.replace('.', '/')}/").partition("/")[0] for path in below}
        for folder in APP_DATA:
            if folder in tops:
                data = Data(spot=Spot(start=app.name, path=folder), line=app.line, rule=app.rule)
                self.reads.append((data, place.evidence))

    def _mention(self, mention: Mention, place: Place) -> None:
        """Follow a string that names a module; keep one that names something in it until that is known."""
        module, attribute = mentioned(mention, self.tree)
        path = self.tree.locate(module) if module else None
        own = f"{self.tree.module(place.evidence.file)}."
        if path and not own.startswith(f"{module}."):  # its own module, and those around it, are there already
            doubt = Doubt(mention=mention, place=place, module=module, attribute=attribute)
            if attribute and path not in self.names:
                self.doubts.setdefault(path, []).append(doubt)
            elif not attribute:
                self._import_mentioned(doubt)

    def _asked(self) -> list[Step]:
        """The files that have to be looked at before strings can be told from names."""
        return [
            Step(path=path, reach=Reach.LAZY, because=each[0].place.evidence, asked=True) for path, each in self.doubts.items()
        ]

    def _answer(self, path: str, facts: Facts) -> None:
        """Import what strings name, where the module has a name that they have after it."""
        for doubt in self.doubts.pop(path):
            if facts.error is None and _surely_has(facts.names, doubt.attribute):
                self._import_mentioned(doubt)

    def _import_mentioned(self, doubt: Doubt) -> None:
        mention = doubt.mention
        reference = Reference(name=doubt.module, line=mention.line, lazy=True, optional=True, dynamic=True, rule=mention.rule)
        self._follow(reference, doubt.place)

    # ------------------------------------------------------------ what can be told only when all is known

    def _settle(self) -> None:
        """Answer what was left open: names and modules that may be there or not, and folders of which nothing is reached."""
        given = frozenset[str]().union(*(names.given for names in self.names.values()))
        questions, self.questions = self.questions, []
        for question in questions:
            meaning, because = question.meaning, question.place.evidence
            if self._may_be_there(question, given):
                continue
            if self.tree.is_folder(meaning.dotted):
                self._fill(meaning.dotted, because)
            elif not self.tree.excludes(meaning.dotted) and not self.tree.holds(meaning.dotted):
                refuse_link(meaning.dotted, because, self.tree)
                self.missing[replace(_wanted(question), near=self.having.near(meaning))] = None

    def _may_be_there(self, question: Question, given: frozenset[str]) -> bool:
        """Whether what was not found may be there all the same; wherever there is a doubt, it may.

        `given` are attributes that any file sets on objects of others.
        """
        meaning = question.meaning
        if meaning.missing:
            return any(self.names[path].open for path in meaning.files[-1:])
        if meaning.holder:
            return self.having.may_have(meaning) or question.reference.dynamic or meaning.attribute in given or ANYTHING in given
        return False

    def _fill(self, folder: str, because: Evidence) -> None:
        """Let a folder that is imported itself be there: where nothing below it ships, the modules that lie nearest do.

        Of a folder at the top nothing ships: its name may be that of a distribution.
        """
        below = f"{folder.replace('.', '/')}/"
        if "." in folder and not any(file.ships_as.startswith(below) for file in self.files.values()):
            for path in self.tree.nearest_in(folder):
                self._lead(path, Reach.LAZY, because)


def _asked_for(behind: str, names: Mapping[str, None]) -> bool:
    """Whether one of the names that a module is asked for may be the one that something stands behind."""
    return behind in names or ANYTHING in names or (behind == ANYTHING and bool(names))


def _uses(reference: Reference, meaning: Meaning) -> list[tuple[str, str]]:
    """The modules that a reference asks for names, and these names; `*` where the module as a whole is taken."""
    if reference.attribute and meaning.holder:
        return [(meaning.holder, reference.attribute)]
    whole = meaning.files if reference.rule == "import_statement" else meaning.files[-1:]  # `import a.b` gives `a` as well
    return [(path, ANYTHING) for path in whole]


def mentioned(mention: Mention, tree: SourceTree) -> tuple[str, str]:
    """The longest module that a string names, and the name after it that this has to have; two empty strings for none."""
    name, _, attribute = mention.name.partition(":")
    parts = [] if attribute and not tree.locate(name) else name.split(".")
    for end in range(len(parts), 0, -1):
        if tree.locate(module := ".".join(parts[:end])):
            return module, (*parts[end:], attribute.partition(".")[0])[0]
    return "", ""


def _surely_has(names: Names, name: str) -> bool:
    """Whether a module shows a name: what may be there without being shown proves nothing about a string."""
    return name in names.bound or name in names.exported


def _wanted(question: Question) -> Import:
    """What a reference needs that was not found among first-party files."""
    reference, place, meaning = question.reference, question.place, question.meaning
    return Import(
        name=meaning.base,
        attribute=meaning.attribute,
        evidence=place.evidence,
        reach=question.reach if reference.line else Reach.EAGER,  # what the config names has to be there
        optional=reference.optional or meaning.folder,
        rule=reference.rule,
    )
