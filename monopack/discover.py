"""The room that finds the packs: `packs/*.py` with their managed blocks, and the source roots that name their modules."""

from __future__ import annotations

import io
import keyword
import logging
import os
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

from monopack.errors import ConfigError
from monopack.model import Pack, value

log = logging.getLogger(__name__)

START = "monopack-start"
END = "monopack-end"
OLDER_LINE = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_-]*)\s*:\s*(.*)")  # `extra_modules: a, b`


# ---------------------------------------------------------------- source roots


def source_roots(root: Path, configured: Sequence[str] | Literal["auto"]) -> tuple[str, ...]:
    """The folders whose children are importable names, relative to the project `root` (absolute), in `sys.path` order.

    `auto` is `src` (where there is such a folder without `__init__.py`) and `.`. Raises `ConfigError` for a configured root that
    is no folder or lies outside the project.
    """
    if configured == "auto":
        source = root / "src"
        return ("src", ".") if source.is_dir() and not (source / "__init__.py").exists() else (".",)
    return tuple(dict.fromkeys(_source_root(root, given) for given in configured))


def _source_root(root: Path, given: str) -> str:
    where = "monopack.toml: source_roots"
    relative = _relative(Path(os.path.normpath(root / given)), root)
    if relative is None:
        raise ConfigError(f"{given} lies outside the project", where=where, hint=f"name folders below {root}")
    if not (root / relative).is_dir():
        raise ConfigError(f"there is no folder {given}", where=where, hint="make it, or take it out of the list")
    return relative.as_posix()


def _relative(path: Path, root: Path) -> Path | None:
    """A path relative to the root, also where one of them is reached through a link; None when it lies outside."""
    for one, other in ((path, root), (path.resolve(), root.resolve())):
        if one.is_relative_to(other):
            return one.relative_to(other)
    return None


# ---------------------------------------------------------------- packs


def packs(root: Path, packs_dir: Path, source_roots: Sequence[str], only: str | None) -> tuple[Pack, ...]:
    """All packs, or the one named `only`, sorted by name.

    `root` and `packs_dir` are absolute, `source_roots` relative to the root. Raises `ConfigError` when there are none, when
    `only` is not among them, when a name cannot work, and when a managed block (of the packs asked for) cannot be read.
    """
    shown = _relative(packs_dir, root)
    if shown is None:
        raise ConfigError("the packs folder lies outside the project", where=str(packs_dir), hint=f"move it below {root}")
    files = {file.stem: file for file in _files(packs_dir, shown.as_posix())}
    if only is not None and only.endswith(".py"):  # a file's path, as a shell completes it
        only = PurePosixPath(only.replace("\\", "/")).stem
    if only is not None and only not in files:
        what = f"there is no pack {only}{_did_you_mean(only, files)}"
        raise ConfigError(what, where=shown.as_posix(), hint=f"the packs are: {', '.join(sorted(files))}")
    chosen = sorted(files) if only is None else [only]
    _check_names(chosen, files, shown)
    prefix = _module_prefix(PurePosixPath(shown.as_posix()), source_roots)
    return tuple(_pack(files[name], (shown / f"{name}.py").as_posix(), (*prefix, name)) for name in chosen)


def _files(packs_dir: Path, shown: str) -> list[Path]:
    if not packs_dir.is_dir():
        raise ConfigError("there is no packs folder", where=shown, hint="make it, or name another one with --packs-dir")
    files = [file for file in packs_dir.glob("*.py") if not file.name.startswith(("_", ".")) and file.is_file()]
    if not files:
        raise ConfigError("there are no packs", where=shown, hint=f"add a file such as {shown}/my_function.py")
    return files


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


def _check_names(chosen: Iterable[str], names: Iterable[str], folder: Path) -> None:
    """Raise `ConfigError`, with a line for each name that cannot work: bad ones among `chosen`, and all that collide."""
    ordered = sorted(names)
    problems = [(name, _bad_name(name)) for name in chosen if not _is_name(name)]
    problems += [
        (f"{name}_test", f"its build folder is the one for the tests of {name}") for name in ordered if f"{name}_test" in ordered
    ]
    problems += [(twin, f"differs from {name} only in case") for name, twin in _twins(ordered)]
    if problems:
        lines = [f"{(folder / f'{name}.py').as_posix()}: {problem}" for name, problem in problems]
        first = lines[0].split(": ", 1)
        raise ConfigError("\n".join([first[1], *lines[1:]]), where=first[0], hint="rename the file")


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _bad_name(name: str) -> str:
    reason = "a Python keyword" if keyword.iskeyword(name) else "not a Python name"
    return f"{name} is {reason}, so the file cannot be imported"


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


# ---------------------------------------------------------------- managed block


@value()
class Block:
    """What a managed block says, as plain TOML values, and the line of its start marker (0: there is none)."""

    options: Mapping[str, object]
    line: int


def read_block(source: bytes, path: str) -> Block:
    """Read the managed block of a pack's file.

    The block is the comment lines between `# monopack-start` and `# monopack-end`; without their `#` they are TOML, where lines
    of the older form `extra_modules: a, b` stand for lists. Only comment tokens count, so markers in strings are none.
    `source` is decoded by PEP 263; what cannot be decoded or parsed as Python is left to tracing, which says so.
    Raises `ConfigError` at `path` and line.
    """
    if START.encode() not in source and END.encode() not in source:
        return Block(options={}, line=0)
    text = _decode(source)
    inside, line = _inside(text, path)
    return Block(options=_options(inside, path, line), line=line) if line else Block(options={}, line=0)


def _decode(source: bytes) -> str:
    """The text by its encoding cookie or byte order mark (PEP 263), with line ends as `\\n`."""
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(source).readline)[0]
        return _text(source, encoding)
    except (SyntaxError, LookupError, UnicodeError):  # no such encoding, or none of text
        return _text(source, "utf-8-sig")


def _text(source: bytes, encoding: str) -> str:
    return io.TextIOWrapper(io.BytesIO(source), encoding, errors="replace").read()


def _inside(text: str, path: str) -> tuple[list[str], int]:
    """The lines between the markers without their comment signs, and the line of the start marker (0: no block)."""
    start = end = 0
    comments: dict[int, str] = {}
    for line, comment in _comments(text):
        comments[line] = comment
        if comment.strip() == START:
            if start:
                raise _broken(path, line, f"a second {START}, after that in line {start}", "keep one block")
            start = line
        elif comment.strip() == END:
            if not start or end:
                raise _broken(path, line, f"{END} without {START}", f"add # {START} above, or take this line away")
            end = line
    if start and not end:
        raise _broken(path, start, f"the block has no {END}", f"add # {END} after its last line")
    return _content(text, comments, range(start + 1, end), path), start


def _content(text: str, comments: Mapping[int, str], lines: range, path: str) -> list[str]:
    source = text.split("\n")
    for line in lines:
        if line not in comments and source[line - 1].strip():
            raise _broken(path, line, "code inside the managed block", f"move it out, or move # {END} above it")
    return [comments.get(line, "") for line in lines]


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """The lines that hold only a comment, numbered from 1, without `# `; up to the first thing that Python cannot read."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and not token.line[: token.start[1]].strip():
                yield token.start[0], token.string.removeprefix("#").removeprefix(" ")
    except (tokenize.TokenError, SyntaxError, ValueError) as error:
        log.debug("not all of the file is Python: %s", error)


def _options(lines: list[str], path: str, start: int) -> dict[str, object]:
    """The values of a block's lines; `start` is the line of its start marker in the file."""
    from tomlkit.exceptions import TOMLKitError

    try:
        return _toml(lines)
    except TOMLKitError:
        pass
    try:
        return _toml([_as_toml(line) for line in lines])
    except TOMLKitError as error:
        line = min(getattr(error, "line", None) or 0, len(lines))
        what = re.sub(r" at line \d+ col \d+$", "", str(error))
        raise _broken(path, start + line, f"the managed block is not valid TOML: {what}", "correct that line") from None


def _toml(lines: list[str]) -> dict[str, object]:
    import tomlkit

    return tomlkit.parse("\n".join([*lines, ""])).unwrap()


def _as_toml(line: str) -> str:
    """A line of the older form as TOML; any other as it is."""
    import tomlkit

    older = OLDER_LINE.fullmatch(line)
    if not older:
        return line
    words = [word.strip() for word in older[2].split(",") if word.strip()]
    return f"{older[1]} = {tomlkit.item(words).as_string()}"


def _broken(path: str, line: int, what: str, hint: str) -> ConfigError:
    return ConfigError(what, where=f"{path}:{line}", hint=hint)
