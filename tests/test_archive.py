"""Archives: the same bytes every time, readable by everything that reads zips, and never torn."""

from __future__ import annotations

import datetime
import hashlib
import io
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wheels import make_wheel, sha256

from monopack import archive
from monopack.errors import PackError
from monopack.model import Artifact, Entry, Tree
from monopack.store.wheel import read


def entry(location: Path, path: str, mode: int = 0o644) -> Entry:
    """A first-party entry for a file on disk."""
    data = location.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return Entry(
        path=path, sha256=digest, crc=zlib.crc32(data), size=len(data), mode=mode, origin="first-party", location=str(location)
    )


def tree_of(folder: Path, files: Mapping[str, tuple[bytes, int]]) -> Tree:
    """A tree of first-party files, each kept in `folder` under a number."""
    entries = []
    for number, (path, (data, mode)) in enumerate(files.items()):
        location = folder / str(number)
        location.write_bytes(data)
        entries.append(entry(location, path, mode))
    return Tree(entries=tuple(sorted(entries, key=lambda e: e.path.encode())))


def wheel_entries(wheel: Path) -> list[Entry]:
    """The entries that splice all members of a wheel."""
    distribution = read(wheel, sha256(wheel))
    origin = f"{distribution.name}=={distribution.version}"
    return [
        Entry(
            path=m.path, sha256=m.sha256, crc=m.crc, size=m.size, mode=m.mode, origin=origin, location=str(wheel),
            offset=m.offset, packed=m.packed,
            packed_sha256=m.packed_sha256, method=m.method,
        )
        for m in distribution.members
    ]  # fmt: skip


def written(tree: Tree, folder: Path, epoch: int | None = None, name: str = "pack.zip") -> Path:
    """The published zip of a tree."""
    artifact = archive.write(tree, folder / name, epoch)
    return Path(archive.publish(artifact, folder / name, {}, ()).path)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    return folder


@pytest.fixture
def mixed(tmp_path: Path, sources: Path) -> Tree:
    """First-party files, one of them executable and one with a non-ASCII name, and two wheels that take turns in the order."""
    files = {
        "app/main.py": (b"answer = 42\n" * 50, 0o644),
        "app/é.txt": (b"", 0o644),
        "run.sh": (b"#!/bin/sh\n", 0o755),
        "app/__init__.py": (b"", 0o644),
    }
    own = tree_of(sources, files).entries
    one = make_wheel(
        tmp_path, "one", "1", {"one/__init__.py": "import two\n", "one/tool": "x"}, modes={"one/tool": stat.S_IFREG | 0o775}
    )
    two = make_wheel(tmp_path, "two", "1", {"onf.py": "pass\n" * 40, "two.py": "name = 'two'\n"}, method=zipfile.ZIP_STORED)
    return Tree(entries=tuple(sorted([*own, *wheel_entries(one), *wheel_entries(two)], key=lambda e: e.path.encode())))


# ---------------------------------------------------------------- what is in the zip


def test_the_zip_holds_the_tree(mixed: Tree, tmp_path: Path) -> None:
    with zipfile.ZipFile(written(mixed, tmp_path)) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == [e.path for e in mixed.entries]
        assert {i.filename: hashlib.sha256(packed.read(i)).hexdigest() for i in packed.infolist()} == {
            e.path: e.sha256 for e in mixed.entries
        }
        modes = {i.filename: i.external_attr >> 16 for i in packed.infolist()}
    assert modes == {e.path: stat.S_IFREG | e.mode for e in mixed.entries}
    assert [path for path, mode in modes.items() if mode & 0o111] == ["one/tool", "run.sh"]


def test_twice_the_same_bytes_whatever_the_order_and_the_place(mixed: Tree, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    backwards = Tree(entries=tuple(reversed(mixed.entries)))
    for e in mixed.entries:
        if e.offset is None:
            os.utime(e.location, (0, 0))
    assert written(mixed, tmp_path).read_bytes() == written(backwards, tmp_path / "other").read_bytes()


def test_headers_carry_no_trace_of_the_machine(mixed: Tree, tmp_path: Path) -> None:
    with zipfile.ZipFile(written(mixed, tmp_path)) as packed:
        for info in packed.infolist():
            assert (info.create_system, info.extra, info.comment, info.internal_attr) == (3, b"", b"", 0)
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.flag_bits == (0 if info.filename.isascii() else 0x800)
        assert packed.comment == b""


def test_wheel_members_are_spliced_and_not_compressed_again(mixed: Tree, tmp_path: Path) -> None:
    packed = written(mixed, tmp_path).read_bytes()
    spliced = [e for e in mixed.entries if e.offset is not None]
    assert {e.method for e in spliced} == {0, 8}
    for e in spliced:
        assert e.offset is not None
        stream = Path(e.location).read_bytes()[e.offset : e.offset + e.packed]
        assert e.path.encode() + stream in packed


def test_the_artifact_knows_its_digest_and_size(mixed: Tree, tmp_path: Path) -> None:
    artifact = archive.write(mixed, tmp_path / "pack.zip", None)
    assert Path(artifact.path).parent == tmp_path
    assert not (tmp_path / "pack.zip").exists()
    assert (artifact.sha256, artifact.size) == (sha256(Path(artifact.path)), Path(artifact.path).stat().st_size)
    published = archive.publish(artifact, tmp_path / "pack.zip", {}, ())
    assert published == Artifact(path=str(tmp_path / "pack.zip"), sha256=artifact.sha256, size=artifact.size)
    assert sha256(tmp_path / "pack.zip") == artifact.sha256


@pytest.mark.parametrize(
    ("epoch", "date"),
    [
        (None, (1980, 1, 1, 0, 0, 0)),
        (0, (1980, 1, 1, 0, 0, 0)),
        (1_700_000_001, (2023, 11, 14, 22, 13, 20)),  # zip counts in steps of two seconds
        (2**40, (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_dates_are_the_epoch_in_utc_within_what_a_zip_can_say(
    mixed: Tree, tmp_path: Path, epoch: int | None, date: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        with zipfile.ZipFile(written(mixed, tmp_path, epoch)) as packed:
            assert {info.date_time for info in packed.infolist()} == {date}
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_last_date_is_the_last_that_a_zip_can_say() -> None:
    latest = datetime.datetime.fromtimestamp(archive.zip_format.LATEST, datetime.UTC)
    assert latest.timetuple()[:6] == (2107, 12, 31, 23, 59, 58)


def test_python_imports_from_the_zip(mixed: Tree, tmp_path: Path) -> None:
    path = written(mixed, tmp_path)
    code = f"import sys; sys.path.insert(0, {str(path)!r}); import one, two, onf, app.main; print(two.name, app.main.answer)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("two 42\n", "")


@pytest.mark.skipif(not shutil.which("unzip"), reason="unzip is not installed")
def test_unzip_finds_nothing_wrong(mixed: Tree, tmp_path: Path) -> None:
    done = subprocess.run(["unzip", "-t", written(mixed, tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No errors detected" in done.stdout


def test_more_entries_than_a_plain_zip_can_count(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "one", "1", {})
    most, more = (Tree(entries=tuple(empty_member(wheel, f"{n:05}") for n in range(count))) for count in (65_535, 65_536))
    plain, large = written(most, tmp_path, name="plain.zip"), written(more, tmp_path, name="large.zip")
    assert b"PK\6\6" not in plain.read_bytes()
    assert b"PK\6\6" in large.read_bytes()
    for path, count in ((plain, 65_535), (large, 65_536)):
        with zipfile.ZipFile(path) as packed:
            assert len(packed.namelist()) == count
            assert packed.read(f"{count - 1:05}") == b""


def empty_member(wheel: Path, path: str) -> Entry:
    digest = hashlib.sha256(b"").hexdigest()
    return Entry(
        path=path, sha256=digest, packed_sha256=digest, crc=0, size=0, mode=0o644, origin="one==1", location=str(wheel), offset=0
    )  # fmt: skip


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/\\"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
FILES = st.dictionaries(
    PATHS, st.tuples(st.binary(max_size=200) | st.just(b"a" * 5000), st.sampled_from([0o644, 0o755])), max_size=8
)


@settings(deadline=None)
@given(files=FILES)
def test_any_tree_comes_back_whole(files: dict[str, tuple[bytes, int]], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = written(tree_of(folder, files), folder)
    with zipfile.ZipFile(path) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == sorted(files, key=str.encode)
        found = {info.filename: (packed.read(info), info.external_attr >> 16 & 0o777) for info in packed.infolist()}
        assert all(info.compress_size <= info.file_size for info in packed.infolist())
    assert found == files


# ---------------------------------------------------------------- what is refused


def refused(tree: Tree, destination: Path) -> PackError:
    """The refusal to write a tree, which leaves nothing behind."""
    before = sorted(destination.parent.iterdir())
    with pytest.raises(PackError) as caught:
        archive.write(tree, destination, None)
    assert sorted(destination.parent.iterdir()) == before
    return caught.value


def test_a_source_that_changed_is_refused(mixed: Tree, sources: Path, tmp_path: Path) -> None:
    (sources / "0").write_bytes(b"answer = 43\n" * 50)
    error = refused(mixed, tmp_path / "pack.zip")
    assert str(error) == f"{sources / '0'}: changed while it was being packed"


def test_a_source_that_is_gone_is_refused(mixed: Tree, sources: Path, tmp_path: Path) -> None:
    (sources / "0").unlink()
    assert str(refused(mixed, tmp_path / "pack.zip")).startswith(f"{sources / '0'}: cannot be read: ")


def test_a_wheel_that_was_cut_is_refused(mixed: Tree, tmp_path: Path) -> None:
    os.truncate(tmp_path / "two-1-py3-none-any.whl", 60)
    assert "two-1-py3-none-any.whl: changed" in str(refused(mixed, tmp_path / "pack.zip"))


def test_a_name_that_is_no_text_is_refused(sources: Path, tmp_path: Path) -> None:
    (sources / "file").write_bytes(b"")
    tree = Tree(entries=(entry(sources / "file", "b\udcff.txt"),))
    assert "not UTF-8" in str(refused(tree, tmp_path / "pack.zip"))


def test_a_destination_that_is_a_link_or_a_folder_is_refused(mixed: Tree, tmp_path: Path) -> None:
    (tmp_path / "theirs.zip").write_bytes(b"theirs")
    (tmp_path / "link.zip").symlink_to("theirs.zip")
    (tmp_path / "folder.zip").mkdir()
    assert "is a link" in str(refused(mixed, tmp_path / "link.zip"))
    assert "is a folder" in str(refused(mixed, tmp_path / "folder.zip"))
    assert (tmp_path / "theirs.zip").read_bytes() == b"theirs"


def test_a_link_that_appears_before_publishing_is_refused(mixed: Tree, tmp_path: Path) -> None:
    artifact = archive.write(mixed, tmp_path / "pack.zip", None)
    (tmp_path / "theirs.zip").write_bytes(b"theirs")
    (tmp_path / "pack.zip").symlink_to("theirs.zip")
    with pytest.raises(PackError, match="is a link"):
        archive.publish(artifact, tmp_path / "pack.zip", {}, ())
    assert (tmp_path / "theirs.zip").read_bytes() == b"theirs"
    assert not Path(artifact.path).exists()


def test_a_build_folder_that_is_a_file_is_refused(mixed: Tree, tmp_path: Path) -> None:
    (tmp_path / "build").write_text("a file")
    with pytest.raises(PackError) as caught:
        archive.write(mixed, tmp_path / "build" / "pack.zip", None)
    assert str(caught.value) == f"{tmp_path / 'build' / 'pack.zip'}: cannot be written: Not a directory"


# ---------------------------------------------------------------- publishing


def test_digests_appear_and_stale_ones_go(mixed: Tree, tmp_path: Path) -> None:
    destination, hexadecimal, base64 = tmp_path / "pack.zip", tmp_path / "pack.sha256", tmp_path / "pack.b64"
    hexadecimal.write_text("old\n")
    base64.write_text("old\n")
    artifact = archive.write(mixed, destination, None)
    archive.publish(artifact, destination, {hexadecimal: f"{artifact.sha256}\n"}, [base64])
    assert hexadecimal.read_text() == f"{sha256(destination)}\n"
    assert not base64.exists()
    assert not list(tmp_path.glob(".*"))


PUBLISHER = """
import hashlib, itertools, random, sys
from pathlib import Path
from monopack import archive
from monopack.model import Entry, Tree

folder = Path(sys.argv[1])
trees = []
for name in ("old", "new"):
    source = folder.parent / name
    source.write_bytes(random.Random(name).randbytes(1_000_000))
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    own = Entry(path=name, sha256=sha256, crc=0, size=1_000_000, mode=0o644, origin="first-party", location=str(source))
    trees.append(Tree(entries=(own,)))
destination = folder / "pack.zip"
for tree in itertools.cycle(trees):
    artifact = archive.write(tree, destination, None)
    digests = {folder / "pack.sha256": artifact.sha256, folder / "pack.manifest": artifact.sha256}
    archive.publish(artifact, destination, digests, [folder / "pack.b64"])
    print("published", flush=True)
"""


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that publishes two trees in turn, for ever, and has begun to."""
    (tmp_path / "build").mkdir(exist_ok=True)
    argv = [sys.executable, "-c", PUBLISHER, str(tmp_path / "build")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert child.stdout.readline() == "published\n"
        yield child
        child.kill()


@pytest.mark.parametrize("seed", range(12))
def test_a_kill_at_any_moment_tears_nothing(publisher: subprocess.Popen[str], tmp_path: Path, seed: int) -> None:
    time.sleep(random.Random(seed).uniform(0, 0.15))
    publisher.send_signal(signal.SIGKILL)
    publisher.wait()
    destination = tmp_path / "build" / "pack.zip"
    with zipfile.ZipFile(destination) as packed:
        assert packed.testzip() is None
        assert packed.namelist() in (["old"], ["new"])
    for telling in ("pack.sha256", "pack.manifest"):
        path = tmp_path / "build" / telling
        assert not path.exists() or path.read_text() == sha256(destination)


def test_a_reader_sees_only_whole_artifacts(publisher: subprocess.Popen[str], tmp_path: Path) -> None:
    destination = tmp_path / "build" / "pack.zip"
    seen = [destination.read_bytes()]
    while len(seen) < 30 and publisher.poll() is None:
        data = destination.read_bytes()
        seen += [data] if data != seen[-1] else []
    publisher.kill()
    assert len(seen) == 30
    assert len(set(seen)) == 2
    for data in set(seen):
        assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None


FULL_DISK = """
import resource, sys
from pathlib import Path
from monopack import archive
from monopack.errors import PackError
from monopack.model import Artifact
sys.path.insert(0, sys.argv[3])
from test_archive import tree_of
import random

folder, step = Path(sys.argv[1]), sys.argv[2]
(folder.parent / "sources").mkdir()
tree = tree_of(folder.parent / "sources", {"noise": (random.Random(1).randbytes(50_000), 0o644)})
destination = folder / "pack.zip"
limit = 20_000
try:
    if step == "publish":
        artifact = archive.write(tree, destination, None)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if step == "write":
        artifact = archive.write(tree, destination, None)
    archive.publish(artifact, destination, {folder / "pack.sha256": "0" * (limit + 1)}, ())
except PackError as error:
    print(error)
"""


@pytest.mark.parametrize("step", ["write", "publish"])
def test_a_full_disk_leaves_the_old_artifact(tmp_path: Path, step: str) -> None:
    build = tmp_path / "build"
    build.mkdir()
    (build / "pack.zip").write_bytes(b"the old zip")
    (build / "pack.sha256").write_bytes(b"its digest")
    argv = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(build), step, str(Path(__file__).parent)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [f"{build / 'pack.zip'}: cannot be written: File too large"], done.stderr
    assert {path.name: path.read_bytes() for path in build.iterdir()} == {
        "pack.zip": b"the old zip",
        "pack.sha256": b"its digest",
    }
