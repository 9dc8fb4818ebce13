"""The one way in which pip is called: what it may see, what it is told, and no credential where it could be read later."""

from __future__ import annotations

import logging
import os
import re
import shlex
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from urllib.parse import unquote

from packaging.version import Version

from monopack.errors import ConfigError
from monopack.model import Step, value
from monopack.run import Completed, Door, temporary_folder
from monopack.store.credentials import credentials, with_credentials

log = logging.getLogger(__name__)

CREDENTIALS = re.compile(r"(?<=://)[^/\s]+(?=@)")
FLAGS = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off")
INDEX_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_PRE")
HIDDEN = frozenset({"PYTHONPATH", "PYTHONHOME"})
OURS = ("glance", "locate")  # commands of `glance_script`
OLDEST = Version("20.3")  # the first pip that downloads for several platforms at once
TODAYS = Version("23.3")  # the first pip whose cache has the layout that the newest one reads
TAKEN = re.compile(r"^\s*(Using cached|Downloading|Resuming download) (?:\S*/)?([^/\s?]+\.whl)(?=[\s?]|$)", re.MULTILINE)
DOWNLOADING = re.compile(r"\s*Downloading (?:\S*/)?([^/\s?]+\.(?:whl|zip|tar\.gz)) \(([^()]+)\)\s*")

# What `-P -m pip` does, for Pythons before 3.11 too: a pip.py or ssl.py in the project's root must not take part.
SAFE = "import sys; sys.path[:] = filter(None, sys.path); import runpy"
RUN = "runpy.run_module('pip', run_name='__main__', alter_sys=True)"


def tell_nobody(_: Step) -> None:
    """Nobody wants to know what is being done."""


@value()
class Fetching:
    """How wheels are fetched.

    `door` starts pip, `environ` is the caller's environment (proxies, certificates, pip's own variables), `root` pip's current
    folder. `offline` forbids fetching; `pip_cache` is pip's `--cache-dir` (None: pip's own choice), `pip_python` a Python whose
    pip downloads, since only that one reads the cache (empty: this Python's). `sdists` says which distributions may be built
    where there is no wheel: all, none, or those named (canonical names). `indexes` are the names of indexes by their URLs.
    With `anew` the index is asked for what has no hash, whatever it said before. `tell` is told what is being fetched.
    """

    door: Door
    environ: Mapping[str, str]
    root: Path
    offline: bool = False
    pip_cache: Path | None = None
    pip_python: str = ""
    sdists: bool | frozenset[str] = True
    indexes: Mapping[str, str] = field(default_factory=dict)
    anew: bool = False
    tell: Callable[[Step], None] = tell_nobody

    def may_build(self, name: str) -> bool:
        """Whether a wheel may be built of the distribution of that canonical name."""
        return self.sdists if isinstance(self.sdists, bool) else name in self.sdists

    def asks_again(self, hashes: Collection[str]) -> bool:
        """Whether what an index said before of a pin with these hashes does not count."""
        return self.anew and not self.offline and not hashes

    def hear(self, line: str) -> None:
        """Pass on what a line of pip's output says of a download."""
        if match := DOWNLOADING.fullmatch(line):
            self.tell(Step(name="download", detail=f"{match[1]} ({match[2]})"))


def run_pip(settings: Fetching, arguments: Sequence[str], lines: Sequence[str], environ: Mapping[str, str]) -> Completed:
    """Run pip with `arguments` and `lines` as its requirements file; the output comes without credentials.

    Credentials in URLs reach pip through its environment alone: neither its command line nor the file holds them.
    """
    known = credentials(settings.environ, settings.indexes, own_settings(settings.environ))
    text, secrets = _veiled(with_credentials("\n".join(("# -*- coding: utf-8 -*-", *lines, "")), known))
    cache = ("--cache-dir", str(settings.pip_cache)) if settings.pip_cache else ()
    with temporary_folder("pip") as folder:
        file = folder / "requirements.txt"
        file.write_text(text, encoding="utf-8")
        argv = [*_program(arguments[0], settings), *arguments, *FLAGS, *cache, "--requirement", str(file)]
        door = replace(settings.door, heard=settings.hear)
        done = door.run(argv, cwd=settings.root, env=_environment(environ, secrets))
    output = without_credentials(done.output)
    log.debug("pip %s ended with %d\n%s", " ".join(arguments), done.code, output)
    return Completed(code=done.code, output=output, timed_out=done.timed_out)


def _program(command: str, settings: Fetching) -> list[str]:
    """What is started for a command: another Python's pip where only that one reads its cache, the script for ours, or pip."""
    if command in OURS:
        return [sys.executable, "-P", str(Path(__file__).with_name("glance_script.py"))]
    if command == "download" and settings.pip_python:
        return [settings.pip_python, "-c", f"{SAFE}; {RUN}"]
    return [sys.executable, "-P", "-m", "pip"]


def with_cache_of(python: str, settings: Fetching) -> Fetching:
    """The same settings with the cache of another Python's pip; `python` is its absolute path or a command on PATH.

    Raises `ConfigError` when it cannot be asked, or is too old.
    """
    code = f"{SAFE}; import pip; print('pip', pip.__version__); {RUN}"
    environ = {name: text for name, text in _environment(settings.environ, {}).items() if name != "PIP_NO_CACHE_DIR"}
    try:
        done = settings.door.run([python, "-c", code, "cache", "dir", *FLAGS[:2]], cwd=settings.root, env=environ)
    except OSError as problem:
        raise _useless(f"{python} cannot be started: {problem.strerror}") from None
    last = done.output.strip().rpartition("\n")[2]
    told = re.search(r"^pip (\d\S*)$", done.output, re.MULTILINE)
    if done.code or not told or not Path(last).is_absolute():
        raise _useless(f"{python} has no pip that tells its cache: {last}")
    version = Version(told[1])
    if version < OLDEST:
        raise _useless(f"{python} has pip {version}, which is too old: {OLDEST} or a newer one is needed")
    return replace(settings, pip_cache=Path(last), pip_python=python if version < TODAYS else "")


def _useless(what: str) -> ConfigError:
    return ConfigError(what, where="existing_install_python", hint="name a Python that has pip, or leave it out")


def from_cache(output: str) -> frozenset[str]:
    """The file names of the wheels that pip had in its cache, by all that it printed; not those that it got there just now."""
    first: dict[str, str] = {}
    for verb, name in TAKEN.findall(output):
        first.setdefault(unquote(name), verb)
    return frozenset(name for name, verb in first.items() if verb == "Using cached")


def own_settings(environ: Mapping[str, str]) -> list[str]:
    """What pip is told about indexes beside its options: its variables, and the text of its files."""
    told = [f"{name}= {environ[name]}" for name in INDEX_VARIABLES if environ.get(name)]
    return [*told, *(file.read_text("utf-8", "replace") for file in own_files(environ) if file.is_file())]


def own_files(environ: Mapping[str, str]) -> list[Path]:
    """Where pip looks for files of its own settings: https://pip.pypa.io/en/stable/topics/configuration/."""
    home, shared = Path(environ.get("HOME", "/")), environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    files = [Path(folder, "pip", "pip.conf") for folder in shared.split(os.pathsep)]
    files += [Path("/etc/pip.conf"), home / ".pip" / "pip.conf", Path(sys.prefix, "pip.conf"), Path(sys.prefix, "pip.ini")]
    files += [Path(folder, "Library", "Application Support", "pip", "pip.conf") for folder in ("/", home)]
    files += [Path(environ[name], "pip", "pip.ini") for name in ("PROGRAMDATA", "APPDATA", "USERPROFILE") if name in environ]
    user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf")
    return [*files, user, *map(Path, filter(None, [environ.get("PIP_CONFIG_FILE")]))]


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
    switches = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_QUIET": "0"}
    if environ.get("UV_KEYRING_PROVIDER") == "subprocess":  # pip asks none by itself, since it may not ask the user
        kept.setdefault("PIP_KEYRING_PROVIDER", "subprocess")
    return {**kept, **switches, "PIP_CONSTRAINT": os.devnull, "PYTHONIOENCODING": "utf-8", **secrets}
