"""ROOM: what git knows of the project: which files are not what they were at a revision, and what they were.

Git itself answers, behind the door; the repository is only read. Names are taken as bytes that end in NUL, so that any will do.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryFile

from monopack.errors import ConfigError
from monopack.model import Change, value
from monopack.run import Completed, Door

KINDS: Mapping[str, str] = {"A": "new", "D": "gone"}
OPAQUE = frozenset({"120000", "160000"})  # modes of links and of submodules (gitformat-index)
OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE")
SHALLOW = (
    "this clone is shallow: fetch the whole history (actions/checkout: fetch-depth: 0; GitLab: GIT_DEPTH: 0;"
    " by hand: git fetch --unshallow)"
)  # fmt: skip


@value()
class Git:
    """How git is called: the door, and the environment that it gets."""

    door: Door
    environ: Mapping[str, str]

    def run(self, *arguments: str, cwd: Path, **variables: str) -> Completed:
        """Run git, for a short answer. Raises `ConfigError` when it cannot be started."""
        try:
            return self.door.run(["git", *arguments], cwd=cwd, env=self._environment(variables))
        except OSError as problem:
            raise _not_there(problem) from None

    def names(self, *arguments: str, cwd: Path) -> list[str]:
        """What git lists with `-z`, as the system spells file names. Raises `ConfigError` for what it refuses."""
        with TemporaryFile() as file:
            try:
                done = self.door.run(["git", *arguments], cwd=cwd, env=self._environment({}), into=file)
            except OSError as problem:
                raise _not_there(problem) from None
            if done.code:
                raise ConfigError(f"git refuses: {_words(done)}", where=str(cwd))
            file.seek(0)
            return os.fsdecode(file.read()).split("\0")[:-1]

    def _environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The caller's, without what a git hook sets; in plain words, and without writing to the repository."""
        own = {name: text for name, text in self.environ.items() if name not in OF_A_HOOK}
        return {**own, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", **variables}


@value()
class Past:
    """What the project is compared with: `commit` in the repository whose work tree is `top` (absolute, links followed).

    `prefix` leads from there to the project (`services/shop/`, empty when it is the same), `folder` is git's own.
    """

    commit: str
    top: Path
    prefix: str
    folder: Path


def past(root: Path, revision: str, git: Git) -> Past:
    """The commit since which there are changes: the merge base of a revision and HEAD.

    `root` is the project's (absolute). Raises `ConfigError` where there is no git or no repository, for a revision that is not in
    it, and for one that has no history in common with HEAD.
    """
    done = git.run("rev-parse", "--is-shallow-repository", "--absolute-git-dir", "--show-toplevel", "--show-prefix", cwd=root)
    if done.code:
        nowhere = "not a git repository" in done.output
        what = "is in no git repository" if nowhere else f"git refuses: {_words(done)}"
        raise ConfigError(
            what,
            where=str(root),
            hint="name what has changed: monopack affected --files FILE..." if nowhere else "",
        )
    shallow, folder, top, prefix = done.output.split("\n")[:4]
    commit = _merge_base(_commit(revision, shallow, root, git), revision, shallow, root, git)
    return Past(commit=commit, top=Path(top), prefix=prefix, folder=Path(folder))


def _commit(revision: str, shallow: str, root: Path, git: Git) -> str:
    """The commit that a revision is."""
    named = revision and not revision.startswith("-")
    done = git.run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", cwd=root) if named else None
    if done is None or done.code:
        hint = SHALLOW if shallow == "true" else "check the spelling; what others have, git fetch brings"
        raise ConfigError("there is no such revision here", where=revision, hint=hint)
    return done.output.strip()


def _merge_base(commit: str, revision: str, shallow: str, root: Path, git: Git) -> str:
    done = git.run("merge-base", commit, "HEAD", cwd=root)
    if done.code:
        hint = SHALLOW if shallow == "true" else "name a revision of this branch's own history"
        raise ConfigError("has no history in common with HEAD", where=revision, hint=hint)
    return done.output.strip()


def changes(then: Past, git: Git) -> tuple[Change, ...]:
    """The files that are not what they were, sorted: committed or not, and those that git does not know and does not ignore.

    A file with another name is one that is gone, and one that is new.
    """
    found: dict[str, Change] = {}
    for path, kind, opaque in _tracked(then, git):
        there = kind == "gone" and os.path.lexists(then.top / path)  # git was told to forget it
        found[path] = Change(path=_shown(path, then), kind="changed" if there or path in found else kind, opaque=opaque)
    for path in git.names("ls-files", "--others", "--exclude-standard", "--full-name", "-z", cwd=then.top):
        kind = "changed" if path in found else "new"
        found[path] = Change(path=_shown(path, then), kind=kind, opaque=(then.top / path).is_symlink())
    return tuple(found[path] for path in sorted(found))


def _tracked(then: Past, git: Git) -> Iterator[tuple[str, str, bool]]:
    """The path below the top, the kind and the opaqueness of each change that git tells of (git-diff, "raw output format")."""
    options = ("--raw", "-z", "--no-renames", "--no-ext-diff", "--ignore-submodules=none")
    tokens = git.names(
        "-c", "diff.relative=false", "-c", "diff.autoRefreshIndex=true", "diff", *options, then.commit, "--", cwd=then.top
    )
    for about, path in zip(tokens[::2], tokens[1::2], strict=True):
        before, after, *_, status = about.lstrip(":").split(" ")
        yield path, KINDS.get(status[:1], "changed"), bool(OPAQUE & {before, after})


def _shown(path: str, then: Past) -> str:
    """A path below the repository's top as one from the project."""
    relative = posixpath.relpath(path, then.prefix) if then.prefix else path
    return f"{relative.rstrip('/')}/" if path.endswith("/") else relative


def restore(then: Past, changed: Iterable[Change], folder: Path, git: Git) -> Path:
    """Lay out in an empty folder (absolute) what the project was: files but Python's as they were, links to all others.

    Returns the project's root in it. Raises `ConfigError` when git cannot read them.
    """
    tree, names = folder / "tree", folder / "names"
    project = tree / then.prefix
    project.mkdir(parents=True)
    old = [change for change in changed if not change.opaque and not change.path.endswith("/")]
    wanted = [_below_top(c, then) for c in old if c.kind != "new" and not c.path.endswith(".py")]
    if wanted:
        names.write_bytes(b"".join(os.fsencode(path) + b"\0" for path in wanted))
        _restore(then, tree, names, git)
    _fill(tree, then.top, {_below_top(change, then) for change in old if change.kind == "new"})
    return project


def _below_top(change: Change, then: Past) -> str:
    return posixpath.normpath(posixpath.join(then.prefix, change.path))


def _restore(then: Past, tree: Path, names: Path, git: Git) -> None:
    """Let git write files into a folder that it takes for a work tree, with an index of its own."""
    options = (f"--source={then.commit}", "--worktree", f"--pathspec-from-file={names}", "--pathspec-file-nul")
    index = str(names.with_name("index"))
    own = {"GIT_DIR": str(then.folder), "GIT_WORK_TREE": str(tree), "GIT_INDEX_FILE": index, "GIT_LITERAL_PATHSPECS": "1"}
    done = git.run("restore", *options, cwd=tree, **own)
    if done.code:
        raise ConfigError(f"git cannot read files of {then.commit[:12]}: {_words(done)}", where=str(then.top))


def _fill(tree: Path, top: Path, new: set[str]) -> None:
    """Link what is not there and was not new."""
    for folder, _, _ in os.walk(tree):
        relative = os.path.relpath(folder, tree)
        for now in (top / relative).iterdir() if (top / relative).is_dir() else ():
            link = Path(folder) / now.name
            if not os.path.lexists(link) and now.name != ".git" and now.relative_to(top).as_posix() not in new:
                link.symlink_to(now)


def _words(done: Completed) -> str:
    """Git's own words for what went wrong."""
    lines = [line for line in done.output.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal: ", "error: "))]
    return (fatal or lines or ["no reason given"])[0].removeprefix("fatal: ").removeprefix("error: ")


def _not_there(problem: OSError) -> ConfigError:
    hint = "install git, or name what has changed with --files"
    return ConfigError(f"git cannot be started: {problem.strerror}", hint=hint)
