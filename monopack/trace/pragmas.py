"""What comments in source tell monopack: `# monopack: include app.x` and `# monopack: ignore`."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from monopack.model import value
from monopack.trace.findings import Finding, Reference, Remark
from monopack.trace.flow import Step

PRAGMA = re.compile(r"#\s*monopack:\s*([^\s#]*)\s*([^#]*)")
WORDS = ("include", "ignore")
MARK = "monopack:"


@value()
class Pragmas:
    """What the comments of a file tell: what they name or get wrong, and the lines on which nothing is imported or remarked."""

    found: tuple[Finding, ...] = ()
    ignored: frozenset[int] = frozenset()
    answered: frozenset[int] = frozenset()

    def kept(self, steps: Iterable[Step]) -> list[Step]:
        """Nodes without the imports that a comment says to ignore.

        It stands on the first or last line of a call, or on any of an import statement.
        """
        return [step for step in steps if not self._ignores(step[0])]

    def _ignores(self, node: ast.AST) -> bool:
        match node:
            case ast.Import(lineno=first, end_lineno=last) | ast.ImportFrom(lineno=first, end_lineno=last):
                return any(line in self.ignored for line in range(first, (last or first) + 1))
            case ast.Call(lineno=first, end_lineno=last):
                return not self.ignored.isdisjoint({first, last})
        return False

    def with_answers(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """What was found and what comments name, without the remarks that a comment answers on their line."""
        left = (each for each in findings if not (isinstance(each, Remark) and each.line in self.answered))
        return (*left, *self.found)


def pragmas_of(text: str) -> Pragmas:
    """The pragmas in a file's source text, which has to be valid Python; only comment tokens count."""
    if MARK not in text:
        return Pragmas()
    found: list[Finding] = []
    lines: dict[str, set[int]] = {word: set() for word in WORDS}
    for token in _comments(text):
        match = PRAGMA.match(token.string)
        if match is None:
            continue
        line, (word, rest) = token.start[0], match.groups()
        if word in lines:
            lines[word].add(line)
            found += _included(rest, line) if word == "include" else ()
        else:
            found.append(Remark(text=_unknown(word), line=line, rule="pragma"))
    return Pragmas(found=tuple(found), ignored=frozenset(lines["ignore"]), answered=frozenset(lines["include"]))


def _comments(text: str) -> Iterator[tokenize.TokenInfo]:
    """The comment tokens of source text."""
    lines = (f"{line}\n" for line in text.split("\n"))  # not `splitlines`: a form feed ends no line
    try:
        yield from (token for token in tokenize.generate_tokens(lambda: next(lines, "")) if token.type == tokenize.COMMENT)
    except (tokenize.TokenError, SyntaxError):  # where the tokenizer is stricter than the parser
        return


def _included(names: str, line: int) -> Iterator[Finding]:
    """The modules that `include` names, separated by commas or space."""
    given = names.replace(",", " ").split()
    for name in given:
        if all(part.isidentifier() for part in name.split(".")):
            yield Reference(name=name, line=line, lazy=True, dynamic=True, rule="include_pragma")
        else:
            text = f"{name} in '# monopack: include' is no dotted name of a module; files go into include in monopack.toml"
            yield Remark(text=text, line=line, rule="pragma")
    if not given:
        yield Remark(text="'# monopack: include' names no module, as in: # monopack: include app.x", line=line, rule="pragma")


def _unknown(word: str) -> str:
    close = get_close_matches(word.lower(), WORDS, n=1)
    there = f"did you mean {close[0]}?" if close else f"the words there are: {', '.join(WORDS)}"
    return f"unknown word {word!r} after '# monopack:', {there}"
