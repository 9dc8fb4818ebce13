"""Which source roots a project needs, so that its handlers can be imported with what they import; and which cannot be."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterable, Iterator, Sequence

from monopack.model import value
from monopack.scaffold.roots import Roots, unimportable
from monopack.scaffold.values import Candidate


@value()
class Places:
    """The source roots, and those that `inner` projects should have; a name that another one has may keep one from being one."""

    roots: Roots
    inner: tuple[str, ...]


def needed(given: Roots, inner: Sequence[str], found: Sequence[Candidate]) -> Roots:
    """The roots, those of inner projects, and folders that hold all the code of one function, as far as they get along."""
    roots = _with_roots(given, inner)
    return _with_roots(roots, sorted({posixpath.dirname(each.path) for each in found if _why_alone(each, roots)}))


def _with_roots(roots: Roots, folders: Iterable[str]) -> Roots:
    """The roots, and those of the folders that can be some too."""
    for folder in folders:
        if folder not in roots.tops and not roots.clash(folder):
            roots = roots.with_root(folder)
    return roots


def _why_alone(candidate: Candidate, roots: Roots) -> str:
    """Why a handler's own folder has to be a source root; an empty string when that is not so, or would not help."""
    folder, _, file = candidate.path.rpartition("/")
    if not folder or file == "__init__.py" or unimportable(file.removesuffix(".py")):
        return ""
    beside = [name for name in sorted(candidate.imports) if _is_beside(name.split(".")[0], folder, roots)]
    return unimportable(roots.module(candidate.path)) or (f"it imports {beside[0]} from its own folder" if beside else "")


def _is_beside(name: str, folder: str, roots: Roots) -> bool:
    """Whether a top-level name means a module or a folder in `folder`, no package, and nothing below a root around that."""
    if not name or name in sys.stdlib_module_names or f"{folder}/__init__.py" in roots.code or roots.knows(name, folder):
        return False
    return f"{folder}/{name}.py" in roots.code or f"{folder}/{name}" in roots.folders


def why_not(candidate: Candidate, places: Places) -> str:
    """Why no pack can import a handler; an empty string when one can."""
    roots, path = places.roots, candidate.path
    own = max((root for root in places.inner if path.startswith(f"{root}/")), key=len, default=".")
    if own != "." and roots.root(path) == ".":
        return _no_root(own, roots)
    alone = _why_alone(candidate, roots)
    if alone:
        return f"{alone}, and {_no_root(posixpath.dirname(path), roots)}"
    module = roots.module(path)
    found = roots.found(module)
    return unimportable(module) or (f"import {module} finds {found}" if found != path else "")


def _no_root(folder: str, roots: Roots) -> str:
    clash = roots.clash(folder)
    return f"{folder} cannot be a source root ({clash})" if clash else f"{folder} is no source root"


def refused(places: Places, found: Sequence[Candidate]) -> Iterator[str]:
    """The inner projects that cannot have a source root, in a line each; but those of handlers, which say so themselves."""
    for root in places.inner:
        if places.roots.clash(root) and not any(each.path.startswith(f"{root}/") for each in found):
            yield _no_root(root, places.roots)
