"""A loopback index of tiny wheels that answers requests for parts of files, and counts what it sends."""

from __future__ import annotations

import contextlib
import functools
import http.server
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wheels import make_wheel, sha256

NO_PROXY = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


class Ranged(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, parts of files too when `server.ranges` says so."""

    server: Served

    def do_HEAD(self) -> None:
        file = Path(self.translate_path(self.path))
        if not file.is_file():
            return super().do_HEAD()
        self.send_response(200)
        self.send_header("Content-Length", str(file.stat().st_size))
        if self.server.ranges:
            self.send_header("Accept-Ranges", "bytes")
        return self.end_headers()

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        file = Path(self.translate_path(self.path))
        if not (asked and self.server.ranges and file.is_file()):
            if file.is_file():
                self.server.whole.append(file.name)
            return super().do_GET()
        part = file.read_bytes()[int(asked[1]) : int(asked[2]) + 1]
        self.send_response(206)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)
        return None

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name in the standard library)
        """Say nothing."""


class Served(http.server.ThreadingHTTPServer):
    """The index: `asked` are the paths that were asked for, `whole` the names of the files that went out whole."""

    ranges = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), functools.partial(Ranged, directory=str(folder)))
        self.folder = folder
        self.asked: list[str] = []
        self.whole: list[str] = []

    def publish(self, name: str, files: Mapping[str, str | bytes] | None = None, **more: Any) -> Path:
        """Put a wheel of version 1.0 into the index; without files it holds one module of its own name."""
        module = name.replace("-", "_")
        return make_wheel(self.folder / "simple" / name, name, "1.0", files or {f"{module}/__init__.py": ""}, **more)

    @property
    def url(self) -> str:
        """The address of the simple index: a folder for each distribution below `simple`."""
        return f"http://127.0.0.1:{self.server_port}/simple"


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Served]:
    """Serve a folder for the time of a `with` block."""
    with Served(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def pinned(wheel: Path) -> str:
    """A wheel as a line of a requirements file."""
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{sha256(wheel)}"
