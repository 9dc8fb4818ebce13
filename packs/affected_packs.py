"""Which packs does a change touch? Ships monopack's tracing and what that needs: no configuration, no command line."""

from __future__ import annotations

import base64
import binascii
import io
import os
import platform
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from packaging.tags import sys_tags

from monopack.errors import MonopackError
from monopack.model import Target
from monopack.trace import Scanner, survey, trace


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Trace every pack of a project and name those that reach a changed file.

    `event["archive"]` is a zip of the project (`git archive --format zip HEAD`), in base64; `event["changed"]` lists paths
    relative to it; `event["packs_dir"]` (default `packs`) and `event["source_roots"]` (default `["."]`) are as in
    monopack.toml. Returns status 200 with `affected`, the changed files by pack, and `errors` by pack for those that cannot
    be traced: what such a pack reaches is not known. Status 400 for an event that cannot be used.
    """
    try:
        archive = base64.b64decode(event["archive"], validate=True)
        changed = {str(path) for path in event["changed"]}
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(io.BytesIO(archive)) as opened:
            opened.extractall(folder)  # zipfile keeps members inside the folder
            roots = tuple(event.get("source_roots", ["."]))
            return _affected(Path(folder), str(event.get("packs_dir", "packs")), roots, changed)
    except (KeyError, TypeError, binascii.Error, zipfile.BadZipFile) as error:
        return {"statusCode": 400, "error": f"archive has to be a zip in base64, changed a list of paths: {error!r}"}


def _affected(root: Path, packs_dir: str, roots: tuple[str, ...], changed: set[str]) -> dict[str, Any]:
    """Trace all packs of an unpacked project."""
    target = _this_python()
    scanner = Scanner(survey(root, roots), target)
    affected: dict[str, list[str]] = {}
    errors: dict[str, str] = {}
    for pack in sorted((root / packs_dir).glob("[!_]*.py")):
        module = scanner.tree.module(pack.relative_to(root).as_posix())
        try:
            reached = {file.source.path for file in trace(module, (), (), scanner, target).files}
        except MonopackError as error:
            errors[pack.stem] = str(error)
            continue
        if reached & changed:
            affected[pack.stem] = sorted(reached & changed)
    return {"statusCode": 200, "affected": affected, "errors": errors}


def _this_python() -> Target:
    """The Python that runs this, as a target: enough of one for tracing."""
    markers = {
        "python_full_version": platform.python_version(), "sys_platform": sys.platform, "os_name": os.name,
        "platform_machine": platform.machine(),
    }  # fmt: skip
    return Target(
        name="host", python=sys.executable, version=platform.python_version(), markers=markers, tags=tuple(sys_tags()),
        stdlib=frozenset(sys.stdlib_module_names), builtins=frozenset(sys.builtin_module_names), chosen_by="running",
    )  # fmt: skip
