"""Small projects on disk, and the real command run on them from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wheels import make_wheel

COMMAND = (sys.executable, "-m", "monopack")
OF_THIS_MACHINE = (
    "MONOPACK_", "PYTHON", "VIRTUAL_ENV", "PIP_", "UV_", "CI", "GITHUB_", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM",
)  # fmt: skip
HANDLER = "\n\ndef lambda_handler(event, context):\n    return {'statusCode': 200}\n"


@dataclass
class Project:
    """A project folder with an index folder of tiny wheels beside it."""

    root: Path
    index: Path
    cache: Path
    environ: dict[str, str] = field(default_factory=dict)

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files, by their paths below the project's root."""
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def pack(self, name: str, code: str = "", *, tested: bool = True) -> None:
        """Write a pack with a handler, and a test of its own."""
        self.write({f"packs/{name}.py": code + HANDLER})
        if tested:
            body = f"self.assertEqual(packs.{name}.lambda_handler({{}}, None)['statusCode'], 200)"
            test = (
                f"import unittest\n\nimport packs.{name}\n\n\nclass T(unittest.TestCase):\n    def test(self):\n        {body}\n"
            )
            self.write({f"tests/test_{name}.py": test})

    def wheel(self, name: str, version: str = "1.0", files: Mapping[str, str | bytes] | None = None, **more: Any) -> None:
        """Put a wheel into the index; without files it holds one module of its own name."""
        module = name.replace("-", "_")
        make_wheel(self.index, name, version, files or {f"{module}/__init__.py": f"version = {version!r}\n"}, **more)

    def require(self, *requirements: str) -> None:
        """Write requirements.txt, with the index folder as the only index."""
        lines = ["--no-index", f"--find-links {self.index}", *requirements]
        self.write({"requirements.txt": "".join(f"{line}\n" for line in lines)})

    def run(self, *arguments: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m monopack` with a clean environment and a cache of its own."""
        argv, environ = [*COMMAND, *arguments], self.environment(**variables)
        return subprocess.run(argv, cwd=cwd or self.root, env=environ, capture_output=True, text=True, check=False)

    def environment(self, **variables: str) -> dict[str, str]:
        """What monopack is run with: nothing by which this machine could change what it does or shows."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith(OF_THIS_MACHINE)}
        return {**kept, "MONOPACK_CACHE_DIR": str(self.cache), **self.environ, **variables}

    def build(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run the command, which has to succeed."""
        done = self.run(*arguments, **more)
        assert done.returncode == 0, done.stderr
        return done

    def output(self, name: str) -> bytes:
        """An output's bytes."""
        return (self.root / "build" / name).read_bytes()

    def shipped(self, pack: str) -> set[str]:
        """The paths in a pack's zip."""
        with zipfile.ZipFile(self.root / "build" / f"{pack}.zip") as archive:
            return set(archive.namelist())

    def manifest(self, pack: str) -> dict[str, Any]:
        """A pack's manifest."""
        loaded: dict[str, Any] = json.loads(self.output(f"{pack}.manifest.json"))
        return loaded

    def outputs(self) -> dict[str, bytes]:
        """Every file that was written directly into the build folder."""
        return {p.name: p.read_bytes() for p in sorted((self.root / "build").iterdir()) if p.is_file()}


def import_alone(archive: Path, folder: Path, module: str, handler: str = "lambda_handler") -> subprocess.CompletedProcess[str]:
    """Unpack a zip and import a module with nothing but its content on `sys.path`."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); import importlib; m = importlib.import_module({module!r})"
    code += f"; assert callable(m.{handler}); print(m.__file__)"
    return subprocess.run([sys.executable, "-I", "-S", "-B", "-c", code], capture_output=True, text=True, check=False)
