"""Functions in a project's code that look like handlers."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Collection, Iterator
from fnmatch import fnmatch

from monopack.scaffold import syntax, templates
from monopack.scaffold.reading import Project
from monopack.scaffold.values import Candidate

NO_HANDLERS = ("conftest.py", "noxfile.py", "setup.py", "test_*.py", "*_test.py", "tests.py")
HINTS = (b"handler", b"event", b"evt")  # what looks like a handler has one of these in its source


def candidates(project: Project, code: Collection[str]) -> Iterator[Candidate]:
    """The candidates in files of `code`, in the order of their paths."""
    named = frozenset(each for path in sorted(_templates(project)) for each in templates.handlers(project.text(path)))
    hints = (*HINTS, *(each.rpartition(":")[2].encode() for each in named))
    for path in sorted(code):
        source = b"" if _holds_none(path) else project.read(path)
        tree = syntax.parse(source) if any(hint in source for hint in hints) else None
        if tree:
            yield from _in_file(path, tree, templates.named_in(path, named))


def _templates(project: Project) -> list[str]:
    return [path for path in project.layout.files if posixpath.basename(path) in templates.NAMES]


def _holds_none(path: str) -> bool:
    return any(fnmatch(posixpath.basename(path), pattern) for pattern in NO_HANDLERS)


def _in_file(path: str, tree: ast.Module, named: frozenset[str]) -> Iterator[Candidate]:
    imports = syntax.imported(tree)
    for function in syntax.handlers(tree, named):
        certain = function.name in named or function.likeness < syntax.Likeness.LIKELY
        yield Candidate(path=path, line=function.line, function=function.name, certain=certain, imports=imports)
