"""How an artifact is compressed: the same files in any way, wheels compressed once more only once, what is kept being checked."""

from __future__ import annotations

import json
import random
import subprocess
import zipfile
from pathlib import Path

import pytest
from projects import Project

WAYS = ("wheel", "small", "stored")
TEXT = "".join(f"line {number}: {number * number}\n" for number in range(4000))
NOISE = random.Random(6).randbytes(5000)  # which no compression makes shorter


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """Two packs that share one wheel that could be shorter, one that is only stored, and a source of their own."""
    project = Project(root=tmp_path / "shop", index=tmp_path / "index", cache=tmp_path / "cache")
    project.write({"app/words.py": f"WORDS = '''{TEXT}'''\n", "app/__init__.py": ""})
    project.wheel("loose", files={"loose.py": f"'''{TEXT}'''\n", "loose.bin": NOISE}, method=zipfile.ZIP_STORED)
    project.wheel("tight", files={"tight/__init__.py": f"'''{TEXT * 2}'''\n"}, modes={"tight/__init__.py": 0o100755})
    for pack in ("orders", "bills"):
        project.pack(pack, "import app.words\nimport loose\nimport tight\n", tested=False)
    project.require("loose==1.0", "tight==1.0")
    project.environ["MONOPACK_PACK__REQUIRE_TESTS"] = "false"
    return project


def kept(project: Project) -> dict[Path, tuple[int, int, bytes]]:
    """The files that hold wheels compressed once more: which file it is (a new one has another number), when, and its bytes."""
    files = sorted(project.cache.glob("v1/wheels/*/small-*"))
    return {file: (file.stat().st_ino, file.stat().st_mtime_ns, file.read_bytes()) for file in files}


def content(archive: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and mode of every member, read by the standard library and tested by it and by unzip."""
    subprocess.run(["unzip", "-tqq", archive], check=True, capture_output=True)
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        return {info.filename: (opened.read(info), info.external_attr) for info in opened.infolist()}


def test_all_ways_hold_the_same_files_and_differ_in_size(shop: Project) -> None:
    sizes, contents, digests = dict[str, int](), [], set()
    zipped = shop.root / "build" / "orders.zip"
    for way in WAYS:
        shop.build("orders", "--compression", way)
        sizes[way], manifest = zipped.stat().st_size, shop.manifest("orders")
        contents.append(content(zipped))
        digests.add(manifest["content_sha256"])
        assert (manifest["artifact"]["compression"], manifest["artifact"]["size"]) == (way, sizes[way])
    assert contents[0] == contents[1] == contents[2]
    assert contents[0]["loose.bin"][0] == NOISE
    assert len(digests) == 1
    assert sizes["small"] < sizes["wheel"] < sizes["stored"]


def test_stored_compresses_nothing(shop: Project) -> None:
    shop.build("orders", "--compression", "stored")
    with zipfile.ZipFile(shop.root / "build" / "orders.zip") as opened:
        assert {info.compress_type for info in opened.infolist()} == {zipfile.ZIP_STORED}
        assert all(info.compress_size == info.file_size for info in opened.infolist())
    assert not kept(shop)


def test_small_takes_the_shortest_of_each_member(shop: Project) -> None:
    shop.build("orders")
    with zipfile.ZipFile(shop.root / "build" / "orders.zip") as opened:
        before = {info.filename: info for info in opened.infolist()}
    assert not kept(shop)
    shop.build("orders", "--compression", "small")
    with zipfile.ZipFile(shop.root / "build" / "orders.zip") as opened:
        after = {info.filename: info for info in opened.infolist()}
    assert all(after[name].compress_size <= before[name].compress_size for name in before)
    assert before["loose.py"].compress_type == zipfile.ZIP_STORED
    assert after["loose.py"].compress_type == zipfile.ZIP_DEFLATED
    assert after["loose.bin"].compress_type == zipfile.ZIP_STORED  # since that is shorter


def test_a_wheel_is_compressed_once_for_all_packs_and_runs(shop: Project) -> None:
    shop.build("orders", "--compression", "small")
    first, made = shop.output("orders.zip"), kept(shop)
    assert len(made) == 4  # streams and their list, for two wheels
    shop.build("--compression", "small", "--no-cache")
    assert shop.output("orders.zip") == first
    assert content(shop.root / "build" / "bills.zip").keys() >= {"loose.py", "tight/__init__.py", "packs/bills.py"}
    assert kept(shop) == made


@pytest.mark.parametrize("suffix", [".streams", ".json"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "gone"])
def test_what_is_damaged_is_made_again(shop: Project, suffix: str, damage: str) -> None:
    shop.build("orders", "--compression", "small")
    first, made = shop.output("orders.zip"), kept(shop)
    file = next(file for file in made if file.suffix == suffix)
    data = file.read_bytes()
    middle = len(data) // 2
    broken = {"flipped": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :], "cut": data[:middle], "empty": b""}
    file.unlink() if damage == "gone" else file.write_bytes(broken[damage])
    done = shop.build("orders", "--compression", "small", "--no-cache")
    assert shop.output("orders.zip") == first
    assert {path: found[2] for path, found in kept(shop).items()} == {path: found[2] for path, found in made.items()}
    said = "was damaged and is made again" in done.stderr
    assert said == (damage != "gone" or suffix == ".json")  # the list of streams that are gone is nothing to tell of


def test_the_same_bytes_come_from_another_store(shop: Project, tmp_path: Path) -> None:
    shop.build("--compression", "small")
    first = shop.outputs()
    shop.build("--compression", "small", "--no-cache", "--jobs", "1", MONOPACK_CACHE_DIR=str(tmp_path / "other"))
    assert shop.outputs() == first


def test_another_compression_is_another_artifact_and_the_same_one_is_unchanged(shop: Project) -> None:
    shop.build("orders")
    spliced = shop.output("orders.zip")
    assert "unchanged" in shop.build("orders", "--compression", "wheel").stderr
    assert "unchanged" not in shop.build("orders", "--compression", "small").stderr
    assert "unchanged" in shop.build("orders", "--compression", "small").stderr
    shop.build("orders")
    assert shop.output("orders.zip") == spliced


def test_a_pack_may_have_its_own_and_a_flag_beats_it(shop: Project) -> None:
    shop.write({"monopack.toml": 'compression = "small"\n\n[packs.bills]\ncompression = "stored"\n'})
    shop.build()
    assert [shop.manifest(pack)["artifact"]["compression"] for pack in ("orders", "bills")] == ["small", "stored"]
    shop.build("--compression", "wheel")
    assert [shop.manifest(pack)["artifact"]["compression"] for pack in ("orders", "bills")] == ["wheel", "wheel"]


def test_an_unknown_compression_is_refused_with_the_known_ones(shop: Project) -> None:
    done = shop.run("--compression", "zopfli")
    assert done.returncode == 2
    assert "--compression" in done.stderr
    assert all(way in done.stderr for way in WAYS)


def test_the_store_counts_and_cleans_what_was_compressed(shop: Project) -> None:
    shop.build("orders")
    before = shop.build("cache", "--json").stdout
    shop.build("orders", "--compression", "small")
    added = sum(len(data) for _, _, data in kept(shop).values())
    after = shop.build("cache", "--json").stdout
    assert stored_size(after) == stored_size(before) + added
    shop.build("cache", "clean")
    assert not kept(shop)


def stored_size(document: str) -> int:
    """The bytes that `monopack cache --json` tells of the wheels."""
    return sum(wheel["size"] for wheel in json.loads(document)["distributions"])
