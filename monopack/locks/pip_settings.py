"""pip's own settings, as far as uv must share them, since pip fetches what uv resolves.

pip is asked for them once, and again when its files or variables have changed.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version as installed_version
from pathlib import Path

from monopack.errors import LockError
from monopack.locks import requirements
from monopack.locks.pins import redact
from monopack.locks.running import Resolver, last_words, run
from monopack.model import value

OF_UV = ("UV_DEFAULT_INDEX", "UV_INDEX_URL")  # which count more


@value()
class PipSettings:
    """Those of pip's own settings (its files and `PIP_*`) that matter.

    `lines` are index options for a requirements file; `constraints` files, `hosts` trusted without TLS, `cert` a CA bundle.
    """

    lines: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    cert: str = ""


def ask(root: Path, options: Sequence[str], resolver: Resolver) -> PipSettings:
    """What pip is configured to, less what the requirements (`options`) or uv's own variables say instead."""
    config = _config(root, resolver)
    own_index = any(option.startswith("--index-url=") for option in options)
    uv_index = any(name in resolver.environ for name in OF_UV)
    index = [] if own_index or uv_index else [f"--index-url={url}" for url in config.get("index-url", "").split()]
    extra = [] if uv_index else [f"--extra-index-url={url}" for url in config.get("extra-index-url", "").split()]
    links = [f"--find-links={requirements.absolute_links(root, text)}" for text in config.get("find-links", "").split()]
    none = ["--no-index"] if config.get("no-index", "").lower() in ("1", "true", "yes", "on") else []
    hosts = [
        *config.get("trusted-host", "").split(),
        *(option.partition("=")[2] for option in options if "--trusted-host=" in option),
    ]
    return PipSettings(
        lines=(*index, *extra, *links, *none), hosts=tuple(hosts), cert=config.get("cert", ""),
        constraints=tuple(str(root / path) for path in config.get("constraint", "").split()),
    )  # fmt: skip


def _config(root: Path, resolver: Resolver) -> dict[str, str]:
    """pip's settings for a download by option name: `[global]`, then `[download]`, then `PIP_*`, as pip itself ranks them."""
    done = run([sys.executable, "-P", "-m", "pip", "config", "list"], root, resolver.environ, resolver)
    if done.code != 0:
        raise LockError(
            f"pip cannot read its configuration: {last_words(done.output)}", hint="`pip config debug` shows the files"
        )
    sections: dict[str, dict[str, str]] = {"global": {}, "download": {}, ":env:": {}}
    for line in done.output.splitlines():
        section, _, rest = line.partition(".")
        key, _, text = rest.partition("=")
        if section in sections and text:
            with contextlib.suppress(ValueError, SyntaxError):  # a warning that looks like a setting
                sections[section][key] = str(ast.literal_eval(text))
    return {**sections["global"], **sections["download"], **sections[":env:"]}


# ---------------------------------------------------------------- kept for the next time


def recall(file: Path, key: str) -> PipSettings | None:
    """The settings that were kept in a file under that key, without the credentials in them."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(file.read_text("utf-8"))
        if kept["key"] == key:
            lines, constraints, hosts = (tuple(map(str, kept[name])) for name in ("lines", "constraints", "hosts"))
            return PipSettings(lines=lines, constraints=constraints, hosts=hosts, cert=str(kept["cert"]))
    return None


def keep(file: Path, key: str, settings: PipSettings) -> None:
    """Keep settings; a folder that cannot be written keeps nothing."""
    bare = replace(settings, lines=tuple(map(redact, settings.lines)), hosts=tuple(map(redact, settings.hosts)))
    fresh = file.with_suffix(".json.tmp")
    with contextlib.suppress(OSError):
        fresh.write_text(json.dumps({"key": key, **asdict(bare)}), "utf-8")
        fresh.replace(file)


def key_of(root: Path, options: Sequence[str], resolver: Resolver) -> str:
    """A digest (hex) of all that decides what `ask` says."""
    told = {name: text for name, text in resolver.environ.items() if name.startswith("PIP_") or name in OF_UV}
    files = {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in resolver.pip_files if file.is_file()}
    facts = [installed_version("pip"), sys.executable, str(root), list(options), told, files]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
