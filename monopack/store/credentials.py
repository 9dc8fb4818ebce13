"""User names and passwords of indexes, where the ecosystem keeps them.

Only those that pip does not find itself: it looks into `.netrc` and, where it is told to, asks keyring.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

WITH_USER = re.compile(r"(https?://)([^/@\s]+)@([^/@\s]+)")
WITHOUT = re.compile(r"(https?://)([^/@\s]+)(?=[/\s]|$)")
URLS = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
NAMED = ("UV_INDEX_{}", "POETRY_HTTP_BASIC_{}")  # with _USERNAME and _PASSWORD after them

Credentials = Mapping[str, str]  # `user:password`, percent-encoded, by `https://host:port`


def credentials(environ: Mapping[str, str], indexes: Mapping[str, str], settings: Iterable[str]) -> Credentials:
    """What is known for each origin.

    `indexes` are names of indexes by their URLs, for uv's and Poetry's variables; `settings` are texts of pip's own settings.
    https://docs.astral.sh/uv/concepts/indexes/#authentication,
    https://python-poetry.org/docs/repositories/#configuring-credentials
    """
    texts = (*settings, *(environ.get(name, "") for name in URLS), *indexes)
    found = {f"{scheme}{host}": user for text in texts for scheme, user, host in WITH_USER.findall(text)}
    for url, name in indexes.items():
        if (match := WITHOUT.match(WITH_USER.sub(r"\1\3", url))) and (user := next(_of_variables(name, environ), "")):
            found[match[0]] = user
    return found


def _of_variables(name: str, environ: Mapping[str, str]) -> Iterator[str]:
    """What variables say of an index of that name."""
    spelled = re.sub(r"[^A-Z0-9]", "_", name.upper())
    for start in NAMED if name else ():
        user, password = (environ.get(f"{start.format(spelled)}_{what}", "") for what in ("USERNAME", "PASSWORD"))
        if user or password:
            yield f"{quote(user, safe='')}:{quote(password, safe='')}"


def with_credentials(text: str, known: Credentials) -> str:
    """The text with what is known put into its URLs that name no user."""
    return WITHOUT.sub(lambda url: f"{url[1]}{known[url[0]]}@{url[2]}" if url[0] in known else url[0], text)
