"""The ground's managed block: the TOML in comments of a pack's file, found and read for the rooms that use or edit it."""

from __future__ import annotations

import io
import logging
import re
import tokenize
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from monopack.errors import ConfigError
from monopack.model import value

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

log = logging.getLogger(__name__)

START = "monopack-start"
END = "monopack-end"
OLDER_LINE = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_-]*)\s*:\s*(.*)")  # `extra_modules: a, b`


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
    lines, line = content(decoded(source), path)
    return Block(options=document(lines, path, line).unwrap() if line else {}, line=line)


def decoded(source: bytes) -> str:
    """The text of a Python file by its encoding cookie or byte order mark (PEP 263), with line ends as `\\n`.

    What cannot be decoded is U+FFFD; UTF-8 stands for an encoding that there is not.
    """
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(source).readline)[0]
        return _text(source, encoding)
    except (SyntaxError, LookupError, UnicodeError):  # no such encoding, or none of text
        return _text(source, "utf-8-sig")


def _text(source: bytes, encoding: str) -> str:
    return io.TextIOWrapper(io.BytesIO(source), encoding, errors="replace").read()


def content(text: str, path: str) -> tuple[list[str], int]:
    """The lines between the markers without their comment signs, and the line of the start marker (0: no block).

    `text` has `\\n` line ends. Raises `ConfigError` at `path` and line for markers that do not match, and code between them.
    """
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
    return _without_signs(text, comments, range(start + 1, end), path), start


def _without_signs(text: str, comments: Mapping[int, str], lines: range, path: str) -> list[str]:
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


def document(lines: list[str], path: str, start: int) -> TOMLDocument:
    """The TOML of a block's lines (without comment signs), those of the older form as lists; it can be edited and rendered.

    `start` is the line of the start marker in the file `path`. Raises `ConfigError` at path and line for what is not TOML.
    """
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


def _toml(lines: list[str]) -> TOMLDocument:
    import tomlkit

    parsed = tomlkit.parse("\n".join([*lines, ""]))
    parsed.unwrap()  # what contradicts itself shows only here
    return parsed


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
