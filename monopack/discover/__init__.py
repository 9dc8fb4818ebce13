"""The room that finds the packs: `packs/*.py` with their managed blocks, and the source roots that name their modules."""

from __future__ import annotations

import keyword
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

from monopack.block import read_block
from monopack.discover.projects import MANIFESTS, below, importable, is_root, subproject
from monopack.errors import ConfigError
from monopack.model import Pack

__all__ = ["MANIFESTS", "packs", "read_block", "source_roots", "subproject"]


A_PACK = 'def lambda_handler(event, context): return "hello"'


# ---------------------------------------------------------------- source roots


def source_roots(root: Path, configured: Sequence[str] | Literal["auto"]) -> tuple[str, ...]:
    """The folders whose children are importable names, relative to the project `root` (absolute), in `sys.path` order.

    `auto` is what the project's own build settings say, `src` (where there is such a folder without `__init__.py`) and `.`; then
    those of its workspace's members and path dependencies. Raises `ConfigError` for a configured root that is no folder or lies
    outside the project.
    """
    if configured == "auto":
        own, *others = (project.roots for project in importable(root).values())
        first = [*(each for each in own if each != "."), *(["src"] if is_root(root / "src") else []), "."]
        return tuple(dict.fromkeys((*first, *(each for roots in others for each in roots))))
    return tuple(dict.fromkeys(_source_root(root, given) for given in configured))


def _source_root(root: Path, given: str) -> str:
    where = "monopack.toml: source_roots"
    relative = below(root, Path(os.path.normpath(root / given)))
    if relative is None:
        raise ConfigError(f"{given} lies outside the project", where=where, hint=f"name folders below {root}")
    if not (root / relative).is_dir():
        raise ConfigError(f"there is no folder {given}", where=where, hint="make it, or take it out of the list")
    return relative.as_posix()


# ---------------------------------------------------------------- packs


def packs(root: Path, packs_dir: Path, source_roots: Sequence[str], only: str | None) -> tuple[Pack, ...]:
    """All packs, or the one named `only`, sorted by name.

    `root` and `packs_dir` are absolute, `source_roots` relative to the root. Raises `ConfigError` when there are none, when
    `only` is not among them, when a name cannot work, and when a managed block (of the packs asked for) cannot be read.
    """
    shown = below(root, packs_dir)
    if shown is None:
        hint = f"move it below {root}, or name its own project's monopack.toml with --config"
        raise ConfigError("the packs folder lies outside the project", where=str(packs_dir), hint=hint)
    files = {file.stem: file for file in _files(packs_dir, shown.as_posix(), root)}
    if only is not None and only.endswith(".py"):  # a file's path, as a shell completes it
        only = PurePosixPath(only.replace("\\", "/")).stem
    if only is not None and only not in files:
        what = f"there is no pack {only}{_did_you_mean(only, files)}"
        raise ConfigError(what, where=shown.as_posix(), hint=f"the packs are: {', '.join(sorted(files))}")
    chosen = sorted(files) if only is None else [only]
    _check_names(chosen, files, shown)
    prefix = _module_prefix(PurePosixPath(shown.as_posix()), source_roots)
    return tuple(_pack(files[name], (shown / f"{name}.py").as_posix(), (*prefix, name)) for name in chosen)


def _files(packs_dir: Path, shown: str, root: Path) -> list[Path]:
    if not packs_dir.is_dir():
        raise ConfigError(f"there is no such folder in {root}", where=shown, hint=_way_to_packs(shown, root))
    files = [file for file in packs_dir.glob("*.py") if not file.name.startswith(("_", ".")) and file.is_file()]
    if not files:
        what = "there is no pack in it: each .py file there is one, unless its name begins with _"
        hint = f"monopack init writes a first one; or write {shown}/hello.py with the line: {A_PACK}"
        raise ConfigError(what, where=shown, hint=hint)
    return files


def _way_to_packs(shown: str, root: Path) -> str:
    """What to do where there is no packs folder: go to the folder above that has one, or say where it is."""
    above = next((folder for folder in root.parents if any((folder / shown).glob("*.py"))), None)
    if above:
        return f"run monopack where there is one: cd {above}"
    return "run monopack in your project's folder, where monopack init writes a first pack, or name its packs: --packs-dir DIR"


def _pack(file: Path, path: str, module: tuple[str, ...]) -> Pack:
    try:
        block = read_block(file.read_bytes(), path)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=path, hint="check its permissions") from None
    return Pack(name=file.stem, path=path, module=".".join(module), block=block.options, block_line=block.line)


def _module_prefix(folder: PurePosixPath, roots: Sequence[str]) -> tuple[str, ...]:
    """The packages that lead to the packs folder from the longest source root that holds it."""
    holding = [root for root in map(PurePosixPath, roots) if folder.is_relative_to(root)]
    if not holding:
        hint = f"add a folder that holds it to source_roots ({', '.join(roots)})"
        raise ConfigError("the packs folder lies in no source root", where=str(folder), hint=hint)
    prefix = folder.relative_to(max(holding, key=lambda root: len(root.parts))).parts
    for part in prefix:
        if not _is_name(part):
            raise ConfigError(
                f"{part} cannot be imported, so no pack in it can", where=str(folder), hint="rename that folder as a Python name"
            )
    return prefix


# ---------------------------------------------------------------- names


def _check_names(chosen: Iterable[str], files: Mapping[str, Path], folder: Path) -> None:
    """Raise `ConfigError`, with a line for each name that cannot work: bad ones among `chosen`, and all that collide."""
    ordered = sorted(files)
    problems = [(name, _bad_name(name)) for name in chosen if not _is_name(name)]
    problems += [
        (f"{name}_test", f"its build folder is the one for the tests of {name}") for name in ordered if f"{name}_test" in ordered
    ]
    problems += [(name, f"the package {name}/ beside it hides it from Python") for name in chosen if _is_hidden(files[name])]
    problems += [(twin, f"differs from {name} only in case") for name, twin in _twins(ordered)]
    if problems:
        lines = [f"{(folder / f'{name}.py').as_posix()}: {problem}" for name, problem in problems]
        first = lines[0].split(": ", 1)
        raise ConfigError("\n".join([first[1], *lines[1:]]), where=first[0], hint=_renaming(problems[0][0], ordered, folder))


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _bad_name(name: str) -> str:
    reason = "a Python keyword" if keyword.iskeyword(name) else "not a Python name"
    return f"{name} is {reason}, so the file cannot be imported"


def _is_hidden(file: Path) -> bool:
    """Whether Python finds a package of the same name first."""
    return (file.with_suffix("") / "__init__.py").is_file()


def _renaming(name: str, ordered: Sequence[str], folder: Path) -> str:
    """How to give a file a name that can work."""
    better = re.sub(r"\W", "_", name)
    free = _is_name(better) and not better.startswith("_") and better.casefold() not in map(str.casefold, ordered)
    path = folder.as_posix()
    return f"rename the file: mv {path}/{name}.py {path}/{better}.py" if free else "rename the file"


def _twins(ordered: Sequence[str]) -> Iterator[tuple[str, str]]:
    first: dict[str, str] = {}
    for name in ordered:
        twin = first.setdefault(name.casefold(), name)
        if twin != name:
            yield twin, name


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, sorted(known), n=1)
    return f", did you mean {close[0]}?" if close else ""
