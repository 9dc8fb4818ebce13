"""What tracing knows of a project's files, as values: their names, and what each of them imports."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace

from monopack.model import Evidence, SourceFile, value
from monopack.trace.extensions import EXTENSIONS
from monopack.trace.findings import App, Data, Matching, Mention, Needed, Reference, Remark, Spot
from monopack.trace.names import Names

SOURCE = ".py"
# What never ships, by the names of files: keys (the public ones may), what holds passwords, and the state of Terraform.
SECRETS = re.compile(
    r"\.env.*|.*\.env|id_(rsa|ed25519|ecdsa)(?!.*\.pub$).*|.*\.(pem|key|p12|pfx|jks|keystore|ppk)"
    r"|\.netrc|\.pypirc|\.npmrc|\.pgpass|\.htpasswd|\.git-credentials|credentials|credentials.*\.json"
    r"|.*\.(tfvars|tfvars\.json|tfstate|tfstate\..*)",
    re.IGNORECASE,
)
PERHAPS_SECRET = re.compile(r"\.?secrets?\..+", re.IGNORECASE)  # what ships, and is told


@value()
class SourceTree:
    """The names of a project's files; nothing is read yet.

    `root` is absolute; `source_roots` are relative to it, in `sys.path` order; so are `files` and `folders` (those that hold
    modules). `excluded` are files that the config keeps out: their modules are known, and neither followed nor missed.
    `outside` are links that lead out of the project. `suffixes` are what follows a module's name in its file, in the order in
    which the target looks for them. `strings` says whether strings that look like modules of the project name them. `named` are
    files that the config names in full: they ship even if they look like secrets.
    """

    root: str
    source_roots: tuple[str, ...]
    files: frozenset[str]
    folders: frozenset[str]
    outside: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = (SOURCE,)
    strings: bool = True
    named: frozenset[str] = frozenset()

    def is_secret(self, path: str) -> bool:
        """Whether a file looks like a secret, which does not ship because something reads it."""
        return SECRETS.fullmatch(path.rpartition("/")[2]) is not None and path not in self.named

    def locate(self, name: str) -> str | None:
        """The file of a module by its dotted name, None where there is none.

        In each source root a package comes before a module, and an extension module before a source file. A module or package of
        the name's first part comes before folders without `__init__.py` that are called so, whatever their order (PEP 420). Below
        a longer source root a file has another name as well: by this one it is seen from `./`, or from `root/./`.
        """
        relative = name.replace(".", "/")
        for root in self._roots_for(name):
            if path := self._in(root, relative):
                return path if self.source_root(path) == root else _seen_from(root, path)
        return None

    def twins(self, name: str) -> list[str]:
        """The files of other source roots that a module at the top hides, since it has their name."""
        found = [path for root in self.source_roots if (path := self._in(root, name))]
        return [path for path in found if path != self.locate(name)]

    def _roots_for(self, name: str) -> list[str]:
        """The source roots in which a dotted name is looked up: first that of the module or package which it begins with."""
        top, dot, _ = name.partition(".")
        roots = list(self.source_roots)
        if dot and len(roots) > 1:
            roots.sort(key=lambda root: self._in(root, top) is None)  # a stable order: only the first that has it counts
        return roots

    def _in(self, root: str, relative: str) -> str | None:
        """The file of a module in one source root, by its path there."""
        base = relative if root == "." else f"{root}/{relative}"
        for stem in (f"{base}/__init__", base):
            for suffix in self.suffixes:
                if stem + suffix in self.files:
                    return stem + suffix
        return None

    def foreign(self, name: str) -> str:
        """A native module of a dotted name for another target, an empty string where there is none; this looks at every file."""
        starts = tuple(f"{path}." for path in self._paths(name))
        return min((path for path in self.files if path.startswith(starts) and path.endswith(EXTENSIONS)), default="")

    def excludes(self, name: str) -> bool:
        """Whether a dotted name is a module that the config keeps out."""
        return bool(self.excluded) and replace(self, files=self.excluded).locate(name) is not None

    def is_folder(self, name: str) -> bool:
        """Whether a dotted name is a folder that holds modules, which makes it a namespace package at least (PEP 420)."""
        return any(folder in self.folders for folder in self._paths(name))

    def holds(self, name: str) -> bool:
        """Whether a dotted name is any folder at all; this looks at every file."""
        folders = tuple(f"{folder}/" for folder in self._paths(name))
        return any(path.startswith(folders) for path in self.files | self.excluded)

    def nearest_in(self, name: str) -> list[str]:
        """The modules of a folder by its dotted name; where none lies in it itself, those at the least depth below it."""
        folders = tuple(f"{folder}/" for folder in self._paths(name))
        below = [path for path in self.files if path.startswith(folders) and self.locate(self.module(path)) == path]
        depth = min((path.count("/") for path in below), default=0)
        return sorted(path for path in below if path.count("/") == depth)

    def folders_of(self, name: str) -> list[str]:
        """The folders that a dotted name is, modules in them or not."""
        return [folder for folder in self._paths(name) if any(path.startswith(f"{folder}/") for path in self.files)]

    def link_on(self, path: str) -> str:
        """The link on the way to a path that leads out of the project, else an empty string."""
        if not self.outside:
            return ""
        parts = path.split("/")
        return next((link for end in range(len(parts)) if (link := "/".join(parts[: end + 1])) in self.outside), "")

    def _paths(self, name: str) -> list[str]:
        """The folders that a dotted name may mean."""
        relative = name.replace(".", "/")
        return [relative if root == "." else f"{root}/{relative}" for root in self.source_roots]

    def leads_out(self, name: str) -> str:
        """The link on the way to a dotted name that leads out of the project, else an empty string."""
        if not self.outside:
            return ""
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            for path in self._paths(".".join(parts[:end])):
                links = (path, *(stem + suffix for stem in (f"{path}/__init__", path) for suffix in self.suffixes))
                if found := next((link for link in links if link in self.outside), ""):
                    return found
        return ""

    def source_root(self, path: str) -> str:
        """The longest source root that holds a file, or the one that it is seen from."""
        seen_from, seen, _ = path.partition("/./")
        if seen or path.startswith("./"):
            return seen_from if seen else "."
        longest = ""
        for root in self.source_roots:  # asked for every file and import: no more than this
            if root != "." and len(root) > len(longest) and path.startswith(f"{root}/"):
                longest = root
        return longest or "."

    def ships_as(self, path: str) -> str:
        """Where a file goes in the artifact: its path below its source root."""
        root = self.source_root(path)
        return (path if root == "." else path[len(root) + 1 :]).removeprefix("./")

    def modules(self) -> list[str]:
        """The dotted names of all modules below the source roots."""
        return [self.module(path) for path in self.files if path.endswith(self.suffixes)]

    def modules_like(self, pattern: str) -> list[str]:
        """The dotted names of modules that match a pattern: `*` stands for anything, `?` for one part of a dotted name."""
        wanted = re.compile(re.escape(pattern).replace(r"\*", ".+").replace(r"\?", "[^.]+"))
        found = {self.module(path): path for path in self.files if path.endswith(self.suffixes)}
        return sorted(name for name, path in found.items() if wanted.fullmatch(name) and not self._is_hidden(path))

    def _is_hidden(self, path: str) -> bool:
        """Whether Python passes over a file: a folder around it is no package, and a module or package is called like it."""
        root, parts = self.source_root(path), self.ships_as(path).split("/")
        folders = ["/".join(parts[:end]) for end in range(1, len(parts))]
        return any(not self._is_package_in(root, folder) and self.locate(folder.replace("/", ".")) for folder in folders)

    def _is_package_in(self, root: str, folder: str) -> bool:
        found = self._in(root, folder)
        return found is not None and self.is_package(found)

    def below(self, name: str) -> list[str]:
        """The files below a folder by its dotted name, modules or not; this looks at every file."""
        folders = tuple(f"{folder}/" for folder in self._paths(name))
        return sorted(path for path in self.files if path.startswith(folders))

    def shipping_as(self, path: str) -> str:
        """The file that would ship as `path`, an empty string when there is none: `src/app/x.csv` for `app/x.csv`."""
        candidates = (path if root == "." else f"{root}/{path}" for root in self.source_roots)
        return next((candidate for candidate in candidates if candidate in self.files), "")

    def module(self, path: str) -> str:
        """The dotted name of a module file from its longest source root."""
        return self.module_at(self.ships_as(path))

    def module_at(self, ships_as: str) -> str:
        """The dotted name of a module file by its place in the artifact."""
        return self._stem(ships_as).removesuffix("/__init__").replace("/", ".")

    def package(self, path: str) -> str:
        """The dotted name of the package that a module file's relative imports start from."""
        name = self.module(path)
        return name if self.is_package(path) else name.rpartition(".")[0]

    def is_package(self, path: str) -> bool:
        """Whether a module file is that of a package."""
        return self._stem(path).endswith("/__init__")

    def _stem(self, path: str) -> str:
        for suffix in self.suffixes:
            if path.endswith(suffix):
                return path.removesuffix(suffix)
        return path


def _seen_from(root: str, path: str) -> str:
    """A file below a source root that a longer one holds too, marked so that the shorter one counts."""
    return f"./{path}" if root == "." else f"{root}/./{path[len(root) + 1 :]}"


@value()
class Problem:
    """Why a file cannot be used, if it is reached."""

    message: str
    where: Evidence
    hint: str = ""


@value()
class Facts:
    """What one file is, what it imports and reads, whose metadata it reads, which apps it names, and what it tells about names.

    `places` are the paths that its names stand for; `uses` are the functions that it calls and the beginnings of the URLs that it
    holds, each with its first line (`trace.uses`). With an `error`, only that counts.
    """

    source: SourceFile
    references: tuple[Reference, ...] = ()
    matching: tuple[Matching, ...] = ()
    remarks: tuple[Remark, ...] = ()
    data: tuple[Data, ...] = ()
    mentions: tuple[Mention, ...] = ()
    needs: tuple[Needed, ...] = ()
    apps: tuple[App, ...] = ()
    uses: Mapping[str, int] = field(default_factory=dict)
    names: Names = Names()
    places: Mapping[str, tuple[Spot, ...]] = field(default_factory=dict)
    error: Problem | None = None
