"""What to ask about a project, and the files that would begin it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from monopack.model import value
from monopack.scaffold import naming, texts
from monopack.scaffold.roots import roots_of
from monopack.scaffold.values import Findings, Handler, Layout

CONFIG = "monopack.toml"
USUAL = Layout(files=frozenset(), source_roots=())  # what needs no word in a config file
Answers = Mapping[str, bool | str]


@value()
class Question:
    """Something to ask: yes or no, or one of the `choices`; `propose` takes the answer by its `key`, else the `default`."""

    key: str
    text: str
    default: bool | str
    choices: tuple[str, ...] = ()


@value()
class Proposal:
    """The text of each file to create, by its path (POSIX, relative to the project), and what to tell, a line each."""

    files: Mapping[str, str]
    notes: tuple[str, ...]


def questions(findings: Findings) -> tuple[Question, ...]:
    """What to ask before `propose`; every question has a default with which the next build has what it needs."""
    return tuple(_questions(findings))


def _questions(findings: Findings) -> Iterator[Question]:
    if findings.managers and not findings.layout.config:
        text = f"Whose lock holds the pins, {' or '.join(findings.managers)}?"
        yield Question(key="package_manager", text=text, default=findings.managers[0], choices=findings.managers)
    certain = bool(findings.packs) or any(handler.certain for handler in findings.handlers)
    for handler in findings.handlers:
        text = f"Make a pack {handler.pack} of {handler.function} ({handler.path}:{handler.line})?"
        yield Question(key=_key(handler), text=text, default=handler.certain or not certain)
    if _is_empty(findings):
        yield Question(key="example", text="There is no handler. Write an example pack?", default=True)
    if not all(handler.tested for handler in findings.handlers) or _is_empty(findings):
        yield Question(key="tests", text="Write a first test for each new pack that has none?", default=True)
    if findings.blind and not findings.layout.config:
        yield Question(key="skip_tests", text="The tests import pytest, which nothing pins. Build without tests?", default=True)


def _key(handler: Handler) -> str:
    return f"pack {handler.pack}"


def _is_empty(findings: Findings) -> bool:
    return not findings.handlers and not findings.packs


def propose(findings: Findings, answers: Answers | None = None) -> Proposal:
    """The files that begin a project, by what was found and the `answers` to `questions`.

    Packs without a test get a first one, or say that they need none; with that the next build of sound code succeeds.
    """
    given = {question.key: question.default for question in questions(findings)} | dict(answers or {})
    chosen = [handler for handler in findings.handlers if given[_key(handler)]]
    files = {} if findings.layout.config else {CONFIG: _config(findings, given)}
    place = _Place(layout=findings.layout, with_tests=bool(given.get("tests")))
    for handler in chosen:
        files |= place.pack(handler)
    if given.get("example"):
        files |= place.example()
    passed_over = (h for h in findings.handlers if h not in chosen and _key(h) not in (answers or {}))
    notes = [f"{h.path}:{h.line}: {h.function} may be a handler too; no pack was made of it" for h in passed_over]
    return Proposal(files=files, notes=(*findings.notes, *notes))


# ---------------------------------------------------------------- monopack.toml


def _config(findings: Findings, given: Answers) -> str:
    settings = "".join(f"\n# {why}\n{key} = {_toml(setting)}\n" for key, setting, why in _settings(findings, given))
    pack = texts.SKIP_TESTS if given.get("skip_tests") else ""
    return texts.CONFIG_HEAD + settings + texts.CONFIG_PACK.format(settings=pack)


def _settings(findings: Findings, given: Answers) -> Iterator[tuple[str, object, str]]:
    """The settings that differ from the defaults, each with a comment."""
    layout = findings.layout
    if layout.packs_dir != USUAL.packs_dir:
        yield "packs_dir", layout.packs_dir, "The folder that holds one file for each pack."
    if layout.tests_dir != USUAL.tests_dir:
        yield "tests_dir", layout.tests_dir, "The folder that holds the tests."
    if layout.build_dir != USUAL.build_dir:
        yield "build_dir", layout.build_dir, "The folder that artifacts are written to."
    if "package_manager" in given:
        yield "package_manager", given["package_manager"], f"{' and '.join(layout.locks)} could each hold the pins."
    if findings.new_roots:
        yield "source_roots", list(layout.source_roots), "The folders whose children are importable names."


def _toml(setting: object) -> str:
    import tomlkit

    return tomlkit.item(setting).as_string()


# ---------------------------------------------------------------- packs and their tests


@value()
class _Place:
    """Where packs and tests go."""

    layout: Layout
    with_tests: bool

    def pack(self, handler: Handler) -> dict[str, str]:
        """The file of a pack that hands on a handler, and that of its test."""
        exposed = self._exposed()
        imported = handler.function if handler.function == exposed else f"{handler.function} as {exposed}"
        text = texts.PACK.format(
            name=handler.pack, module=handler.module, function=handler.function, imported=imported, exposed=exposed,
            block=self._block(tested=handler.tested),
        )  # fmt: skip
        files = {self._file(handler.pack): text}
        return files if handler.tested else files | self._test(handler.pack, texts.IS_CALLABLE)

    def example(self) -> dict[str, str]:
        """The files of a pack that shows what one is."""
        name = naming.free("hello", (), self.layout.reserved)
        text = texts.EXAMPLE.format(exposed=self._exposed(), block=self._block(tested=False))
        return {self._file(name): text} | self._test(name, texts.GREETS)

    def _exposed(self) -> str:
        """The name that the handler has in a pack."""
        wanted = self.layout.handler
        return wanted if wanted and "." not in wanted else USUAL.handler

    def _block(self, *, tested: bool) -> str:
        """The managed block of a pack, between empty lines; empty when the pack is like all others."""
        lines = [] if tested or self.with_tests else ["require_tests = false"]
        if self.layout.handler not in ("", self._exposed()):
            lines.append(f'handler = "{self._exposed()}"')
        return texts.BLOCK.format(lines="".join(f"# {line}\n" for line in lines)) if lines else ""

    def _file(self, name: str) -> str:
        return f"{self.layout.packs_dir}/{name}.py"

    def _test(self, name: str, body: str) -> dict[str, str]:
        """The file of a pack's first test, if tests are wanted."""
        if not self.with_tests:
            return {}
        files = (path.rpartition("/")[2] for path in self.layout.files)
        there = {file.removeprefix("test_").removesuffix(".py") for file in files if file.startswith("test_")}
        exposed = self._exposed()
        text = texts.TEST.format(
            name=name, module=roots_of(self.layout.source_roots, ()).module(self._file(name)), exposed=exposed,
            case=f"{name.title().replace('_', '')}Test", body=body.format(exposed=exposed),
        )  # fmt: skip
        return {f"{self.layout.tests_dir}/test_{naming.free(name, there)}.py": text}
