"""The source of a pack with another managed block: the same Python, and the same bytes everywhere else."""

from __future__ import annotations

import ast
import difflib
import io
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from monopack import block
from monopack.autofix.extras import Extras, edit
from monopack.errors import ConfigError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument


def rewrite(source: bytes, add: Extras, path: str = "the pack's file") -> bytes:
    """The bytes of a pack's file with entries added to its managed block.

    Everything outside the block keeps its bytes, and lines of the block that need no change keep theirs. A block that is not
    there is made below shebang, encoding cookie (PEP 263), docstring and `__future__` imports. Distributions are compared by
    canonical name (PEP 503). When there is nothing to do, `source` comes back as it is. Raises `ConfigError` at `path` and line
    when the file is not Python, or its block cannot be read or does not take these entries.
    """
    text, encoding = _text(source, path)
    old, start = block.content(block.decoded(source), path)
    document = block.document(old, path, start)
    where = f"{path}:{start}" if start else path
    if not edit(document, add, where):
        return source
    lines = list(io.StringIO(text, newline=""))  # each with its own line end
    new = _lines_of(document)
    edited = _with_changes(lines, old, new, start) if start else _with_block(lines, new)
    result = _encoded("".join(edited), encoding, where)
    if not _same(source, result) or block.read_block(result, path).options != document.unwrap():
        raise ConfigError("the managed block cannot be edited here", where=where, hint="edit it by hand")
    return result


def _text(source: bytes, path: str) -> tuple[str, str]:
    """The text with its own line ends, and its encoding; the bytes can be made from both again."""
    try:
        _meaning(source)
        encoding = tokenize.detect_encoding(io.BytesIO(source).readline)[0]
        text = source.decode(encoding)
        same = text.encode(encoding) == source
    except (SyntaxError, LookupError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        what = getattr(error, "msg", "") or str(error) or "nested too deeply"
        where = f"{path}:{line}" if line else path
        raise ConfigError(f"cannot be edited: {what}", where=where, hint="correct that first") from None
    if not same:
        raise ConfigError(f"cannot be edited in its encoding, {encoding}", where=path, hint="save it as UTF-8")
    return text, encoding


def _same(source: bytes, result: bytes) -> bool:
    """Whether both are the same Python; they are not when the block itself held the encoding cookie, for example."""
    try:
        return _meaning(source) == _meaning(result)
    except (SyntaxError, ValueError):
        return False


def _meaning(source: bytes) -> str:
    """What a file means to Python: its syntax tree without line numbers."""
    return ast.dump(_tree(source))


def _tree(source: bytes | str) -> ast.Module:
    with warnings.catch_warnings():  # `"\d"` is for the user's own linter
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _encoded(text: str, encoding: str, where: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        what = f"the file's encoding, {encoding}, has no {error.object[error.start : error.end]!a}"
        raise ConfigError(what, where=where, hint="save the file as UTF-8") from None


def _lines_of(document: TOMLDocument) -> list[str]:
    import tomlkit

    return tomlkit.dumps(document).split("\n")[:-1]


# ---------------------------------------------------------------- the block's place in the file


def _with_changes(lines: list[str], old: list[str], new: list[str], start: int) -> list[str]:
    """The file's lines with the block's content `new` in place of `old`; `start` is the line of the start marker."""
    marker = lines[start - 1]
    indent, end = marker[: marker.index("#")], _line_end(marker)
    raw = lines[start : start + len(old)]
    inside: list[str] = []
    for kind, first, last, new_first, new_last in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        same = kind == "equal"
        inside += raw[first:last] if same else [indent + _comment(line) + end for line in new[new_first:new_last]]
    return [*lines[:start], *inside, *lines[start + len(old) :]]


def _with_block(lines: list[str], content: list[str]) -> list[str]:
    """The file's lines with a new block in its place, apart from its neighbours by empty lines."""
    at = _place(lines)
    above, below = lines[:at], lines[at:]
    end = _new_line_end(above, below)
    made = [_comment(line) + end for line in (block.START, *content, block.END)]
    if above and above[-1].strip():
        made.insert(0, end)
    if below and below[0].strip():
        made.append(end)
    if above and not _line_end(above[-1]):  # a file without a final newline stays one
        made = [end, *made[:-1], made[-1].removesuffix(end)]
    return [*above, *made, *below]


def _new_line_end(above: list[str], below: list[str]) -> str:
    """The file's line end; where a CR and a LF that end different lines would become one line end, both."""
    end = next(filter(None, map(_line_end, (*above, *below))), "\n")
    merges = (end == "\n" and "".join(above[-1:]).endswith("\r")) or (end == "\r" and "".join(below[:1]).startswith("\n"))
    return "\r\n" if merges else end


def _line_end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _comment(line: str) -> str:
    return f"# {line}" if line else "#"


def _place(lines: Sequence[str]) -> int:
    """How many lines stand above a new block."""
    text = "".join(line.rstrip("\r\n") + "\n" for line in lines)
    last = max((node.end_lineno or 0 for node in _heading(_tree(text))), default=0)
    if not last:
        return _opening(lines)
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return next(token.start[0] for token in tokens if token.type == tokenize.NEWLINE and token.start[0] >= last)


def _heading(tree: ast.Module) -> Iterator[ast.stmt]:
    """The docstring and the `__future__` imports."""
    for number, node in enumerate(tree.body):
        docstring = number == 0 and ast.get_docstring(tree, clean=False) is not None
        if docstring or (isinstance(node, ast.ImportFrom) and node.module == "__future__" and not node.level):
            yield node


def _opening(lines: Sequence[str]) -> int:
    """The lines of shebang and encoding cookie (PEP 263), and of a comment that begins the file and ends in an empty line."""
    comments = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    apart = comments == len(lines) or not lines[comments].strip()
    shebang = bool(lines) and lines[0].startswith("#!")
    cookies = [number for number, line in enumerate(lines[:2], 1) if tokenize.cookie_re.match(line)]
    return max(comments if apart else 0, int(shebang), *cookies)
