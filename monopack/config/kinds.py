"""The kinds of values that options take: how text becomes one, what is refused, and the words for it."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Strict, WithJsonSchema
from pydantic.fields import FieldInfo

from monopack.model import value

TRUE = ("1", "true", "yes", "on")
FALSE = ("0", "false", "no", "off")


class Text(str):
    """A value from a flag or a variable: text that may stand for a boolean, a number or a list. TOML has those itself."""

    __slots__ = ()


@value()
class Accepts:
    """What an option takes, in words for error messages and the reference."""

    words: str


class Group(StrEnum):
    """The headings of the help; what stands under `BUILD` means something only where packs are built."""

    PLACES = "Packs and folders"
    BUILD = "What a build does"
    PINS = "Pins and Python"
    TERMINAL = "What is shown"


@value()
class OnCommandLine:
    """Marks an option that is a flag too: under which heading of the help it stands; `metavar` stands for its value there."""

    group: Group
    metavar: str = ""


@value()
class Unset:
    """Words for a default that is no value."""

    words: str


def accepted(field: FieldInfo) -> str:
    """What a field takes, in words."""
    return next(note.words for note in field.metadata if isinstance(note, Accepts))


def _word(given: object) -> object:
    """A plain string for a text (older versions of pydantic compare literals by type); anything else as it is."""
    return str(given) if isinstance(given, Text) else given


def _switch(given: object) -> object:
    """The boolean that a text stands for; anything else as it is."""
    word = given.strip().lower() if isinstance(given, Text) else ""
    return word in TRUE if word in (*TRUE, *FALSE) else _word(given)


def _number(given: object) -> object:
    """The number that a text stands for; anything else as it is."""
    if isinstance(given, Text) and re.fullmatch(r"\s*[0-9]+(\.[0-9]+)?\s*", given, re.ASCII):
        return float(given) if "." in given else int(given)
    return _word(given)


def _words(given: object) -> object:
    """The list that a text stands for, `a,b` or `["a", "b"]`; anything else as it is."""
    if not isinstance(given, Text) or given == "auto":
        return _word(given)
    if given.lstrip().startswith("["):
        return json.loads(given)
    return [word.strip() for word in given.split(",") if word.strip()]


def _permitted(given: object) -> object:
    """As `_words`, except for the words that stand for all and none."""
    return str(given) if given in ("allow", "forbid") else _words(given)


def _words_or_all(given: object) -> object:
    """As `_words`, and `all` as it is."""
    return str(given) if given == "all" else _words(given)


def _path(given: object) -> object:
    """Refuse what no system takes for a path."""
    if isinstance(given, str) and (not given.strip() or "\0" in given):
        raise ValueError("no path")
    return given


def _distinct(given: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(given)) != len(given):
        raise ValueError("one of them twice")
    return given


def _text(given: str) -> str:
    if "\0" in given:
        raise ValueError("a NUL character")
    return given


def _variables(given: dict[str, str]) -> dict[str, str]:
    """Refuse what no system takes for an environment variable."""
    if any(not name or "=" in name or "\0" in name + value for name, value in given.items()):
        raise ValueError("no variable")
    return given


def _target(given: object) -> object:
    """The name that a table of a target stands for, also one that is JSON text; anything else as it is."""
    if isinstance(given, Text) and given.lstrip().startswith("{"):
        given = json.loads(given)
    if not isinstance(given, dict):
        return _word(given)
    table = {str(key): str(value) for key, value in given.items()}
    libc, machine = {*table} & {"glibc", "musl"}, table.get("machine", "").replace("arm64", "aarch64")
    if len(libc) != 1 or set(table) != {"python", "machine", *libc}:
        raise ValueError("not python, machine, and glibc or musl")
    prefix = "manylinux" if "glibc" in table else "musllinux"
    return f"python{table['python']}-{prefix}_{table[libc.pop()].replace('.', '_')}_{machine}"


StrictBool = Annotated[bool, Strict()]
Name = Annotated[str, Field(min_length=1), AfterValidator(_text)]
Switch = Annotated[StrictBool, BeforeValidator(_switch), Accepts(words="true or false")]
SwitchOrNone = Annotated[StrictBool | None, BeforeValidator(_switch), Accepts(words="true or false")]
Depth = Annotated[StrictBool | Literal["all"], BeforeValidator(_switch), Accepts(words='true, false or "all"')]
DepthOrNone = Annotated[StrictBool | Literal["all"] | None, BeforeValidator(_switch), Accepts(words='true, false or "all"')]
Names = Annotated[tuple[Name, ...], BeforeValidator(_words), Accepts(words="a list of strings")]
Strings = Annotated[dict[str, str], Accepts(words="a table of strings")]
Lists = Annotated[dict[str, Names], Accepts(words="a table of lists of strings")]
Variables = Annotated[dict[str, str], AfterValidator(_variables), Accepts(words="a table of strings")]
Folder = Annotated[Path, BeforeValidator(_path), Accepts(words="a path")]
FolderOrNone = Annotated[Path | None, BeforeValidator(_path), Accepts(words="a path")]
ProgramOrNone = Annotated[Name | None, BeforeValidator(_path), Accepts(words="a path or a command name")]
Seconds = Annotated[
    float, Field(gt=0, allow_inf_nan=False, strict=True), BeforeValidator(_number), Accepts(words="seconds, above 0")
]
SecondsOrZero = Annotated[
    float, Field(ge=0, allow_inf_nan=False, strict=True), BeforeValidator(_number), Accepts(words="seconds, from 0")
]
Jobs = Annotated[
    Annotated[int, Field(ge=1, strict=True)] | Literal["auto"],
    BeforeValidator(_number),
    Accepts(words='"auto" or a whole number from 1'),
]
Formats = Annotated[
    tuple[Literal["hex", "b64"], ...],
    Field(min_length=1, json_schema_extra={"uniqueItems": True}),
    BeforeValidator(_words),
    AfterValidator(_distinct),
    Accepts(words='a list of "hex" and "b64", each at most once'),
]
Handler = Annotated[
    str, Field(pattern=r"^$|^[^\W\d]\w*(\.[^\W\d]\w*)*$"), Accepts(words='the name of a function, or "" for none')
]
Roots = Annotated[
    Annotated[tuple[Name, ...], Field(min_length=1)] | Literal["auto"],
    BeforeValidator(_words),
    Accepts(words='"auto" or a list of folders'),
]
Extras = Annotated[tuple[Name, ...] | Literal["all"], BeforeValidator(_words_or_all), Accepts(words='"all" or a list of strings')]
Manager = Annotated[
    Literal["auto", "pip", "uv", "poetry", "pdm", "pipenv", "pylock"] | Annotated[str, Field(pattern=r"^pylock\.[^./\\]+$")],
    BeforeValidator(_word),
    Accepts(words='"auto", "pip", "uv", "poetry", "pdm", "pipenv", "pylock" or "pylock.NAME"'),
]
TARGET_TABLE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["python", "machine"],
    "properties": {name: {"type": "string"} for name in ("python", "machine", "glibc", "musl")},
}
TARGET_SCHEMA = WithJsonSchema({"anyOf": [{"type": "string"}, TARGET_TABLE]})
TARGET_WORDS = Accepts(words="the name of a target, or a table of python, machine, and glibc or musl")
Target = Annotated[Name, BeforeValidator(_target), TARGET_SCHEMA, TARGET_WORDS]
TargetOrNone = Annotated[Name | None, BeforeValidator(_target), TARGET_SCHEMA, TARGET_WORDS]
Sdists = Annotated[
    Literal["allow", "forbid"] | tuple[Name, ...],
    BeforeValidator(_permitted),
    Accepts(words='"allow", "forbid" or a list of distributions'),
]
Runner = Annotated[Literal["auto", "pytest", "unittest"], BeforeValidator(_word), Accepts(words='"auto", "pytest" or "unittest"')]
Color = Annotated[Literal["auto", "always", "never"], BeforeValidator(_word), Accepts(words='"auto", "always" or "never"')]
Optionals = Annotated[Literal["rules", "ship", "skip"], BeforeValidator(_word), Accepts(words='"rules", "ship" or "skip"')]
Compression = Annotated[
    Literal["wheel", "small", "stored"], BeforeValidator(_word), Accepts(words='"wheel", "small" or "stored"')
]
CompressionOrNone = Annotated[
    Literal["wheel", "small", "stored"] | None, BeforeValidator(_word), Accepts(words='"wheel", "small" or "stored"')
]
Severity = Annotated[Literal["warn", "error"], BeforeValidator(_word), Accepts(words='"warn" or "error"')]
