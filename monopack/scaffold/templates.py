"""The handlers that deployment templates name (SAM, CloudFormation, Serverless), one line at a time and without YAML."""

from __future__ import annotations

import re
from collections.abc import Iterable

NAMES = ("template.yaml", "template.yml", "serverless.yaml", "serverless.yml")
LINE = re.compile(r"""^[ \t-]*[Hh]andler:[ \t]*["']?([\w./-]+)\.(\w+)["']?[ \t]*(?:\#.*)?$""", re.MULTILINE)


def handlers(text: str) -> frozenset[str]:
    """The handlers in a template's text, as `path/without/suffix:function`.

    A handler is written as `src/users.get` or `src.users.get`; what is computed (`${self:custom.x}`) is passed over.
    """
    return frozenset(f"{path.replace('.', '/').strip('/')}:{function}" for path, function in LINE.findall(text))


def named_in(path: str, named: Iterable[str]) -> frozenset[str]:
    """The functions of the module file at `path` that templates name.

    A template's paths begin at a folder that only the whole template tells, so the end of the path has to do.
    """
    module = f"/{path.removesuffix('.py').removesuffix('/__init__')}"
    pairs = (each.rpartition(":") for each in named)
    return frozenset(function for ending, _, function in pairs if module.endswith(f"/{ending}"))
