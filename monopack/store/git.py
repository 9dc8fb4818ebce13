"""Git repositories at a commit, for builds: fetched with the caller's credentials, of which the build then sees nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from monopack.store.choose import Wanted
from monopack.store.pip import Fetching

AMBIENT = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"})  # of a hook that runs monopack
HTTP_CREDENTIALS = re.compile(r"(?<=^http://)[^/@]+@|(?<=^https://)[^/@]+@")


def is_git(url: str) -> bool:
    """Whether a pin's URL is a Git repository at a commit: `git+https://...@COMMIT#subdirectory=FOLDER`."""
    return url.startswith("git+")


def check_out(pin: Wanted, settings: Fetching, folder: Path) -> Path:
    """The project of a pin from Git, in a new folder (absolute): a clone at the commit, with its submodules.

    Credentials in the URL reach Git through its environment alone. Raises `UnavailableError` with Git's own reason.
    """
    address, _, rest = pin.url.removeprefix("git+").rpartition("@")
    commit, _, fragment = rest.partition("#")
    plain = HTTP_CREDENTIALS.sub("", address)
    environ = _environment(settings.environ, plain, address)
    here = ["-C", str(folder)]
    _git(["clone", "--quiet", "--no-checkout", plain, str(folder)], environ, pin, settings)
    _git([*here, "checkout", "--quiet", "--detach", commit], environ, pin, settings)
    _git([*here, "submodule", "--quiet", "update", "--init", "--recursive"], environ, pin, settings)
    project = folder / parse_qs(fragment).get("subdirectory", ["."])[0]
    if not project.is_dir():
        raise pin.refusal(f"has no folder {project.relative_to(folder)} at its commit", "correct its subdirectory and lock again")
    return project


def _environment(environ: Mapping[str, str], plain: str, address: str) -> dict[str, str]:
    """The caller's environment, in which `plain` means `address` and Git asks nobody for a password."""
    kept = {name: text for name, text in environ.items() if name not in AMBIENT}
    number = int(kept.get("GIT_CONFIG_COUNT", "0"))
    own = {"GIT_TERMINAL_PROMPT": "0"}
    if plain != address:
        own |= {f"GIT_CONFIG_KEY_{number}": f"url.{address}.insteadOf", f"GIT_CONFIG_VALUE_{number}": plain}
        own |= {"GIT_CONFIG_COUNT": str(number + 1)}
    return {**kept, **own}


def _git(arguments: list[str], environ: Mapping[str, str], pin: Wanted, settings: Fetching) -> None:
    try:
        done = settings.door.run(["git", *arguments], cwd=settings.root, env=environ)
    except OSError as problem:
        raise pin.refusal(f"comes from Git, which cannot be started: {problem.strerror}", "install git") from None
    if done.code:
        said = (line for line in done.output.splitlines() if line.startswith(("fatal:", "error:")))
        what = f"could not be fetched: {next(said, f'git ended with {done.code}')}"
        raise pin.refusal(what, f"look at {_host(pin.url)}, the network and the credentials")


def _host(url: str) -> str:
    """What to look at: the server, or the repository itself where there is none."""
    parts = urlsplit(url)
    return parts.hostname or parts.path
