"""Assembling: every path once, and conflicts that name both owners."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monopack.assemble import assemble, overlay
from monopack.errors import PackError
from monopack.model import Distribution, Evidence, Member, Reach, SourceFile, TracedFile


def own(path: str, sha256: str = "own", mode: int = 0o644) -> TracedFile:
    source = SourceFile(path=path, location=f"/project/{path}", sha256=sha256, crc=0, size=3, mode=mode)
    return TracedFile(source=source, ships_as=path, module="", reach=Reach.EAGER, because=Evidence(file=path, line=0))


def wheel(name: str, files: Mapping[str, str], namespaces: frozenset[str] = frozenset()) -> Distribution:
    members = tuple(
        Member(path=path, sha256=sha256, crc=0, size=5, mode=0o644, offset=0, packed=5, packed_sha256="", method=0)
        for path, sha256 in files.items()
    )
    return Distribution(
        name=name, version="1", wheel="", location=f"/store/{name}.whl", sha256="", members=members, provides=frozenset(),
        namespaces=namespaces, requires=(), entry_points=frozenset(),
    )  # fmt: skip


def test_entries_are_sorted_by_the_bytes_of_their_paths_and_know_their_origin() -> None:
    tree = assemble([own("app/é.py"), own("app/z.py")], [wheel("b", {"b/__init__.py": "1", "app-x.txt": "2"})], {"b", "app"})
    assert [(e.path, e.origin) for e in tree.entries] == [
        ("app-x.txt", "b==1"), ("app/z.py", "first-party"), ("app/é.py", "first-party"), ("b/__init__.py", "b==1"),
    ]  # fmt: skip
    assert tree.size == 16


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (wheel("a", {"shared/x.py": "1"}), wheel("b", {"shared/x.py": "2"})),
        (wheel("a", {"single.py": "1"}), wheel("b", {"single.py": "2"})),
        (wheel("a", {"tests/x.py": "1"}), wheel("b", {"tests/x.py": "2"})),
    ],
)
def test_different_bytes_where_code_may_import_are_an_error_with_both_owners(first: Distribution, second: Distribution) -> None:
    with pytest.raises(PackError, match="a==1 and b==1 both ship it, with different bytes"):
        assemble([], [first, second], {"tests"})


def test_first_party_code_and_a_distribution_may_not_claim_one_path() -> None:
    with pytest.raises(PackError) as refused:
        assemble([own("yaml/__init__.py")], [wheel("pyyaml", {"yaml/__init__.py": "theirs"})], {"yaml"})
    assert refused.value.where == "yaml/__init__.py"
    assert "first-party (/project/yaml/__init__.py) and pyyaml==1" in refused.value.what


@pytest.mark.parametrize("path", ["tests/__init__.py", "LICENSE", "docs/conf.py", "share-data/x.txt"])
def test_elsewhere_neither_ships_and_a_warning_says_so(path: str) -> None:
    tree = assemble([], [wheel("a", {path: "1", "a.py": "1"}), wheel("b", {path: "2"})], {"a"})
    assert [e.path for e in tree.entries] == ["a.py"]
    assert tree.warnings == (f"{path} does not ship: a==1 and b==1 have different files there",)


def test_equal_bytes_and_namespace_inits_merge() -> None:
    shared = {"google/__init__.py": "1", "google/same.py": "s"}
    first = wheel("a", shared, frozenset({"google"}))
    second = wheel("b", {**shared, "google/__init__.py": "2"}, frozenset({"google"}))
    tree = assemble([], [first, second], {"google"})
    assert [(e.path, e.origin) for e in tree.entries] == [("google/__init__.py", "a==1"), ("google/same.py", "a==1")]


def test_an_init_is_merged_only_when_every_owner_shares_it() -> None:
    bare = wheel("a", {"ns/a.py": "1"}, frozenset({"ns"}))
    first, second = wheel("b", {"ns/__init__.py": "1"}), wheel("c", {"ns/__init__.py": "2"}, frozenset({"ns"}))
    with pytest.raises(PackError, match="b==1 and c==1 both ship it"):
        assemble([], [bare, first, second], {"ns"})


def test_equal_bytes_with_different_modes_merge_into_the_executable() -> None:
    tree = assemble([own("a/run.py", "same", 0o755)], [wheel("w", {"a/run.py": "same"})], {"a"})
    assert [e.mode for e in tree.entries] == [0o755]


def test_a_name_that_is_not_utf_8_is_refused_where_it_would_ship_and_not_in_tests() -> None:
    odd = own("data/\udcff.txt")
    with pytest.raises(PackError, match="not valid UTF-8"):
        assemble([odd], [], set())
    assert len(overlay(assemble([], [], set()), [odd], []).entries) == 1


def test_a_file_where_others_need_a_folder_is_refused() -> None:
    with pytest.raises(PackError, match=r"app: a==1 ships a file where first-party needs a folder"):
        assemble([own("app/x.py")], [wheel("a", {"app": "1"})], {"app"})


def test_the_digest_follows_content_and_mode_not_where_bytes_lie() -> None:
    plain = assemble([own("x.py", "s")], [], set())
    moved = assemble([], [wheel("a", {"x.py": "s"})], set())
    executable = assemble([own("x.py", "s", 0o755)], [], set())
    assert plain.digest == moved.digest
    assert plain.digest != executable.digest


def test_in_the_test_workspace_the_pack_wins_over_tests_and_these_over_distributions() -> None:
    tree = assemble([own("app.py", "pack")], [], {"app"})
    merged = overlay(
        tree, [own("app.py", "t"), own("tests/x.py", "t")], [wheel("w", {"tests/x.py": "w", "app.py": "w", "w.py": "w"})]
    )
    assert {e.path: e.sha256 for e in merged.entries} == {"app.py": "pack", "tests/x.py": "t", "w.py": "w"}


PATHS = st.sampled_from(["a/x.py", "a/y.py", "b.py", "LICENSE", "tests/z.py"])
FILES = st.dictionaries(PATHS, st.sampled_from(["1", "2"]))


@given(FILES, FILES, FILES)
def test_the_order_of_distributions_never_matters(a: dict[str, str], b: dict[str, str], c: dict[str, str]) -> None:
    def outcome(*files: tuple[str, dict[str, str]]) -> object:
        try:
            tree = assemble([], [wheel(name, content) for name, content in files], {"a"})
        except PackError as error:
            return str(error)
        return tree.digest, [e.path for e in tree.entries]

    assert outcome(("a", a), ("b", b), ("c", c)) == outcome(("c", c), ("a", a), ("b", b))
