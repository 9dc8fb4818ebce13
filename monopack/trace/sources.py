"""What tracing knows of a project's files, as values: their names, and what each of them imports."""

from __future__ import annotations

from monopack.model import Evidence, SourceFile, value
from monopack.trace.rules import Reference


@value()
class SourceTree:
    """The names of a project's files; nothing is read yet.

    `root` is absolute; `source_roots` are relative to it, in `sys.path` order; so are `files` and `folders` (those that hold
    Python files). `excluded` are files that the config keeps out: their modules are known, and neither followed nor missed.
    `outside` are links that lead out of the project.
    """

    root: str
    source_roots: tuple[str, ...]
    files: frozenset[str]
    folders: frozenset[str]
    outside: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()

    def locate(self, name: str) -> str | None:
        """The file of a module by its dotted name: a package's `__init__.py` or a module's own; None where there is none."""
        relative = name.replace(".", "/")
        for root in self.source_roots:
            base = relative if root == "." else f"{root}/{relative}"
            for path in (f"{base}/__init__.py", f"{base}.py"):
                if path in self.files:
                    return path
        return None

    def is_folder(self, name: str) -> bool:
        """Whether a dotted name is a folder under a source root, which makes it a namespace package at least (PEP 420)."""
        relative = name.replace(".", "/")
        return any((relative if root == "." else f"{root}/{relative}") in self.folders for root in self.source_roots)

    def leads_out(self, name: str) -> str:
        """The link on the way to a dotted name that leads out of the project, else an empty string."""
        if not self.outside:
            return ""
        parts = name.split(".")
        for root in self.source_roots:
            base = "" if root == "." else f"{root}/"
            for end in range(1, len(parts) + 1):
                path = base + "/".join(parts[:end])
                for link in (path, f"{path}.py", f"{path}/__init__.py"):
                    if link in self.outside:
                        return link
        return ""

    def source_root(self, path: str) -> str:
        """The longest source root that holds a file."""
        holding = [r for r in self.source_roots if r == "." or path.startswith(f"{r}/")]
        return max(holding, key=lambda r: 0 if r == "." else len(r), default=".")

    def ships_as(self, path: str) -> str:
        """Where a file goes in the artifact: its path below its source root."""
        root = self.source_root(path)
        return path if root == "." else path[len(root) + 1 :]

    def modules(self) -> list[str]:
        """The dotted names of all modules below the source roots."""
        return [self.module(path) for path in self.files if path.endswith(".py")]

    def shipping_as(self, path: str) -> str:
        """The file that would ship as `path`, an empty string when there is none: `src/app/x.csv` for `app/x.csv`."""
        candidates = (path if root == "." else f"{root}/{path}" for root in self.source_roots)
        return next((candidate for candidate in candidates if candidate in self.files), "")

    def module(self, path: str) -> str:
        """The dotted name of a module file from its longest source root."""
        return self.ships_as(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@value()
class Problem:
    """Why a file cannot be used, if it is reached."""

    message: str
    where: Evidence
    hint: str = ""


@value()
class Facts:
    """What one file is and what it imports; with an `error`, only that counts."""

    source: SourceFile
    references: tuple[Reference, ...] = ()
    error: Problem | None = None
