"""Run inside pip: where the wheels of requirements are, and which files are in them, by the ends of the wheels alone.

`python glance_script.py glance|locate --dest FOLDER --requirement FILE ...` takes the options of `pip download` and writes
`FOLDER/glances.json`. In `told` are, by canonical name, for `glance` the `files` of the wheel, for `locate` its `url` and its
`hash` (`sha256:...`, as far as the index says it); `size` is that of all that was fetched for it. What cannot be told so is left
out; whoever asked then fetches the whole wheel. pip's own parts are used, since they alone know its configuration, credentials,
certificates and proxies, and which file it would take.
"""

from __future__ import annotations

import json
import logging
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from optparse import Values
from pathlib import Path

from pip._internal.cli import cmdoptions
from pip._internal.cli.cmdoptions import make_target_python
from pip._internal.commands.download import DownloadCommand
from pip._internal.models.link import Link
from pip._internal.network.lazy_wheel import LazyZipOverHTTP
from pip._internal.network.session import PipSession
from pip._internal.req.req_install import InstallRequirement
from pip._vendor.packaging.utils import canonicalize_name
from pip._vendor.requests.models import Response

log = logging.getLogger(__name__)

ANSWER = "glances.json"
AT_ONCE = 8  # connections
END = 16 * 1024  # bytes that are asked for at a time, from a wheel's end
Told = dict[str, "str | list[str]"]


class Glance(DownloadCommand):
    """`pip download` that downloads nothing but the lists of files."""

    def run(self, options: Values, args: list[str]) -> int:
        """Look at the requirements, several at once; each thread has a session of its own."""
        options.editables = []  # as `pip download` does itself
        cmdoptions.check_dist_restriction(options)
        sizes: list[int] = []
        with ThreadPoolExecutor(AT_ONCE) as threads:
            parts = threads.map(lambda part: self._part(part, options, args, sizes), range(AT_ONCE))
        told = {name: each for part in parts for name, each in part.items()}
        answer = {"told": told, "size": sum(sizes)}
        Path(options.download_dir, ANSWER).write_text(json.dumps(answer), encoding="utf-8")
        return 0

    def _part(self, part: int, options: Values, args: list[str], sizes: list[int]) -> dict[str, Told]:
        """What one thread finds out, about every eighth requirement; `sizes` gets those of the answers to it."""
        session = self._build_session(options)
        session.hooks["response"].append(lambda response, *_, **__: sizes.append(_size(response)))
        target = make_target_python(options)
        finder = self._build_package_finder(options, session, target, ignore_requires_python=False)
        named = [each for each in self.get_requirements(args, options, finder, session) if not each.constraint]

        def link_of(requirement: InstallRequirement) -> Link | None:
            assert requirement.req
            hashes = requirement.hashes(trust_internet=False)
            best = finder.find_best_candidate(requirement.req.name, requirement.req.specifier, hashes).best_candidate
            known = best and not (hashes and best.link.has_hash and not best.link.is_hash_allowed(hashes))
            return best.link if best and known else None

        found = ((requirement, self._told(requirement, link_of, session)) for requirement in named[part::AT_ONCE])
        return {canonicalize_name(requirement.name or ""): told for requirement, told in found if told}

    def _told(
        self, requirement: InstallRequirement, link_of: Callable[[InstallRequirement], Link | None], session: PipSession
    ) -> Told:
        try:
            link = requirement.link or link_of(requirement)
            if not link:
                return {}
            if self.name == "glance":
                return {"files": _files(link, session)}
            return {"url": link.url_without_fragment, "hash": f"{link.hash_name}:{link.hash}" if link.hash else ""}
        except Exception as problem:  # whatever it is, the wheel will be fetched, and that says what is wrong
            log.warning("%s: %s", requirement.name, type(problem).__name__)
            return {}


def _size(response: Response) -> int:
    """The bytes of an answer's body that came over the network: not from a folder, nor from pip's cache."""
    asked = getattr(response.request, "method", "HEAD")
    if asked == "HEAD" or getattr(response, "from_cache", False):
        return 0
    return int(response.headers.get("Content-Length", 0))


def _files(link: Link, session: PipSession) -> list[str]:
    """The names in a wheel's central directory, which is at its end."""
    if link.is_file:
        with zipfile.ZipFile(link.file_path) as archive:
            return archive.namelist()
    with closing(LazyZipOverHTTP(link.url_without_fragment, session, END)) as wheel:
        return zipfile.ZipFile(wheel).namelist()


if __name__ == "__main__":
    sys.exit(Glance(sys.argv[1], "Look at wheels.").main(sys.argv[2:]))
