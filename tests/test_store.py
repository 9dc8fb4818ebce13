"""The store: real pip, real wheels in local folders, and what must be refused."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import logging
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from packaging import tags
from packaging.markers import default_environment
from served import NO_PROXY, Served
from wheels import make_wheel, sha256

from monopack.errors import LockError
from monopack.model import Distribution, Evidence, Pin, Step, Target, WheelFile
from monopack.run import Door
from monopack.store import Fetching, Look, Store
from monopack.store.choose import ask, want
from monopack.store.pip import from_cache
from monopack.store.wheel import read
from monopack.trace import imports_of

LOOK = Look(key="0", imports=lambda data, package: imports_of(data, package, host()))


def new_store(folder: Path, settings: Fetching) -> Store:
    return Store(folder, settings, LOOK)


def host() -> Target:
    """The Python that runs the tests, as a target."""
    return Target(
        name="host", python=sys.executable, version=platform.python_version(),
        markers={name: str(text) for name, text in default_environment().items()}, tags=tuple(tags.sys_tags()),
        stdlib=frozenset(sys.stdlib_module_names), builtins=frozenset(sys.builtin_module_names), chosen_by="the tests",
    )  # fmt: skip


def foreign() -> Target:
    """CPython 3.12 on arm64 Linux with glibc 2.28 at least: not the host."""
    platforms = ["manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64", "linux_aarch64"]
    accepted = [*tags.cpython_tags((3, 12), ["cp312"], platforms), *tags.compatible_tags((3, 12), "cp312", platforms)]
    markers = {**host().markers, "python_version": "3.12", "platform_system": "Linux", "platform_machine": "aarch64"}
    return replace(host(), name="aws-lambda-python3.12-arm64", version="3.12.0", tags=tuple(accepted), markers=markers)


def pin(name: str, version: str = "1.0", *, hashes: Sequence[Path] = (), wheels: Sequence[Path] = (), url: str = "") -> Pin:
    """A pin at line 3 of a requirements file; `hashes` are files whose digests it has, `wheels` files that the lock names."""
    named = tuple(WheelFile(filename=w.name, url=w.as_uri(), hash=f"sha256:{sha256(w)}") for w in wheels)
    return Pin(
        name=name, version=version, evidence=Evidence(file="requirements.txt", line=3), url=url, wheels=named,
        hashes=frozenset(f"sha256:{sha256(file)}" for file in hashes),
    )  # fmt: skip


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A folder for --find-links, with spaces and a letter outside ASCII in its name."""
    folder = tmp_path / "an índex"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Fetching:
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    own = {"PIP_CONFIG_FILE": os.devnull}
    return Fetching(door=Door(), environ={**environ, **own}, root=tmp_path, pip_cache=tmp_path / "pip-cache")


@pytest.fixture
def store(tmp_path: Path, settings: Fetching) -> Callable[[], Store]:
    """A new Store, as another run would make it, over the same folder each time."""
    return lambda: new_store(tmp_path / "store", settings)


def local(index: Path) -> list[str]:
    return ["--no-index", "--find-links", str(index)]


def offline(settings: Fetching) -> Store:
    """The store of the test, without the index."""
    return new_store(settings.root / "store", replace(settings, offline=True))


NewStore = Callable[[], Store]


# ---------------------------------------------------------------- obtaining


def test_pins_become_distributions_in_the_store(store: NewStore, index: Path, tmp_path: Path) -> None:
    requires, groups = ["two>=1", "three; extra == 'more'"], "[console_scripts]\nrun = two:main\n\n[some.plugins]\na = two\n"
    one = make_wheel(index, "One", "1.0", {"one/__init__.py": "x = 1\n"}, requires=requires, extras=["more"])
    make_wheel(index, "two", "2.0", {"two.py": ""}, entry_points=groups)
    found = store().obtain([pin("one", hashes=[one]), pin("two", "2.0")], local(index), host())
    assert list(found) == ["one", "two"]
    place = tmp_path / "store" / "v1" / "wheels" / sha256(one) / one.name
    assert found["one"].location == str(place)
    assert place.read_bytes() == one.read_bytes()
    assert (found["one"].name, found["one"].version, found["one"].wheel) == ("one", "1.0", "One-1.0-py3-none-any.whl")
    assert found["one"].requires == ("two>=1", "three; extra == 'more'")
    assert found["two"].entry_points == {"console_scripts", "some.plugins"}
    assert {p.name for p in (tmp_path / "store" / "v1").iterdir()} == {"wheels", "picks"}


def test_a_second_run_needs_no_index_and_gives_the_same(store: NewStore, index: Path, settings: Fetching) -> None:
    one = make_wheel(index, "one", "1.0", {"one.py": "", "one_data/é.txt": "é"}, requires=["x"], entry_points="[g]\na = b\n")
    pins = [pin("one", hashes=[one])]
    first = store().obtain(pins, local(index), host())
    one.unlink()
    again = offline(settings).obtain(pins, local(index), host())
    assert again == first


def test_the_lock_s_own_wheel_is_taken_by_the_target_s_tags(store: NewStore, index: Path) -> None:
    platform_tag = next(iter(tags.sys_tags()))
    pure = make_wheel(index, "one", "1.0", {"one.py": "pure = True\n"})
    native = make_wheel(index, "one", "1.0", {"one.py": "build = 1\n"}, tag=str(platform_tag), build="1")
    newer = make_wheel(index, "one", "1.0", {"one.py": "build = 2\n"}, tag=str(platform_tag), build="2")
    other = make_wheel(index, "one", "1.0", {"one.py": ""}, tag="cp312-cp312-manylinux_2_17_aarch64")
    wheels = [other, pure, native, newer]
    assert store().obtain([pin("one", wheels=wheels)], [], host())["one"].wheel == newer.name
    assert store().obtain([pin("one", wheels=wheels)], [], foreign())["one"].wheel == other.name
    assert store().obtain([pin("one", wheels=[pure])], [], foreign())["one"].wheel == pure.name


@pytest.mark.parametrize(
    ("tags_there", "taken"),
    [
        (["cp312-cp312-manylinux_2_17_aarch64", "cp312-cp312-linux_aarch64.manylinux_2_28_aarch64"], 1),
        (["py3-none-any", "py2.py3-none-any", "cp312-none-any"], 2),
        (["cp39-abi3-manylinux_2_17_aarch64", "cp311-abi3-manylinux_2_17_aarch64", "cp313-abi3-manylinux_2_28_aarch64"], 1),
        (["no-wheel", "py3-none-any"], 1),
    ],
)
def test_a_wheel_counts_by_the_best_of_its_tags(tags_there: list[str], taken: int) -> None:
    files = tuple(WheelFile(filename=f"one-1.0-{tag}.whl", url="https://index.example/", hash="sha256:0") for tag in tags_there)
    asked = ask([], [], foreign(), Path("/"))
    assert want(replace(pin("one"), wheels=files), asked).wheel == files[taken]


def test_the_index_s_wheel_is_taken_by_the_target_s_tags(store: NewStore, index: Path) -> None:
    make_wheel(index, "one", "1.0", {"one.py": ""}, tag=str(next(iter(tags.sys_tags()))))
    old = make_wheel(index, "one", "1.0", {"one.py": ""}, tag="cp312-abi3-manylinux2014_aarch64")
    make_wheel(index, "one", "1.0", {"one.py": ""}, tag="cp312-cp312-manylinux_2_34_aarch64")
    assert store().obtain([pin("one")], local(index), foreign())["one"].wheel == old.name


def test_what_is_chosen_never_depends_on_what_the_store_holds(store: NewStore, index: Path) -> None:
    native = make_wheel(index, "one", "1.0", {"one.py": ""}, tag=str(next(iter(tags.sys_tags()))))
    pure = make_wheel(index, "one", "1.0", {"one.py": ""})
    both = pin("one", hashes=[pure, native])
    assert store().obtain([both], local(index), foreign())["one"].wheel == pure.name
    assert store().obtain([both], local(index), host())["one"].wheel == native.name


def test_a_wheel_that_was_rebuilt_under_its_name_is_noticed(store: NewStore, index: Path) -> None:
    make_wheel(index, "one", "1.0", {"one.py": "old = 1\n"})
    old = store().obtain([pin("one")], local(index), host())["one"]
    new = make_wheel(index, "one", "1.0", {"one.py": "entirely_new = 1\n"})
    assert store().obtain([pin("one")], local(index), host())["one"].sha256 == sha256(new) != old.sha256


def test_relative_folders_count_from_the_project(store: NewStore, index: Path) -> None:
    make_wheel(index, "one", "1.0", {"one.py": ""})
    for options in (["--no-index", "--find-links", index.name], ["--no-index", f"--find-links={index.name}"]):
        assert store().obtain([pin("one")], options, host())["one"].provides == {"one"}


def test_direct_references(store: NewStore, index: Path) -> None:
    one = make_wheel(index, "one", "1.0+local", {"one.py": ""})
    two = make_wheel(index, "two", "1.0", {"two.py": ""})
    pins = [pin("one", "", url=one.as_uri(), hashes=[one]), pin("two", url=f"{index.name}/{two.name}")]
    found = store().obtain(pins, ["--no-index"], host())
    assert {name: d.version for name, d in found.items()} == {"one": "1.0+local", "two": "1.0"}


def test_modules_of_the_project_do_not_get_into_pip(index: Path, tmp_path: Path, settings: Fetching) -> None:
    make_wheel(index, "one", "1.0", {"one.py": ""})
    for module in ("pip.py", "ssl.py", "logging.py"):
        (tmp_path / module).write_text("raise SystemExit('the project was imported')\n")
    hostile = replace(settings, environ={**settings.environ, "PYTHONPATH": str(tmp_path), "PYTHONHOME": "/nowhere"})
    assert new_store(tmp_path / "store", hostile).obtain([pin("one")], local(index), host())["one"].provides == {"one"}


# ---------------------------------------------------------------- refusals


def refused(store: Store, pins: Sequence[Pin], options: Sequence[str], target: Target | None = None) -> LockError:
    """The refusal to obtain pins; it names the line of the lock and has a hint."""
    with pytest.raises(LockError) as caught:
        store.obtain(pins, options, target or host())
    assert caught.value.exit_code == 3
    assert caught.value.where.startswith("requirements.txt")
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    return caught.value


def test_what_is_not_there_is_named(store: NewStore, index: Path) -> None:
    make_wheel(index, "one", "1.0", {})
    error = refused(store(), [pin("one"), pin("absent", "3.1")], local(index))
    assert str(error) == "requirements.txt:3: absent==3.1 was not found"


def test_what_pip_says_of_a_place_that_is_gone_is_passed_on(store: NewStore, index: Path, tmp_path: Path) -> None:
    gone, page = tmp_path / "gone", index / "links.html"
    error = refused(store(), [pin("one")], local(gone))
    assert error.what.startswith("one==1.0 was not found: Location '")
    assert f"{gone}' is ignored: " in error.what
    page.write_text('<a href="../gone/one-1.0-py3-none-any.whl">one</a>')
    error = refused(store(), [pin("one")], local(page))
    assert error.what.startswith("one==1.0 could not be fetched: FileNotFoundError: ")
    assert error.what.endswith(f"'{gone / 'one-1.0-py3-none-any.whl'}'")


def test_a_page_of_links_that_is_gone_is_told_without_its_password(served: Served, settings: Fetching, tmp_path: Path) -> None:
    quiet = new_store(tmp_path / "store", replace(settings, environ={**settings.environ, **NO_PROXY}))
    address = served.url.replace("://", "://someone:secret@")
    error = refused(quiet, [pin("one")], ["--no-index", "--find-links", f"{address}/links/"])
    assert error.what.startswith(
        f"one==1.0 was not found: Could not fetch URL {served.url.replace('://', '://****@')}/links/: 404"
    )
    assert "secret" not in str(error)


@pytest.mark.parametrize("named", [True, False], ids=["named-by-the-lock", "from-an-index"])
def test_another_hash_is_refused(store: NewStore, index: Path, tmp_path: Path, named: bool) -> None:
    other = make_wheel(tmp_path / "other", "one", "1.0", {"one.py": "other = 1\n"})
    two = make_wheel(index, "two", "1.0", {})
    wanted = pin("one", wheels=[other]) if named else pin("one", hashes=[other])
    found = make_wheel(tmp_path / "other" if named else index, "one", "1.0", {"one.py": "tampered = 1\n"})
    error = refused(store(), [wanted, pin("two", hashes=[two])], local(index))
    assert error.what == f"one==1.0 does not match the hashes in the lock (found sha256:{sha256(found)})"
    assert not list((tmp_path / "store").rglob("*.whl"))


def test_no_wheel_for_the_target_lists_the_tags_in_the_lock(store: NewStore, index: Path) -> None:
    wheels = [
        make_wheel(index, "one", "1.0", {}, tag=tag) for tag in ("cp39-cp39-win_amd64", "cp312-cp312-manylinux_2_34_aarch64")
    ]
    error = refused(store(), [pin("one", wheels=wheels)], [], foreign())
    assert error.what == (
        "one==1.0 has no wheel for the target aws-lambda-python3.12-arm64 (Python 3.12 on Linux aarch64),"
        " only for cp312-cp312-manylinux_2_34_aarch64, cp39-cp39-win_amd64"
    )


def test_no_wheel_for_the_target_lists_the_tags_at_the_index(store: NewStore, index: Path) -> None:
    make_wheel(index, "one", "1.0", {}, tag="cp39-cp39-win_amd64")
    make_wheel(index, "one", "2.0", {}, tag="cp39-cp39-macosx_11_0_arm64")
    error = refused(store(), [pin("one")], local(index))
    assert error.what.startswith("one==1.0 has no wheel for Python 3.")
    assert error.what.endswith(", only for cp39-cp39-win_amd64")


def test_a_wheel_for_another_python_is_refused(store: NewStore, index: Path) -> None:
    make_wheel(index, "one", "1.0", {}, requires_python=">=3.99")
    error = refused(store(), [pin("one")], local(index))
    assert error.what == f"one==1.0 requires Python >=3.99; the target has {platform.python_version()}"


def test_offline_names_all_that_is_missing(store: NewStore, index: Path, settings: Fetching) -> None:
    for name in ("one", "two", "three"):
        make_wheel(index, name, "1.0", {f"{name}.py": ""})
    store().obtain([pin("two")], local(index), host())
    pins = [pin("one"), pin("two"), pin("three")]
    error = refused(offline(settings), pins, local(index))
    assert error.what == "offline, and not in the store: one==1.0, three==1.0"


def test_an_index_that_cannot_be_reached_is_not_called_empty(settings: Fetching, tmp_path: Path) -> None:
    quick = replace(settings, environ={**settings.environ, "PIP_RETRIES": "1", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"})
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        port = server.server_port  # free again, so that nothing answers there
    error = refused(
        new_store(tmp_path / "store", quick), [pin("one")], ["--index-url", f"http://someone:secret@127.0.0.1:{port}/simple"]
    )
    assert "could not be fetched" in error.what
    assert "secret" not in str(error)


def test_a_store_that_cannot_be_written_says_where(settings: Fetching, index: Path, tmp_path: Path) -> None:
    make_wheel(index, "one", "1.0", {})
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(LockError) as caught:
        new_store(tmp_path / "file", settings).obtain([pin("one")], local(index), host())
    assert "the store cannot be used: Not a directory" in str(caught.value)
    assert str(tmp_path / "file") in caught.value.where


def test_what_pip_had_in_its_cache_is_read_from_its_words() -> None:
    said = """
Collecting one==1.0
  Using cached one-1.0-py3-none-any.whl.metadata (1.2 kB)
  Downloading https://index.example/one/one-1.0-py3-none-any.whl (1.2 kB)
Collecting two==1.0
  Using cached https://index.example/two/two-1.0%2Blocal-py3-none-any.whl?token=1 (1.2 kB)
Using cached three-1.0-py3-none-any.whl
Using cached four-1.0.tar.gz (2.0 kB)
ERROR: No matching distribution found for five==1.0
Using cached one-1.0-py3-none-any.whl (1.2 kB)
"""
    assert from_cache(said) == {"two-1.0+local-py3-none-any.whl", "three-1.0-py3-none-any.whl"}


# ---------------------------------------------------------------- over HTTP


class Index(http.server.SimpleHTTPRequestHandler):
    """Serves a folder to `someone` with the password `secret`, and keeps what was asked for."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        if self.headers.get("Authorization") != "Basic c29tZW9uZTpzZWNyZXQ=":
            self.send_error(401)
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def server(index: Path) -> Iterator[http.server.ThreadingHTTPServer]:
    handler = functools.partial(Index, directory=str(index))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.asked = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_second_run_asks_the_index_for_nothing_and_no_password_is_kept(
    server: http.server.ThreadingHTTPServer, index: Path, tmp_path: Path, settings: Fetching, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    one = make_wheel(index / "simple" / "one", "one", "1.0", {"one.py": ""})
    mine = replace(settings, environ={**settings.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"})
    address = f"127.0.0.1:{server.server_port}/simple"
    pins = [pin("one", hashes=[one])]
    first = new_store(tmp_path / "store", mine).obtain(pins, ["--index-url", f"http://someone:secret@{address}"], host())
    asked: list[str] = server.asked  # type: ignore[attr-defined]
    assert f"/simple/one/{one.name}" in asked
    asked.clear()
    again = new_store(tmp_path / "store", mine).obtain(pins, ["--index-url", f"http://someone:rotated@{address}"], host())
    assert again == first
    assert asked == []
    kept = b"".join(file.read_bytes() for file in (tmp_path / "store").rglob("*") if file.is_file())
    assert b"secret" not in kept
    assert b"someone" not in kept
    assert "secret" not in caplog.text


def test_what_is_fetched_is_told_without_the_password(
    server: http.server.ThreadingHTTPServer, index: Path, tmp_path: Path, settings: Fetching
) -> None:
    make_wheel(index / "simple" / "one", "one", "1.0", {"one.py": ""})
    make_wheel(index / "simple" / "two", "two", "1.0", {"two.py": ""})
    told: list[Step] = []
    quiet = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "PIP_NO_CACHE_DIR": "1"}
    mine = replace(settings, environ={**settings.environ, **quiet}, tell=told.append, pip_cache=None)
    options = ["--index-url", f"http://someone:secret@127.0.0.1:{server.server_port}/simple"]
    for _ in range(2):
        new_store(tmp_path / "store", mine).obtain([pin("one"), pin("two")], options, host())
    assert [step.name for step in told] == ["fetch", "download", "download"]
    assert told[0].detail == "2"
    for step, name in zip(told[1:], ("one", "two"), strict=True):
        assert re.fullmatch(rf"{name}-1\.0-py3-none-any\.whl \([\d.]+ \w+\)", step.detail)


def test_only_the_file_that_the_lock_names_is_asked_for(
    server: http.server.ThreadingHTTPServer, index: Path, tmp_path: Path, settings: Fetching
) -> None:
    one = make_wheel(index / "files", "one", "1.0", {"one.py": ""})
    mine = replace(settings, environ={**settings.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"})
    host_port = f"127.0.0.1:{server.server_port}"
    named = WheelFile(filename=one.name, url=f"http://{host_port}/files/{one.name}", hash=f"sha256:{sha256(one)}")
    options = ["--index-url", f"http://someone:secret@{host_port}/simple"]
    new_store(tmp_path / "store", mine).obtain([replace(pin("one"), wheels=(named,))], options, host())
    assert set(server.asked) == {f"/files/{one.name}"}  # type: ignore[attr-defined]


def test_a_password_that_is_refused_is_not_called_an_absent_distribution(
    server: http.server.ThreadingHTTPServer, settings: Fetching
) -> None:
    mine = replace(settings, environ={**settings.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"})
    options = ["--index-url", f"http://someone:wrong-one@127.0.0.1:{server.server_port}/simple"]
    error = refused(new_store(settings.root / "store", mine), [pin("one")], options)
    assert "401" in error.what
    assert "wrong-one" not in str(error)
    assert "someone" not in str(error)


# ---------------------------------------------------------------- several at once


def test_threads_that_ask_for_the_same_pin_fetch_it_once(store: NewStore, index: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "monopack.store.pip")
    make_wheel(index, "one", "1.0", {"one.py": ""})
    shared, found = store(), list[Distribution]()

    def obtain() -> None:
        found.append(shared.obtain([pin("one")], local(index), host())["one"])

    threads = [threading.Thread(target=obtain) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(map(id, found))) == 1
    assert len(caplog.records) == 1


RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_store import host, local, pin
from monopack.run import Door
from monopack.store import Fetching, Look, Store
import os
folder = Path(sys.argv[2])
settings = Fetching(door=Door(), environ=os.environ, root=folder)
store = Store(folder / "store", settings, Look(key="0", imports=lambda *_: ()))
print(store.obtain([pin("one")], local(folder / "index"), host())["one"].sha256)
"""


def test_processes_on_one_store_agree(tmp_path: Path, settings: Fetching) -> None:
    one = make_wheel(tmp_path / "index", "one", "1.0", {"one.py": "x = 1\n" * 1000})
    argv = [sys.executable, "-c", RUN, str(Path(__file__).parent), str(tmp_path)]
    children = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=settings.environ) for _ in range(3)]
    assert [child.communicate()[0] for child in children] == [f"{sha256(one)}\n"] * 3
    entries = list((tmp_path / "store" / "v1" / "wheels").iterdir())
    assert [entry.name for entry in entries] == [sha256(one)]
    assert sorted(file.name for file in entries[0].iterdir()) == ["index.json", one.name]


# ---------------------------------------------------------------- healing


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def remove(path: Path) -> None:
    path.unlink()


DAMAGES = (truncate, flip, empty, remove)


def test_damaged_entries_heal(index: Path, settings: Fetching, caplog: pytest.LogCaptureFixture) -> None:
    folder = settings.root / "store"
    wheels = [make_wheel(index, f"one{number}", "1.0", {"one.py": f"x = {number}\n" * 100}) for number in range(8)]
    pins = [pin(f"one{number}", hashes=[wheel]) for number, wheel in enumerate(wheels)]
    first = new_store(folder, settings).obtain(pins, local(index), host())
    places = [Path(distribution.location) for distribution in first.values()]
    damaged = [place if number < 4 else place.with_name("index.json") for number, place in enumerate(places)]
    for file, damage in zip(damaged, DAMAGES * 2, strict=True):
        damage(file)
    assert new_store(folder, settings).obtain(pins, local(index), host()) == first
    assert [place.read_bytes() for place in places] == [wheel.read_bytes() for wheel in wheels]
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert sorted(warnings) == sorted(f"the store's entry {place.parent} was damaged and is thrown away" for place in places)
    for file, damage in zip(damaged, DAMAGES * 2, strict=True):
        damage(file)
    error = refused(offline(settings), pins, local(index))
    assert error.what == "offline, and not in the store: " + ", ".join(f"one{number}==1.0" for number in range(8))


def test_what_an_older_version_indexed_is_indexed_anew(index: Path, settings: Fetching, caplog: pytest.LogCaptureFixture) -> None:
    one = pin("one", hashes=[make_wheel(index, "one", "1.0", {"one.py": ""}, requires_python=">=3.8")])
    first = new_store(settings.root / "store", settings).obtain([one], local(index), host())
    file = Path(first["one"].location).with_name("index.json")
    whole = file.read_text()
    fields = json.loads(whole)["distribution"]
    del fields["requires_python"], fields["natives"]
    body = f'"distribution":{json.dumps(fields)}}}'
    file.write_text(f'{{"digest":"{hashlib.sha256(body.encode()).hexdigest()}",{body}\n')
    assert offline(settings).obtain([one], local(index), host()) == first
    assert (file.read_text(), sorted(file.parent.iterdir())) == (whole, sorted([file, Path(first["one"].location)]))
    assert not caplog.records


def test_a_damaged_entry_that_nothing_leads_to_heals(store: NewStore, index: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_wheel(index, "one", "1.0", {"one.py": ""})
    first = store().obtain([pin("one")], local(index), host())
    folder = Path(first["one"].location).parent
    (folder / "index.json").write_text("{}")
    shutil.rmtree(folder.parent.with_name("picks"))
    assert store().obtain([pin("one")], local(index), host()) == store().obtain([pin("one")], local(index), host()) == first
    assert [each.getMessage() for each in caplog.records] == [f"the store's entry {folder} was damaged and is thrown away"]


def test_damaged_picks_heal(store: NewStore, index: Path, tmp_path: Path) -> None:
    wheels = [make_wheel(index, f"one{number}", "1.0", {}) for number in range(4)]
    pins = [pin(f"one{number}", hashes=[wheel]) for number, wheel in enumerate(wheels)]
    first = store().obtain(pins, local(index), host())
    whole = {pick: pick.read_text() for pick in (tmp_path / "store" / "v1" / "picks").iterdir()}
    for pick, damage in zip(whole, DAMAGES, strict=True):
        damage(pick)
    assert store().obtain(pins, local(index), host()) == first
    assert {pick: pick.read_text() for pick in whole} == whole


def test_a_pick_that_leads_to_another_wheel_is_not_believed(store: NewStore, index: Path, tmp_path: Path) -> None:
    one, two = (make_wheel(index, name, "1.0", {f"{name}.py": ""}) for name in ("one", "two"))
    store().obtain([pin("one")], local(index), host())
    (pick,) = (tmp_path / "store" / "v1" / "picks").glob("*.json")
    store().obtain([pin("two")], local(index), host())
    pick.write_text(json.dumps({"sha256": sha256(two), "built": False}))
    assert store().obtain([pin("one")], local(index), host())["one"].sha256 == sha256(one)


def test_a_pick_that_leads_to_another_hash_is_not_believed(store: NewStore, index: Path, tmp_path: Path) -> None:
    other = store().obtain([pin("one", wheels=[make_wheel(tmp_path / "other", "one", "1.0", {"other.py": ""})])], [], host())[
        "one"
    ]
    (tmp_path / "store" / "v1" / "picks").rename(tmp_path / "put-away")
    one = make_wheel(index, "one", "1.0", {"one.py": ""})
    store().obtain([pin("one", hashes=[one])], local(index), host())
    (pick,) = (tmp_path / "store" / "v1" / "picks").glob("*.json")
    pick.write_text(json.dumps({"sha256": other.sha256, "built": False}))
    assert store().obtain([pin("one", hashes=[one])], local(index), host())["one"].sha256 == sha256(one)


def test_what_a_killed_run_left_is_swept_once_it_is_old(store: NewStore, index: Path, tmp_path: Path) -> None:
    make_wheel(index, "one", "1.0", {})
    leftovers = [
        tmp_path / "store" / "v1" / name for name in (".fetch-old", "wheels/.new-old", ".fetch-running", "wheels/.new-running")
    ]
    for folder in leftovers:
        folder.mkdir(parents=True)
        (folder / "half.whl").write_text("PK")
    for folder in leftovers[:2]:
        os.utime(folder, (0, 0))
    store().obtain([pin("one")], local(index), host())
    assert [folder.is_dir() for folder in leftovers] == [False, False, True, True]


# ---------------------------------------------------------------- sdists

BACKEND = """
import os, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "src_only-1.0-{tag}.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        files = {{
            "src_only.py": "seen = " + repr(sorted(os.environ)),
            "src_only-1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: src-only\\nVersion: 1.0\\n",
            "src_only-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: {tag}\\n",
        }}
        import base64, hashlib
        record = ""
        for path, text in files.items():
            wheel.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
            record += path + ",sha256=" + digest + "," + str(len(text)) + "\\n"
        wheel.writestr("src_only-1.0.dist-info/RECORD", record + "src_only-1.0.dist-info/RECORD,,\\n")
    return name
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def make_sdist(index: Path, tmp_path: Path, tag: str = "py3-none-any") -> Path:
    """An sdist with a build backend of its own, so that building it needs no index."""
    source = tmp_path / "src_only-1.0"
    source.mkdir()
    (source / "pyproject.toml").write_text(PYPROJECT)
    (source / "backend.py").write_text(BACKEND.format(tag=tag))
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: src-only\nVersion: 1.0\n")
    sdist = index / "src_only-1.0.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        archive.add(source, source.name)
    return sdist


def test_an_sdist_is_built_without_credentials_and_kept(
    settings: Fetching, index: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sdist, one = make_sdist(index, tmp_path), make_wheel(index, "one", "1.0", {"one.py": ""})
    rich = replace(settings, environ={**settings.environ, "CLOUD_SECRET": "x", "PIP_TIMEOUT": "10"})
    pins = [pin("src-only", hashes=[sdist]), pin("one", hashes=[one])]
    found = new_store(tmp_path / "store", rich).obtain(pins, local(index), host())
    assert [r.getMessage() for r in caplog.records] == ["src-only==1.0 has no wheel and was built from its sdist"]
    with zipfile.ZipFile(found["src-only"].location) as wheel:
        seen = wheel.read("src_only.py").decode()
    assert "CLOUD_SECRET" not in seen
    assert "PIP_TIMEOUT" in seen
    sdist.unlink()
    assert new_store(tmp_path / "store", replace(rich, offline=True)).obtain(pins, local(index), host()) == found


def make_repository(index: Path, tmp_path: Path) -> tuple[str, str]:
    """A Git repository with the sdist's project in the folder `sub`: its URL and its only commit."""
    make_sdist(index, tmp_path)
    folder = tmp_path / "repository"
    folder.mkdir()
    (tmp_path / "src_only-1.0").rename(folder / "sub")
    who = ["-c", "user.name=a", "-c", "user.email=a@index.example"]
    for arguments in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "--message", "first"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return f"git+{folder.as_uri()}", done.stdout.strip()


@pytest.mark.parametrize("version", ["1.0", ""], ids=["version-in-the-lock", "none"])
def test_a_pin_from_git_is_built_at_its_commit_without_credentials_and_kept(
    settings: Fetching, index: Path, tmp_path: Path, version: str
) -> None:
    repository, commit = make_repository(index, tmp_path)
    (tmp_path / "repository" / "sub" / "backend.py").write_text("a later state that does not build")
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@index.example", "commit", "--quiet", "--all", "--message", "later"],
        cwd=tmp_path / "repository", check=True,
    )  # fmt: skip
    rich = replace(settings, environ={**settings.environ, "CLOUD_SECRET": "x"})
    pins = [pin("src-only", version, url=f"{repository}@{commit}#subdirectory=sub")]
    found = new_store(tmp_path / "store", rich).obtain(pins, [], host())
    with zipfile.ZipFile(found["src-only"].location) as wheel:
        assert b"CLOUD_SECRET" not in wheel.read("src_only.py")
    (tmp_path / "repository").rename(tmp_path / "gone")
    assert new_store(tmp_path / "store", replace(rich, offline=True)).obtain(pins, [], host()) == found


GIT_REFUSED = {
    "no-commit": ("@" + "0" * 40, "src-only==1.0 could not be fetched: fatal: "),
    "no-folder": ("@COMMIT#subdirectory=other", "src-only==1.0 has no folder other at its commit"),
    "no-repository": ("/gone@COMMIT", "src-only==1.0 could not be fetched: fatal: "),
}


@pytest.mark.parametrize("name", GIT_REFUSED)
def test_a_pin_from_git_that_cannot_be_had_is_refused(store: NewStore, index: Path, tmp_path: Path, name: str) -> None:
    repository, commit = make_repository(index, tmp_path)
    end, message = GIT_REFUSED[name]
    assert refused(store(), [pin("src-only", url=repository + end.replace("COMMIT", commit))], []).what.startswith(message)


def test_a_pin_from_git_may_be_forbidden_as_an_sdist_is(settings: Fetching, index: Path, tmp_path: Path) -> None:
    repository, commit = make_repository(index, tmp_path)
    strict = new_store(tmp_path / "store", replace(settings, sdists=False))
    error = refused(strict, [pin("src-only", url=f"{repository}@{commit}#subdirectory=sub")], [])
    assert error.what == "src-only==1.0 comes from Git and may not be built from its source"


def test_an_sdist_with_another_hash_is_not_built(
    store: NewStore, index: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_sdist(index, tmp_path)
    other = make_wheel(tmp_path / "other", "one", "1.0", {})
    error = refused(store(), [pin("src-only", hashes=[other])], local(index))
    assert "src-only==1.0 does not match the hashes in the lock" in error.what
    assert not caplog.records


def test_an_sdist_is_built_for_another_target_only_when_it_is_pure(store: NewStore, index: Path, tmp_path: Path) -> None:
    elsewhere = replace(foreign(), python=sys.executable)
    make_sdist(index, tmp_path)
    assert store().obtain([pin("src-only")], local(index), elsewhere)["src-only"].provides == {"src_only"}


def test_the_sdist_that_the_lock_names_is_built_where_none_of_its_wheels_fits_this_machine(
    store: NewStore, index: Path, tmp_path: Path
) -> None:
    sdist, wheel = make_sdist(index, tmp_path), make_wheel(index, "src-only", "1.0", {}, tag="cp38-cp38-win_amd64")
    locked = replace(pin("src-only", hashes=[sdist, wheel], wheels=[wheel]), sdist=sdist.as_uri())
    assert store().obtain([locked], [], host())["src-only"].provides == {"src_only"}
    assert "only for cp38-cp38-win_amd64" in refused(store(), [locked], [], foreign()).what


def test_an_sdist_is_not_built_for_another_target_where_there_are_wheels_for_other_machines(
    store: NewStore, index: Path, tmp_path: Path
) -> None:
    make_sdist(index, tmp_path)
    make_wheel(index, "src-only", "1.0", {}, tag="cp312-cp312-manylinux_2_34_aarch64")
    error = refused(store(), [pin("src-only")], local(index), replace(foreign(), python=sys.executable))
    assert "only for cp312-cp312-manylinux_2_34_aarch64" in error.what


def test_a_native_sdist_is_refused_for_another_target(store: NewStore, index: Path, tmp_path: Path) -> None:
    elsewhere = replace(foreign(), python=sys.executable)
    make_sdist(index, tmp_path, tag="cp312-cp312-linux_aarch64")
    assert "no wheel for the target" in refused(store(), [pin("src-only")], local(index), elsewhere).what


@pytest.mark.parametrize("allowed", [False, frozenset({"another"})])
def test_an_sdist_that_may_not_be_built_is_refused(
    settings: Fetching, index: Path, tmp_path: Path, allowed: bool | frozenset[str]
) -> None:
    make_sdist(index, tmp_path)
    error = refused(new_store(tmp_path / "store", replace(settings, sdists=allowed)), [pin("src-only")], local(index))
    assert "may not be built" in error.what


def test_an_sdist_that_does_not_build_is_refused(store: NewStore, index: Path, tmp_path: Path) -> None:
    make_sdist(index, tmp_path, tag="{no such syntax")
    assert "src-only==1.0 could not be fetched" in refused(store(), [pin("src-only")], local(index)).what


# ---------------------------------------------------------------- checking and indexing one wheel


def indexed(folder: Path, files: Mapping[str, str | bytes], **more: object) -> Distribution:
    wheel = make_wheel(folder, "one", "1.0", files, **more)  # type: ignore[arg-type]
    return read(wheel, sha256(wheel))


def test_the_index_says_where_the_bytes_are(tmp_path: Path) -> None:
    big = "print('hello')\n" * 20_000
    files = {"one/__init__.py": big, "one/empty.py": "", "one/run": "#!x"}
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        distribution = indexed(tmp_path, files, method=method, modes={"one/run": stat.S_IFREG | 0o700})
        data = Path(distribution.location).read_bytes()
        members = {m.path: m for m in distribution.members}
        for path, text in files.items():
            member = members[path]
            packed = data[member.offset : member.offset + member.packed]
            plain = zlib.decompress(packed, -zlib.MAX_WBITS) if member.method == zipfile.ZIP_DEFLATED else packed
            assert plain == text.encode()
            assert (member.size, member.crc) == (len(plain), zlib.crc32(plain))
            assert member.sha256 == hashlib.sha256(plain).hexdigest()
        assert {m.mode for m in distribution.members if m.path != "one/run"} == {0o644}
        assert members["one/run"].mode == 0o755


def test_local_headers_with_extra_fields(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "one", "1.0", {"one.py": "x = 1\n"})
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(tmp_path / "new", "w") as new:
        for info in old.infolist():
            data = old.read(info)
            info.extra = b"\xfe\xca\x04\x00abcd"
            new.writestr(info, data)
    (tmp_path / "new").rename(wheel)
    member = read(wheel, sha256(wheel)).members[-1]
    assert member.path == "one.py"
    assert zlib.decompress(wheel.read_bytes()[member.offset : member.offset + member.packed], -15) == b"x = 1\n"


def test_bytes_behind_a_deflate_stream_are_refused(tmp_path: Path) -> None:
    """They would ship with the stream, unseen by RECORD."""
    wheel = make_wheel(tmp_path, "one", "1.0", {"one.py": "x = 1\n"})
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(tmp_path / "new", "w") as new:
        for info in old.infolist():
            data = old.read(info)
            smuggling = zipfile.ZipInfo(info.filename)
            new.writestr(smuggling, zlib.compress(data, wbits=-zlib.MAX_WBITS) + b"smuggled")
            smuggling.compress_type, smuggling.CRC, smuggling.file_size = zipfile.ZIP_DEFLATED, zlib.crc32(data), len(data)
    (tmp_path / "new").rename(wheel)
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
    with pytest.raises(LockError, match="damaged"):
        read(wheel, sha256(wheel))


def test_only_what_ships_is_indexed(tmp_path: Path) -> None:
    distribution = indexed(
        tmp_path,
        {
            "one/": "", "one/__init__.py": "", "one/__pycache__/a.cpython-311.pyc": "", "one/old.pyc": "", "one/older.pyo": "",
            "{data}/purelib/pure.py": "", "{data}/platlib/plat/x.py": "", "{data}/scripts/run": "", "{data}/headers/one.h": "",
            "{data}/data/share/x": "", "one-1.0.dist-info/INSTALLER": "pip", "one-1.0.dist-info/REQUESTED": "",
            "one-1.0.dist-info/direct_url.json": "{}", "one-1.0.dist-info/RECORD.jws": "", "one-1.0.dist-info/LICENSE": "",
            "one/INSTALLER": "",
        },
        record={"one-1.0.dist-info/RECORD.jws": None},
    )  # fmt: skip
    assert [m.path for m in distribution.members] == [
        "one-1.0.dist-info/LICENSE", "one-1.0.dist-info/METADATA", "one-1.0.dist-info/RECORD", "one-1.0.dist-info/WHEEL",
        "one/INSTALLER", "one/__init__.py", "plat/x.py", "pure.py",
    ]  # fmt: skip


NOTHING: set[str] = set()
PKGUTIL = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
PKG_RESOURCES = "__import__('pkg_resources').declare_namespace(__name__)\n"


@pytest.mark.parametrize(
    ("files", "provides", "namespaces"),
    [
        ({"one.py": ""}, {"one"}, NOTHING),
        ({"one/__init__.py": "", "one/a/b.py": ""}, {"one", "one.a.b"}, {"one.a"}),
        ({"google/cloud/storage/__init__.py": ""}, {"google.cloud.storage"}, {"google", "google.cloud"}),
        ({"google/__init__.py": PKGUTIL, "google/auth/__init__.py": ""}, {"google.auth"}, {"google"}),
        ({"zope/__init__.py": PKG_RESOURCES, "zope/event.py": ""}, {"zope.event"}, {"zope"}),
        ({"pkg_resources/__init__.py": "def declare_namespace(packageName): ...\n"}, {"pkg_resources"}, NOTHING),
        ({"a.cpython-312-x86_64-linux-gnu.so": "", "b.abi3.so": "", "c.so": "", "d.cp312-win_amd64.pyd": ""}, {*"abcd"}, NOTHING),
        ({"one/__init__.cpython-312-x86_64-linux-gnu.so": ""}, {"one"}, NOTHING),
        ({"one-data/x.py": "", "one.libs/liba.so": "", "libfoo-1.2.so.3": "", "one.pyi": "", "one.pth": ""}, NOTHING, NOTHING),
        ({"{data}/purelib/one/__init__.py": "", "{data}/scripts/run.py": ""}, {"one"}, NOTHING),
    ],
)  # fmt: skip
def test_import_names(files: dict[str, str], provides: set[str], namespaces: set[str], tmp_path: Path) -> None:
    distribution = indexed(tmp_path, files)
    assert distribution.provides == provides
    assert distribution.namespaces == namespaces


LINK, FIFO = stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o644
BOMB = b"\0" * 101_000_000


@pytest.mark.parametrize(
    ("files", "broken", "why"),
    [
        ({"../evil.py": ""}, {}, "leads out"),
        ({"one/../../evil.py": ""}, {}, "leads out"),
        ({"/etc/evil": ""}, {}, "leads out"),
        ({"C:/evil": ""}, {}, "leads out"),
        ({"one\\evil.py": ""}, {}, "leads out"),
        ({"one//evil.py": ""}, {}, "leads out"),
        ({"one.py": "/etc/passwd"}, {"modes": {"one.py": LINK}}, "link"),
        ({"one.py": ""}, {"modes": {"one.py": FIFO}}, "device"),
        pytest.param({"one.py": ""}, {"twice": ["one.py"]}, "twice", marks=pytest.mark.filterwarnings("ignore:Duplicate name")),
        ({"one.py": "", "{data}/purelib/one.py": ""}, {}, "installs 'one.py' twice"),
        ({"one.py": ""}, {"method": zipfile.ZIP_LZMA}, "neither stored nor deflated"),
        ({"one.py": ""}, {"method": zipfile.ZIP_BZIP2}, "neither stored nor deflated"),
        ({"one.py": ""}, {"record": {"one.py": None}}, "does not name"),
        ({"one.py": ""}, {"record": {"two.py": "two.py,sha256=abc,3"}}, "holds no 'two.py'"),
        ({"one.py": ""}, {"record": {"one.py": f"one.py,sha256={'A' * 43},0"}}, "other bytes"),
        ({"one.py": ""}, {"record": {"one.py": "one.py,md5=1B2M2Y8AsgTpgAmY7PhCfg,0"}}, "no usable hash"),
        ({"one.py": ""}, {"record": {"one.py": "one.py,,"}}, "no usable hash"),
        ({"two-1.0.dist-info/METADATA": ""}, {}, "2 .dist-info folders"),
        ({"one.py": ""}, {"metadata": "Metadata-Version: 2.1\nName: two\nVersion: 1.0\n"}, "it is two 1.0"),
        ({"one.py": ""}, {"metadata": "Metadata-Version: 2.1\nName: one\nVersion: 2.0\n"}, "it is one 2.0"),
        ({"one.py": ""}, {"metadata": "Metadata-Version: 2.1\nName: one\n"}, "Invalid version"),
        ({"one.py": ""}, {"filename": "two-1.0-py3-none-any.whl"}, "another distribution"),
        ({"one.bin": BOMB}, {}, "more than 100 times"),
    ],
)  # fmt: skip
def test_unsafe_and_lying_wheels_are_refused(
    files: dict[str, str | bytes], broken: dict[str, object], why: str, tmp_path: Path
) -> None:
    with pytest.raises(LockError) as caught:
        indexed(tmp_path, files, **broken)
    assert why in caught.value.what
    assert caught.value.where.endswith("-1.0-py3-none-any.whl")
    assert caught.value.hint


def test_large_is_not_unsafe(tmp_path: Path) -> None:
    assert indexed(tmp_path, {"one.bin": b"\0" * 1_000_000}).members[-1].size == 1_000_000


@pytest.mark.parametrize("where", [0.0, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_wheel_is_refused_or_the_same(tmp_path: Path, where: float, damage: str) -> None:
    """Whatever single byte is flipped, no other bytes than the true ones are indexed."""
    wheel = make_wheel(tmp_path, "one", "1.0", {"one.py": "x = 1\n" * 50, "two.py": "y = 2\n" * 50})
    true = {m.path: m.sha256 for m in read(wheel, "").members}
    data = bytearray(wheel.read_bytes())
    for step in range(20):
        position = int(len(data) * where) + step
        if damage == "cut":
            wheel.write_bytes(data[:position])
        else:
            wheel.write_bytes(data[:position] + bytes([data[position] ^ 0x10]) + data[position + 1 :])
        try:
            found = {m.path: m.sha256 for m in read(wheel, "").members}
        except LockError:
            continue
        assert damage == "flipped"
        assert found == true


def test_longer_record_hashes_and_quoted_paths(tmp_path: Path) -> None:
    digest = "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg_SpIdNs6c5H0NE8XYXysP-DGNKHfuwvY7kxvUdBeoGlODJ6-SfaPg"
    files = {"one.py": "", "a,b.txt": "x"}
    assert len(indexed(tmp_path, files, record={"one.py": f"one.py,sha512={digest},0"}).members) == 5
    with pytest.raises(LockError, match="other bytes"):
        indexed(tmp_path, files, record={"one.py": f"one.py,sha512={'A' * 86},0"})
