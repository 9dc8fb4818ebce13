"""What is derived from the fields of the options: the flags, the JSON Schema and the page of the reference."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from monopack.config.keys import FILE_NAME, PREFIX, flag_name
from monopack.config.kinds import Group, OnCommandLine, Unset, accepted
from monopack.config.options import BuildConfig, PackOptions
from monopack.model import value


@value()
class Flag:
    """One option as a flag: its field's name, its kind (a `bool` has a negative, `--no-name`) and the words for the help.

    `choices` are the words that it takes, where they are few.
    """

    name: str
    group: Group
    kind: Literal["bool", "text"]
    help: str
    metavar: str
    default: str
    choices: tuple[str, ...]

    @property
    def option(self) -> str:
        """The flag as it is typed: `--build-dir`."""
        return flag_name(self.name)

    @property
    def negative(self) -> str:
        """The flag that says no, `--no-verify`; empty when the option is no boolean."""
        return flag_name(f"no_{self.name}") if self.kind == "bool" else ""


def flags() -> tuple[Flag, ...]:
    """The options that are flags too, in the order of their fields."""
    return tuple(
        _flag(name, field, note)
        for name, field in BuildConfig.model_fields.items()
        for note in field.metadata
        if isinstance(note, OnCommandLine)
    )


def _flag(name: str, field: FieldInfo, note: OnCommandLine) -> Flag:
    kind: Literal["bool", "text"] = "bool" if isinstance(field.default, bool) else "text"
    return Flag(
        name=name, group=note.group, kind=kind, help=field.description or "", metavar=note.metavar, default=_default(field),
        choices=_choices(field.annotation),
    )  # fmt: skip


def _choices(annotation: Any) -> tuple[str, ...]:
    """The words of a type that takes a few words, or these and others."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return next((get_args(each) for each in get_args(annotation) if get_origin(each) is Literal), ())


def _default(field: FieldInfo) -> str:
    """A default in the words of a flag: `build`, `hex`, `false`."""
    default = field.get_default(call_default_factory=True)
    if default is None:
        return next((note.words for note in field.metadata if isinstance(note, Unset)), "as project-wide")
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ",".join(default)
    return f"{default:g}" if isinstance(default, float) else str(default or "")


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `monopack.toml`, as plain JSON values."""
    generated = _tidy(BuildConfig.model_json_schema())
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": FILE_NAME,
        "description": "The configuration of monopack.",
    }
    return {**head, **{name: item for name, item in generated.items() if name not in head}}


def _tidy(node: Any) -> Any:
    """Take away what TOML does not have (null), what says a thing twice, and what docstrings say to programmers."""
    if isinstance(node, list):
        return [_tidy(item) for item in node if item != {"type": "null"}]
    if not isinstance(node, dict):
        return node
    kept = {
        name: _tidy(item)
        for name, item in node.items()
        if not (name == "title" and isinstance(item, str)) and not (name == "default" and item is None)
    }
    if "const" in kept:
        return {"const": kept["const"]}
    if isinstance(kept.get("description"), str):
        kept["description"] = kept["description"].split("\n\n")[0]
    for group in ("anyOf", "allOf"):
        if isinstance(kept.get(group), list) and len(kept[group]) == 1:
            kept = {**kept.pop(group)[0], **kept}
    return kept


def reference() -> str:
    """The page of the reference that lists every option, as Markdown."""
    projects = [_row(name, field) for name, field in BuildConfig.model_fields.items() if name not in ("pack", "packs")]
    packs = [_pack_row(name, field) for name, field in PackOptions.model_fields.items()]
    return _PAGE.format(projects="\n".join(projects), packs="\n".join(packs))


def _row(name: str, field: FieldInfo) -> str:
    flag = next((flag for flag in flags() if flag.name == name), None)
    typed = f"`{flag.option}`" if flag else ""
    typed += f" `{flag.negative}`" if flag and flag.negative else ""
    return _cells(f"`{name}`", typed, f"`{PREFIX}{name.upper()}`", *_last_cells(field))


def _pack_row(name: str, field: FieldInfo) -> str:
    return _cells(f"`{name}`", *_last_cells(field))


def _last_cells(field: FieldInfo) -> tuple[str, str, str]:
    default = _default(field)
    words = field.get_default(call_default_factory=True) is None or not default
    return (default if words else f"`{default}`") or "empty", accepted(field), field.description or ""


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


_PAGE = """\
<!-- Generated from monopack/config by `python tests/test_generated.py`. -->
# Configuration

A flag counts before a `MONOPACK_*` variable, a variable before `monopack.toml`, and that before the default. The file is the one
that `--config` or `MONOPACK_CONFIG` names, else the nearest `monopack.toml` in the current folder or above; its folder is the
project root. Without a file the parent of the packs folder is the project root.

## Options of the project

| key | flag | variable | default | takes | what it does |
|---|---|---|---|---|---|
{projects}

Paths in flags and variables are relative to the current folder, paths in `monopack.toml` to that file. `source_roots` are always
relative to the project root. Defaults are relative to the project root; without a file, `packs` is one of the current folder.

## Options of a pack

These stand in `[pack]` (for every pack), in `[packs.NAME]` and in the managed block of a pack's file, which counts most. Lists
are united, `env` and `test_env` are merged key by key, everything else is overridden. A flag or variable for `target`,
`verify` or `skip_tests` counts before all of these.

| key | default | takes | what it does |
|---|---|---|---|
{packs}

In the environment they are `MONOPACK_PACK__KEY` and `MONOPACK_PACKS__NAME__KEY`, and `MONOPACK_PACK__ENV__NAME` for one entry
of a table. Packs and keys are found in any case there; the names in `module_map`, `import_rules`,
`env` and `test_env` keep theirs.

## Import rules

`[import_rules]` adds to the rules that monopack has of well-known distributions, or replaces one of them (an empty list turns it
off). The values are names of distributions; those of them that are pinned ship. The key is what code has:

| key | counts where |
|---|---|
| `"jwt"` | a module of that name is imported, by the project or by a distribution (not with `optional = "skip"`) |
| `"fastapi.UploadFile"` | that name is imported from there |
| `"pandas.read_excel"` | that function is called |
| `"pandas.*.to_excel"` | a method of that name is called, in a pack that imports `pandas` |
| `"postgresql+psycopg://"` | a string begins so, or is `"postgresql+psycopg"` |
| `"sqlalchemy.create_engine?"` | that function is called, and no URL in the pack tells which of the distributions is meant |

## Values in flags and variables

* Booleans are `1`, `true`, `yes`, `on` or `0`, `false`, `no`, `off`, in any case.
* Lists are separated by commas, or a JSON list.
* A whole table is a JSON object.
* An empty variable counts as unset.

A variable that begins with `MONOPACK_` and is no option is ignored with a warning. An unknown key in `monopack.toml` or in a
managed block is an error.

## Example

```toml
build_dir = "dist"
sha_output = ["hex", "b64"]

[module_map]
cv2 = "opencv-python-headless"

[import_rules]
"acme.connect" = ["acme-driver"]

[pack]
handler = "lambda_handler"

[packs.users_get]
extra_modules = ["app.hidden.runtime_dep"]
include = ["app/templates/**"]
```
"""
