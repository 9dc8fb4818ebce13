"""A Tree on disk: exactly it, incrementally, and nothing of other hands harmed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wheels import make_wheel

from monopack.errors import PackError
from monopack.model import Entry, Tree
from monopack.workspace import Unpacked, look, materialize, remove

Files = Mapping[str, bytes]


class Place:
    """A pack's folder with its record, and the sources that it is made from."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "build" / "users_get"
        self.record = root / "build" / ".monopack" / "users_get.json"
        self.sources = root / "sources"

    def entry(self, path: str, content: bytes, mode: int = 0o644) -> Entry:
        digest = hashlib.sha256(content).hexdigest()
        source = self.sources / digest
        self.sources.mkdir(exist_ok=True)
        source.write_bytes(content)
        return Entry(
            path=path, sha256=digest, crc=zlib.crc32(content), size=len(content), mode=mode, origin="first-party",
            location=str(source),
        )  # fmt: skip

    def tree(self, files: Files) -> Tree:
        return Tree(entries=tuple(self.entry(path, files[path]) for path in sorted(files, key=os.fsencode)))

    def write(self, tree: Tree, *, force: bool = False) -> None:
        materialize(tree, self.folder, self.record, force=force)

    def changed(self, tree: Tree) -> tuple[str, ...]:
        return look(tree, self.folder, self.record).changes

    def holds(self) -> dict[str, bytes]:
        return {p.relative_to(self.folder).as_posix(): p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}

    def stats(self) -> dict[str, tuple[int, int]]:
        found = (p for p in self.folder.rglob("*") if p.is_file())
        return {p.relative_to(self.folder).as_posix(): (p.stat().st_ino, p.stat().st_mtime_ns) for p in found}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture(name="umask", params=[0o077, 0o022, 0o000])
def _umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


APP: Files = {"app/__init__.py": b"", "app/db.py": b"x = 1\n", "packs/users_get.py": b"import app.db\n"}


def wheel_tree(wheel: Path) -> Tree:
    """The entries of a wheel, spliced from its own deflate streams."""
    entries = []
    with zipfile.ZipFile(wheel) as archive, wheel.open("rb") as raw:
        for info in archive.infolist():
            raw.seek(info.header_offset)
            header = raw.read(30)
            names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
            entries.append(
                Entry(
                    path=info.filename,
                    sha256=hashlib.sha256(archive.read(info)).hexdigest(),
                    crc=info.CRC,
                    size=info.file_size,
                    mode=0o644,
                    origin="demo==1.0",
                    location=str(wheel),
                    offset=info.header_offset + 30 + names,
                    packed=info.compress_size,
                    method=info.compress_type,
                )
            )
    return Tree(entries=tuple(sorted(entries, key=lambda entry: os.fsencode(entry.path))))


# ---------------------------------------------------------------- what is written


def test_a_tree_becomes_a_folder_and_its_record_says_complete(place: Place) -> None:
    place.write(place.tree(APP))
    assert place.holds() == APP
    assert json.loads(place.record.read_text())["state"] == "complete"
    assert list(place.record.parent.iterdir()) == [place.record]


@pytest.mark.usefixtures("umask")
def test_modes_are_exact_whatever_the_umask(place: Place) -> None:
    tree = Tree(entries=(place.entry("bin/run", b"#!", 0o755), place.entry("lib/data", b"1", 0o644)))
    place.write(tree)
    assert stat.S_IMODE((place.folder / "bin/run").stat().st_mode) == 0o755
    assert stat.S_IMODE((place.folder / "lib/data").stat().st_mode) == 0o644
    assert stat.S_IMODE((place.folder / "lib").stat().st_mode) == 0o755
    place.write(Tree(entries=(place.entry("bin/run", b"#!", 0o644),)))
    assert stat.S_IMODE((place.folder / "bin/run").stat().st_mode) == 0o644


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_members_of_a_wheel_are_unpacked_from_where_they_lie(place: Place, method: int) -> None:
    big = os.urandom(100_000) + b"abc" * 100_000
    wheel = make_wheel(
        place.root, "demo", "1.0", {"demo/__init__.py": "", "demo/big.bin": big, "demo/ä.py": "y = 2"}, method=method
    )
    place.write(wheel_tree(wheel))
    with zipfile.ZipFile(wheel) as archive:
        assert place.holds() == {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("room", [0, 1_000, 1_000_000])
def test_several_folders_get_the_same_bytes_however_many_are_held(place: Place, room: int) -> None:
    files = {"demo/__init__.py": "", "demo/a.py": "a = 1\n" * 100, "demo/b.py": "b = 1\n" * 100, "demo/big.txt": "abc" * 100_000}
    wheel = make_wheel(place.root, "demo", "1.0", files)
    tree, good, unpacked = wheel_tree(wheel), wheel.read_bytes(), Unpacked(room)
    entry = next(e for e in tree.entries if e.path == "demo/b.py")
    assert entry.offset is not None
    wheel.write_bytes(good[: entry.offset + 4] + b"\xff\xff" + good[entry.offset + 6 :])
    with pytest.raises(PackError):
        materialize(tree, place.folder, place.record, force=False, unpacked=unpacked)
    wheel.write_bytes(good)
    for name in ("one", "two"):
        materialize(tree, place.root / name, place.root / f"{name}.json", force=False, unpacked=unpacked)
        with zipfile.ZipFile(wheel) as archive:
            assert all((place.root / name / each).read_bytes() == archive.read(each) for each in archive.namelist())
        assert look(tree, place.root / name, place.root / f"{name}.json").changes == ()


def test_a_damaged_wheel_is_refused_and_the_next_run_writes_anew(place: Place) -> None:
    wheel = make_wheel(place.root, "demo", "1.0", {"demo/a.py": "a = 1\n" * 100, "demo/b.py": "b = 1"})
    tree, good = wheel_tree(wheel), wheel.read_bytes()
    entry = next(e for e in tree.entries if e.path == "demo/a.py")
    assert entry.offset is not None
    for damaged in (good[: entry.offset + 4] + b"\xff\xff" + good[entry.offset + 6 :], good[: entry.offset + 3], b""):
        wheel.write_bytes(damaged)
        with pytest.raises(PackError, match=r"demo_?-?1\.0-py3-none-any\.whl: no longer holds "):
            place.write(tree)
        assert json.loads(place.record.read_text())["state"] == "writing"
    wheel.write_bytes(good)
    place.write(tree)
    assert place.changed(tree) == ()


def test_a_source_that_changed_after_it_was_read_is_refused(place: Place) -> None:
    tree = place.tree(APP)
    source = Path(next(e for e in tree.entries if e.path == "app/db.py").location)
    source.write_bytes(b"x = 2\n")
    with pytest.raises(PackError, match="changed while it was being packed") as refused:
        place.write(tree)
    assert refused.value.where == str(source)


def test_a_source_that_is_gone_is_refused_in_one_line_with_its_path(place: Place) -> None:
    tree = place.tree(APP)
    Path(tree.entries[0].location).unlink()
    with pytest.raises(PackError, match="No such file") as refused:
        place.write(tree)
    assert refused.value.where == tree.entries[0].location
    assert "\n" not in str(refused.value)


def test_names_that_are_not_ascii_or_not_even_utf8(place: Place) -> None:
    files = {"données/ü.txt": b"1", os.fsdecode(b"latin-\xe9.txt"): b"2", "with space/a b": b"3"}
    place.write(place.tree(files))
    place.write(place.tree(files))
    assert place.holds() == files


# ---------------------------------------------------------------- incremental


def test_unchanged_files_are_left_alone_others_rewritten_and_removed(place: Place) -> None:
    place.write(place.tree(APP))
    before = place.stats()
    new = {"app/__init__.py": b"", "app/db.py": b"x = 2\n", "app/new/deep.py": b""}
    place.write(place.tree(new))
    after = place.stats()
    assert place.holds() == new
    assert after["app/__init__.py"] == before["app/__init__.py"]
    assert after["app/db.py"] != before["app/db.py"]
    assert not (place.folder / "packs").exists()


def test_a_second_run_reads_no_file_that_is_settled(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = place.tree(APP)
    place.write(tree)
    time.sleep(0.1)  # until the files are older than their record by more than a tick of the clock
    place.write(tree)
    before = place.stats()
    for entry in tree.entries:
        Path(entry.location).unlink()
    place.write(tree)
    assert place.stats() == before
    monkeypatch.setattr("hashlib.file_digest", None)
    assert place.changed(tree) == ()


def test_files_become_folders_and_folders_files(place: Place) -> None:
    place.write(place.tree({"a": b"file", "b/c/d": b"deep", "e/f": b"1"}))
    place.write(place.tree({"a/x/y": b"deep", "b": b"file", "e/f": b"1"}))
    assert place.holds() == {"a/x/y": b"deep", "b": b"file", "e/f": b"1"}


def test_what_code_left_behind_is_put_right(place: Place, tmp_path: Path) -> None:
    tree = place.tree(APP)
    place.write(tree)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "db.py").write_bytes(b"theirs")
    (place.folder / "app/__pycache__").mkdir()
    (place.folder / "app/__pycache__/db.pyc").write_bytes(b"0")
    (place.folder / "empty/er").mkdir(parents=True)
    shutil.rmtree(place.folder / "packs")
    (place.folder / "packs").symlink_to(outside)
    (place.folder / "app/db.py").unlink()
    (place.folder / "app/db.py").symlink_to(outside / "db.py")
    place.write(tree)
    assert place.holds() == APP
    assert not [p for p in place.folder.rglob("*") if p.is_symlink() or p.name in ("empty", "__pycache__")]
    assert {p.name: p.read_bytes() for p in outside.iterdir()} == {"db.py": b"theirs"}


def test_a_hard_link_is_replaced_and_its_other_name_not_written_to(place: Place, tmp_path: Path) -> None:
    place.write(place.tree(APP))
    os.link(place.folder / "app/db.py", tmp_path / "other")
    place.write(place.tree(APP))
    assert not (place.folder / "app/db.py").samefile(tmp_path / "other")
    place.write(place.tree({**APP, "app/db.py": b"x = 3\n"}))
    assert (tmp_path / "other").read_bytes() == b"x = 1\n"
    assert all(p.stat().st_nlink == 1 for p in place.folder.rglob("*") if p.is_file())


def test_a_folder_whose_writing_was_cut_off_is_written_anew(place: Place) -> None:
    tree = place.tree(APP)
    place.write(tree)
    record = json.loads(place.record.read_text())
    place.record.write_text(json.dumps({**record, "state": "writing"}))
    (place.folder / "app/half").write_bytes(b"to")
    with (place.folder / "app/db.py").open() as held:  # as long as it is open, no other file gets its number
        place.write(tree)
        assert not os.path.samestat(os.fstat(held.fileno()), (place.folder / "app/db.py").stat())
    assert place.holds() == APP
    assert json.loads(place.record.read_text())["state"] == "complete"


paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)


def no_path_inside_another(files: Files) -> bool:
    return not any(other.startswith(f"{path}/") for path in files for other in files)


trees = st.dictionaries(paths, st.sampled_from([b"", b"1", b"22"]), max_size=6).filter(no_path_inside_another)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(trees, min_size=1, max_size=4))
def test_whatever_was_there_before_the_folder_holds_the_tree(
    steps: list[Files], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = Place(tmp_path_factory.mktemp("place"))
    for files in steps:
        tree = place.tree(files)
        place.write(tree)
        assert place.holds() == files
        assert place.changed(tree) == ()
        assert not [p for p in place.folder.rglob("*") if p.is_dir() and not any(p.iterdir())]
    remove(place.folder, place.record)
    assert not place.folder.exists()


# ---------------------------------------------------------------- other hands


def test_a_folder_that_monopack_did_not_write_is_refused_and_with_force_replaced(place: Place) -> None:
    place.folder.mkdir(parents=True)
    (place.folder / "thesis.txt").write_text("years of work")
    for _ in range(2):
        with pytest.raises(PackError, match="exists and was not written by monopack") as refused:
            place.write(place.tree(APP))
        assert "--force" in refused.value.hint
        assert place.holds() == {"thesis.txt": b"years of work"}
    place.write(place.tree(APP), force=True)
    assert place.holds() == APP


def test_a_folder_that_someone_made_where_ours_was_is_not_taken_for_ours(place: Place) -> None:
    place.write(place.tree(APP))
    shutil.rmtree(place.folder)
    place.folder.mkdir()
    (place.folder / "thesis.txt").write_text("years of work")
    with pytest.raises(PackError, match="was not written by monopack"):
        place.write(place.tree(APP))
    assert place.holds() == {"thesis.txt": b"years of work"}


def test_an_empty_or_missing_folder_is_fine(place: Place) -> None:
    place.folder.mkdir(parents=True)
    place.write(place.tree(APP))
    shutil.rmtree(place.folder)
    place.write(place.tree(APP))
    assert place.holds() == APP


def test_a_file_in_the_place_of_the_folder(place: Place) -> None:
    place.folder.parent.mkdir(parents=True)
    place.folder.write_text("a note")
    with pytest.raises(PackError, match="was not written by monopack"):
        place.write(place.tree(APP))
    assert place.folder.read_text() == "a note"
    place.write(place.tree(APP), force=True)
    assert place.holds() == APP


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_is_a_link_is_not_written_through(place: Place, tmp_path: Path, *, force: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place.folder.parent.mkdir(parents=True)
    place.folder.symlink_to(elsewhere)
    with pytest.raises(PackError, match="symbolic link"):
        place.write(place.tree(APP), force=force)
    assert not list(elsewhere.iterdir())


def test_a_build_path_that_is_a_file_is_one_line_with_the_path(place: Place) -> None:
    (place.root / "build").write_text("not a folder")
    with pytest.raises(PackError) as refused:
        place.write(place.tree(APP))
    assert str(place.root / "build") in refused.value.where
    assert "\n" not in str(refused.value)
    assert refused.value.hint


# ---------------------------------------------------------------- what code changed


def test_changes_names_what_code_added_removed_and_edited(place: Place) -> None:
    tree = place.tree({**APP, "z.py": b"same", "m.py": b"mode"})
    place.write(tree)
    assert place.changed(tree) == ()
    (place.folder / "app/__pycache__").mkdir()
    (place.folder / "app/__pycache__/db.pyc").write_bytes(b"0")
    (place.folder / "cache/deep").mkdir(parents=True)
    (place.folder / "link").symlink_to("z.py")
    (place.folder / "packs/users_get.py").unlink()
    (place.folder / "m.py").chmod(0o755)
    assert place.changed(tree) == ("app/__pycache__/db.pyc", "cache/deep/", "link", "m.py", "packs/users_get.py")


@pytest.mark.parametrize("wait", [0, 0.1])  # seconds; after the longer one the stat alone has to tell
def test_an_edit_of_the_same_size_is_seen_even_when_the_time_is_set_back(wait: float, place: Place) -> None:
    tree = place.tree(APP)
    place.write(tree)
    time.sleep(wait)
    place.write(tree)
    path = place.folder / "app/db.py"
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"x = 9\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert place.changed(tree) == ("app/db.py",)
    place.write(tree)
    assert place.holds() == APP


def test_an_edit_within_the_same_tick_of_the_clock_is_seen(place: Place) -> None:
    tree = place.tree(APP)
    place.write(tree)
    path = place.folder / "app/db.py"
    path.write_bytes(b"x = 9\n")
    now, record = path.stat(), json.loads(place.record.read_text())
    same = [now.st_size, now.st_mode, now.st_mtime_ns, now.st_ino, now.st_ctime_ns]
    record["files"]["app/db.py"][1] = same  # a coarse clock gives the edited file the stat that was recorded
    place.record.write_text(json.dumps(record))
    assert place.changed(tree) == ("app/db.py",)


def test_a_touched_file_with_the_same_bytes_has_not_changed(place: Place) -> None:
    tree = place.tree(APP)
    place.write(tree)
    os.utime(place.folder / "app/db.py", (1, 1))
    assert place.changed(tree) == ()


def test_changes_without_a_record_compares_bytes(place: Place) -> None:
    tree = place.tree(APP)
    place.write(tree)
    place.record.unlink()
    assert place.changed(tree) == ()
    (place.folder / "app/db.py").write_bytes(b"x = 7\n")
    assert place.changed(tree) == ("app/db.py",)


# ---------------------------------------------------------------- removing


def test_remove_takes_away_what_was_written_and_the_record(place: Place) -> None:
    place.write(place.tree(APP))
    remove(place.folder, place.record)
    assert not place.folder.exists()
    assert not place.record.exists()
    remove(place.folder, place.record)


def test_remove_leaves_what_it_did_not_write_and_the_folder_stays_ours(place: Place) -> None:
    place.write(place.tree(APP))
    (place.folder / "app/notes.txt").write_text("mine")
    remove(place.folder, place.record)
    assert place.holds() == {"app/notes.txt": b"mine"}
    assert not (place.folder / "packs").exists()
    place.write(place.tree(APP))
    assert place.holds() == APP


def test_remove_does_not_touch_a_folder_without_a_record_nor_follow_a_link(place: Place, tmp_path: Path) -> None:
    place.folder.mkdir(parents=True)
    (place.folder / "thesis.txt").write_text("years of work")
    remove(place.folder, place.record)
    assert place.holds() == {"thesis.txt": b"years of work"}
    place.write(place.tree(APP), force=True)
    moved = tmp_path / "moved"
    place.folder.rename(moved)
    place.folder.symlink_to(moved)
    with pytest.raises(PackError, match="symbolic link"):
        remove(place.folder, place.record)
    assert (moved / "app/db.py").exists()
