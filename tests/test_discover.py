"""Each folder in cases/discover holds a project as text (`[files]`) and the packs or the refusal that must come of it."""

from __future__ import annotations

import contextlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from monopack import discover
from monopack.errors import ConfigError

CASES = sorted((Path(__file__).parent / "cases" / "discover").iterdir())


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_case(folder: Path, tmp_path: Path) -> None:
    case = tomllib.loads((folder / "case.toml").read_text("utf-8"))
    write(tmp_path, case.get("files", {}))
    if "error" not in case:
        assert observed(case, tmp_path) == case["packs"]
        return
    with pytest.raises(ConfigError) as caught:
        observed(case, tmp_path)
    assert str(caught.value) == case["error"].strip().replace("ROOT", str(tmp_path))
    assert caught.value.hint == case["hint"].replace("ROOT", str(tmp_path))


def observed(case: dict[str, Any], root: Path) -> list[dict[str, Any]]:
    roots = discover.source_roots(root, case.get("source_roots", "auto"))
    found = discover.packs(root, root / case.get("packs_dir", "packs"), roots, case.get("only"))
    return [
        {"name": pack.name, "path": pack.path, "module": pack.module, "line": pack.block_line, "block": dict(pack.block)}
        for pack in found
    ]


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")


# ---------------------------------------------------------------- source roots


def test_source_roots_are_src_before_the_project(tmp_path: Path) -> None:
    assert discover.source_roots(tmp_path, "auto") == (".",)
    (tmp_path / "src").mkdir()
    assert discover.source_roots(tmp_path, "auto") == ("src", ".")


def test_src_that_is_a_package_is_no_source_root(tmp_path: Path) -> None:
    write(tmp_path, {"src/__init__.py": ""})
    assert discover.source_roots(tmp_path, "auto") == (".",)


def test_configured_source_roots_keep_their_order(tmp_path: Path) -> None:
    write(tmp_path, {"libs/a/x.py": "", "src/y.py": ""})
    given_roots = ["libs/a/", "./src", str(tmp_path), "src"]
    assert discover.source_roots(tmp_path, given_roots) == ("libs/a", "src", ".")


@pytest.mark.parametrize(
    ("root", "what"), [("../other", "../other lies outside the project"), ("gone", "there is no folder gone")]
)
def test_source_roots_that_cannot_be(tmp_path: Path, root: str, what: str) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "other").mkdir()
    with pytest.raises(ConfigError) as caught:
        discover.source_roots(tmp_path / "project", [root])
    assert str(caught.value) == f"monopack.toml: source_roots: {what}"


# ---------------------------------------------------------------- packs


def test_packs_folder_outside_the_project(tmp_path: Path) -> None:
    write(tmp_path, {"packs/a.py": "", "project/x.py": ""})
    with pytest.raises(ConfigError, match="the packs folder lies outside the project"):
        discover.packs(tmp_path / "project", tmp_path / "packs", (".",), None)


def test_project_reached_through_a_link(tmp_path: Path) -> None:
    write(tmp_path, {"project/packs/a.py": ""})
    (tmp_path / "link").symlink_to(tmp_path / "project")
    (pack,) = discover.packs(tmp_path / "link", tmp_path / "project" / "packs", (".",), None)
    assert (pack.path, pack.module) == ("packs/a.py", "packs.a")


def test_only_the_chosen_packs_block_is_read(tmp_path: Path) -> None:
    write(tmp_path, {"packs/a.py": "# monopack-start\n# env = {}\n# monopack-end\n", "packs/b.py": "# monopack-start\n"})
    (pack,) = discover.packs(tmp_path, tmp_path / "packs", (".",), "a")
    assert pack.name == "a"
    with pytest.raises(ConfigError, match=r"packs/b\.py:1: the block has no monopack-end"):
        discover.packs(tmp_path, tmp_path / "packs", (".",), None)


def test_two_names_that_differ_only_in_case(tmp_path: Path) -> None:
    write(tmp_path, {"packs/users.py": "", "packs/Users.py": "", "packs/a.py": ""})
    if len(list((tmp_path / "packs").iterdir())) == 2:
        pytest.skip("this file system does not tell the case of letters apart")
    with pytest.raises(ConfigError) as caught:
        discover.packs(tmp_path, tmp_path / "packs", (".",), "a")
    assert str(caught.value) == "packs/users.py: differs from Users only in case"


# ---------------------------------------------------------------- the managed block

BLOCK = b'# monopack-start\n# extra_modules = ["a.b"]\n# monopack-end\n'


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (BLOCK, 1),
        (BLOCK.replace(b"\n", b"\r\n"), 1),
        (BLOCK.replace(b"\n", b"\r"), 1),
        (b"\xef\xbb\xbf" + BLOCK, 1),
        (b"#!/usr/bin/env python\n# -*- coding: latin-1 -*-\n'\xe9'\n" + BLOCK, 4),
        (BLOCK + b"x = '\xe9'\n", 1),
        (b"# coding: no-such-encoding\n" + BLOCK, 2),
        (b"# coding: rot13\n" + BLOCK, 2),
        (BLOCK + b"def broken(:\n", 1),
        (b"def broken(:\n" + BLOCK, 2),
        (BLOCK + b"x = \x00\n", 1),
        (BLOCK + b"'''never closed\n", 1),
        (b"x = 1\n\x0c\n" + BLOCK, 3),
        (BLOCK.rstrip(b"\n"), 1),
        (b"if True:\n    x = 1\n    " + BLOCK.replace(b"\n#", b"\n    #"), 3),
    ],
    ids=[
        "plain", "crlf", "cr", "byte order mark", "latin-1 cookie", "not utf-8", "unknown encoding", "no text encoding",
        "syntax error below", "syntax error above", "nul byte", "open string", "form feed", "no final newline", "indented",
    ],
)  # fmt: skip
def test_block_is_found_whatever_the_bytes(source: bytes, line: int) -> None:
    block = discover.read_block(source, "packs/x.py")
    assert (dict(block.options), block.line) == ({"extra_modules": ["a.b"]}, line)


def test_block_is_decoded_by_the_cookie() -> None:
    source = '# coding: latin-1\n# monopack-start\n# env = { NAME = "é" }\n# monopack-end\n'.encode("latin-1")
    assert discover.read_block(source, "packs/x.py").options == {"env": {"NAME": "é"}}


@given(st.binary())
def test_no_bytes_crash_the_reader(noise: bytes) -> None:
    for source in (noise, BLOCK + noise, b"# monopack-end\n" + noise):
        with contextlib.suppress(ConfigError):
            discover.read_block(source, "packs/x.py")


options = st.dictionaries(
    st.from_regex(r"[a-z_]{1,12}", fullmatch=True),
    st.recursive(
        st.one_of(st.text(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.lists(st.text(), max_size=4)),
        lambda inner: st.dictionaries(st.text(min_size=1), inner, max_size=3),
        max_leaves=5,
    ),
    max_size=5,
)
SURROUNDINGS = (
    '"""\n# monopack-start\n# fake = 1\n# monopack-end\n"""\n',
    "text = '''\n# monopack-start\n'''\n",
    "other = 'x # monopack-end'\n",
    "import os  # monopack-start\n",
    "def f(a=(1,\n    2)):\n    return a  # a comment\n",
    "# an ordinary comment: a, b\n",
    "#!monopack-start\n",
    "# monopack-start is the marker, this line is not\n",
    "\n\n",
    "x = [\n    # inside\n    1,\n]\n",
)
code = st.lists(st.sampled_from(SURROUNDINGS), max_size=5).map("".join)


@given(options=options, before=code, after=code, sign=st.sampled_from(["# ", "#"]), end=st.sampled_from(["\n", "\r\n"]))
def test_what_is_rendered_is_read_back(options: dict[str, Any], before: str, after: str, sign: str, end: str) -> None:
    lines = tomlkit.dumps(options).rstrip("\n").split("\n")
    block = "".join(f"{sign}{line}".rstrip(" ") + "\n" for line in ["monopack-start", *lines, "monopack-end"])
    source = f"{before}{block}{after}".replace("\n", end).encode("utf-8")
    read = discover.read_block(source, "packs/x.py")
    assert read.options == options
    assert read.line == before.count("\n") + 1


names = st.from_regex(r"[A-Za-z0-9_.\-]{1,12}", fullmatch=True)


@given(names=st.lists(names, max_size=5), comma=st.sampled_from([",", ", ", " , "]), blank=st.sampled_from(["", " ", "   "]))
def test_lines_of_the_older_form_are_lists(names: list[str], comma: str, blank: str) -> None:
    older = f'# monopack-start\n# extra_modules{blank}:{blank}{comma.join(names)}\n# handler = "main"\n# monopack-end\n'
    wanted = {"extra_modules": names, "handler": "main"}
    assert discover.read_block(older.encode(), "packs/x.py").options == wanted
