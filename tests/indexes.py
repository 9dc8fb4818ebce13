"""Package indexes on loopback that keep a log of what they were asked for."""

from __future__ import annotations

import base64
import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from wheels import make_wheel

HERE = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


@dataclass
class Index:
    """A simple index in a folder; with a `login` (`user:password`) it refuses everybody else."""

    folder: Path
    login: str = ""
    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address, without credentials."""
        return f"http://127.0.0.1:{self.port}/simple"

    @property
    def with_login(self) -> str:
        """Its address, with credentials."""
        return self.url.replace("://", f"://{self.login}@")

    def wheel(self, name: str, version: str = "1.0", text: str = "", tag: str = "py3-none-any") -> Path:
        """Put a wheel into it that holds a module of its name with that text."""
        return make_wheel(self.folder / "simple" / name, name, version, {f"{name.replace('-', '_')}.py": text}, tag=tag)

    def address(self, wheel: Path) -> str:
        """The URL of a wheel in it."""
        return f"{self.url}/{wheel.parent.name}/{wheel.name}"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the folder of `index`, and notes what is asked of it."""

    index: Index

    def __init__(self, index: Index, *args: object) -> None:
        self.index = index
        super().__init__(*args, directory=str(index.folder))  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.index.asked.append(self.path)
        wanted = f"Basic {base64.b64encode(self.index.login.encode()).decode()}"
        if self.index.login and self.headers.get("Authorization") != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(index: Index) -> Iterator[Index]:
    """Serve an index on a port of its own."""
    (index.folder / "simple").mkdir(parents=True, exist_ok=True)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, index)) as server:
        index.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield index
        server.shutdown()
