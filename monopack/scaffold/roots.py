"""Source roots: which folders can be some together, and what modules are called below them."""

from __future__ import annotations

import keyword
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from monopack.model import value

# Many projects have these at their top; nobody imports them from another project.
PRIVATE = frozenset({"conftest", "docs", "examples", "noxfile", "scripts", "setup", "tasks", "test", "tests"})

Tops = Mapping[str, frozenset[str]]  # top-level names, each with its module files relative to the source root


@value()
class Roots:
    """Source roots in `sys.path` order, each with its top-level names; and the project's module files and their folders."""

    tops: Mapping[str, Tops]
    code: frozenset[str]
    folders: frozenset[str]

    def with_root(self, root: str) -> Roots:
        """These roots and another one, which comes before the project's own folder."""
        others = {name: tops for name, tops in self.tops.items() if name != "."}
        last = {name: tops for name, tops in self.tops.items() if name == "."}
        return replace(self, tops={**others, root: _tops(root, self.code), **last})

    def clash(self, root: str) -> str:
        """Why another root cannot be one of these: a name that would have two meanings. An empty string when it can."""
        ours = _tops(root, self.code)
        for other in self.tops:
            name = _shared(ours, self._beside(root, other)) if other != root else ""
            if name:
                return f"{name} is in {_shown(other)} too"
        return ""

    def _beside(self, root: str, other: str) -> Tops:
        """The names below another root, without those in the project of `root`: these are not in the way of its own code."""
        project = root.removesuffix("/src")
        if not _holds(other, project):
            return self.tops[other]
        return _tops(other, (path for path in self.code if not _holds(project, path)))

    def knows(self, name: str, folder: str) -> bool:
        """Whether a top-level name is a module or a folder of modules, below a root that holds a folder."""
        return any(name in tops for root, tops in self.tops.items() if _holds(root, f"{folder}/"))

    def root(self, path: str) -> str:
        """The longest root that holds a file."""
        holding = [root for root in self.tops if _holds(root, path)]
        return max(holding, key=lambda root: 0 if root == "." else len(root), default=".")

    def module(self, path: str) -> str:
        """The dotted name of a module file, from the longest root that holds it."""
        return _below(path, self.root(path)).removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def found(self, module: str) -> str:
        """The file that `import module` finds; an empty string when there is none."""
        relative = module.replace(".", "/")
        bases = (relative if root == "." else f"{root}/{relative}" for root in self.tops)
        return next((path for base in bases for path in (f"{base}/__init__.py", f"{base}.py") if path in self.code), "")


def roots_of(folders: Iterable[str], code: Collection[str]) -> Roots:
    """The source roots `folders`, in their order, of a project whose module files are `code`."""
    above = frozenset("/".join(parts[:end]) for parts in (path.split("/") for path in code) for end in range(1, len(parts)))
    return Roots(tops={folder: _tops(folder, code) for folder in folders}, code=frozenset(code), folders=above)


def unimportable(module: str) -> str:
    """Why no `import` statement can name a module; an empty string when one can."""
    for part in module.split("."):
        if keyword.iskeyword(part):
            return f"{part} is a Python keyword"
        if not part.isidentifier():
            return f"{part} is not a Python name"
    return ""


def _tops(root: str, code: Iterable[str]) -> Tops:
    found: dict[str, set[str]] = {}
    for path in code:
        if _holds(root, path):
            inner = _below(path, root)
            found.setdefault(inner.split("/")[0].removesuffix(".py"), set()).add(inner)
    return {name: frozenset(paths) for name, paths in found.items()}


def _shared(ours: Tops, theirs: Tops) -> str:
    """A name that means one thing here and another there; folders without `__init__.py` are shared by parts (PEP 420)."""
    for name in sorted((ours.keys() & theirs.keys()) - PRIVATE):
        if ours[name] & theirs[name] or any(map(_is_whole, ours[name] | theirs[name])):
            return name
    return ""


def _is_whole(path: str) -> bool:
    """Whether a file (relative to its root) makes a top-level name that no other root can add to."""
    return "/" not in path or (path.endswith("/__init__.py") and path.count("/") == 1)


def _shown(root: str) -> str:
    return "the project's own folder" if root == "." else root


def _holds(root: str, path: str) -> bool:
    return root == "." or path.startswith(f"{root}/")


def _below(path: str, root: str) -> str:
    return path if root == "." else path[len(root) + 1 :]
