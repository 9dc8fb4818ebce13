"""The one way in which pip is called: what it may see, what it is told, and no credential where it could be read later."""

from __future__ import annotations

import logging
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from monopack.errors import ConfigError
from monopack.model import value
from monopack.run import Completed, Door

log = logging.getLogger(__name__)

CREDENTIALS = re.compile(r"(?<=://)[^/\s]+(?=@)")
FLAGS = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off")
INDEX_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_PRE")
HIDDEN = frozenset({"PYTHONPATH", "PYTHONHOME"})


@value()
class Fetching:
    """How wheels are fetched.

    `door` starts pip, `environ` is the caller's environment (proxies, certificates, pip's own variables), `root` pip's current
    folder. `offline` forbids fetching; `pip_cache` is pip's `--cache-dir` (None: pip's own choice). `sdists` says which
    distributions may be built where there is no wheel: all, none, or those named (canonical names).
    """

    door: Door
    environ: Mapping[str, str]
    root: Path
    offline: bool = False
    pip_cache: Path | None = None
    sdists: bool | frozenset[str] = True


def run_pip(settings: Fetching, arguments: Sequence[str], lines: Sequence[str], environ: Mapping[str, str]) -> Completed:
    """Run this Python's pip with `arguments` and `lines` as its requirements file; the output comes without credentials.

    Credentials in URLs reach pip through its environment alone: neither its command line nor the file holds them.
    """
    text, secrets = _veiled("\n".join(("# -*- coding: utf-8 -*-", *lines, "")))
    cache = ("--cache-dir", str(settings.pip_cache)) if settings.pip_cache else ()
    with tempfile.TemporaryDirectory(prefix="monopack-") as folder:
        file = Path(folder, "requirements.txt")
        file.write_text(text, encoding="utf-8")
        # -P: a pip.py or ssl.py in the project's root must not take part.
        argv = [sys.executable, "-P", "-m", "pip", *arguments, *FLAGS, *cache, "--requirement", str(file)]
        done = settings.door.run(argv, cwd=settings.root, env=_environment(environ, secrets))
    output = without_credentials(done.output)
    log.debug("pip %s ended with %d\n%s", " ".join(arguments), done.code, output)
    return Completed(code=done.code, output=output, timed_out=done.timed_out)


def cache_of(python: str, settings: Fetching) -> Path:
    """The cache folder of another Python's pip; `python` is its absolute path or a command on PATH.

    Raises `ConfigError` when it cannot be asked.
    """
    hint = "name a Python that has pip, or leave it out"
    try:
        done = settings.door.run([python, "-m", "pip", "cache", "dir", *FLAGS[:2]], cwd=settings.root, env=settings.environ)
    except OSError as problem:
        said = f"{python} cannot be started: {problem.strerror}"
        raise ConfigError(said, where="existing_install_python", hint=hint) from None
    folder = Path(done.output.strip().rpartition("\n")[2])
    if done.code or not folder.is_absolute():
        raise ConfigError(f"{python} has no pip that tells its cache", where="existing_install_python", hint=hint)
    return folder


def own_settings(environ: Mapping[str, str]) -> list[str]:
    """What pip is told about indexes beside its options: its variables, and the text of its files.

    https://pip.pypa.io/en/stable/topics/configuration/
    """
    told = [f"{name}= {environ[name]}" for name in INDEX_VARIABLES if environ.get(name)]
    home, shared = Path(environ.get("HOME", "/")), environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    files = [Path(folder, "pip", "pip.conf") for folder in shared.split(os.pathsep)]
    files += [Path("/etc/pip.conf"), home / ".pip" / "pip.conf", Path(sys.prefix, "pip.conf")]
    files += [
        Path(environ.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf"),
        Path(environ.get("PIP_CONFIG_FILE") or "/"),
    ]
    return [*told, *(file.read_text("utf-8", "replace") for file in files if file.is_file())]


def option_lines(index_options: Sequence[str]) -> list[str]:
    """pip's options, as given on a command line, as lines of a requirements file (one option and its value a line)."""
    lines: list[str] = []
    for word in index_options:
        quoted = shlex.quote(word) if re.search(r"\s", word) else word
        if word.startswith("-") or not lines:
            lines.append(quoted)
        else:
            lines[-1] += f" {quoted}"
    return lines


def without_credentials(text: str) -> str:
    """The text with the user and password of every URL in it starred out."""
    return CREDENTIALS.sub("****", text)


def _veiled(text: str) -> tuple[str, dict[str, str]]:
    """The text with its credentials replaced by `${NAME}`, which pip expands, and the variables to set for it."""
    secrets: dict[str, str] = {}

    def veil(match: re.Match[str]) -> str:
        if "${" in match[0]:  # pip takes these from the caller's environment already
            return match[0]
        name = f"MONOPACK_CREDENTIAL_{len(secrets)}"
        secrets[name] = match[0]
        return f"${{{name}}}"

    return CREDENTIALS.sub(veil, text), secrets


def _environment(environ: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    """What pip sees: a lock is exact, so that a constraint could only get in its way; other people's modules stay out."""
    kept = {name: text for name, text in environ.items() if name not in HIDDEN}
    return {**kept, "PIP_CONSTRAINT": os.devnull, "PIP_REQUIRE_VIRTUALENV": "0", "PYTHONIOENCODING": "utf-8", **secrets}
