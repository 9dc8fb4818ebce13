"""What a shell completes: names of packs, without loading the configuration, which takes too long between two keys."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import click
from click.shell_completion import CompletionItem

FILE_NAME = "monopack.toml"
Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def project_file(cwd: Path, environ: Mapping[str, str], given: str | None = None) -> Path | None:
    """The config file that a command would take, whether or not it can be read; None where there is none."""
    if named := given or environ.get("MONOPACK_CONFIG"):
        return cwd / named
    return next((folder / FILE_NAME for folder in (cwd, *cwd.parents) if (folder / FILE_NAME).is_file()), None)


def complete_pack(ctx: click.Context, _parameter: click.Parameter | None, incomplete: str) -> list[CompletionItem]:
    """The packs whose names begin so; none where the project cannot be read."""
    try:
        folder = _packs_folder(Path.cwd(), os.environ, ctx.params)
        files = sorted(file for file in folder.glob(f"{incomplete}*.py") if not file.name.startswith(("_", ".")))
    except (OSError, ValueError):  # ValueError: no TOML, no UTF-8, no pattern
        return []
    return [CompletionItem(file.stem, help=f"{folder.name}/{file.name}") for file in files]


def complete_word(words: Iterable[str]) -> Complete:
    """Completes one of a few words."""
    return lambda _ctx, _parameter, incomplete: [CompletionItem(word) for word in words if word.startswith(incomplete)]


def complete_path(kind: str) -> Complete:
    """Leaves it to the shell to complete a path; `kind` is `dir` or `file`."""
    return lambda _ctx, _parameter, incomplete: [CompletionItem(incomplete, type=kind)]


def _packs_folder(cwd: Path, environ: Mapping[str, str], params: Mapping[str, object]) -> Path:
    """Where the packs are, by flag, variable, file or default, as the configuration would have it."""
    if typed := params.get("packs_dir") or environ.get("MONOPACK_PACKS_DIR"):
        return cwd / Path(str(typed)).expanduser()
    given = params.get("config")
    file = project_file(cwd, environ, str(given) if given else None)
    if file is None:
        return cwd / "packs"
    told = tomllib.loads(file.read_text("utf-8-sig")).get("packs_dir", "packs")
    return file.parent / Path(str(told)).expanduser()
