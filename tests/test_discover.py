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


SETTINGS = {
    "setuptools package-dir": '[tool.setuptools]\npackage-dir = {"" = "lib"}',
    "setuptools package-dir of one package": '[tool.setuptools]\npackage-dir = {"one" = "lib/one"}',
    "setuptools where": '[tool.setuptools.packages.find]\nwhere = ["lib"]',
    "hatch packages": '[tool.hatch.build.targets.wheel]\npackages = ["lib/one"]',
    "hatch sources": '[tool.hatch.build]\nsources = ["lib"]',
    "hatch sources taken off": '[tool.hatch.build.targets.wheel]\nsources = {"lib" = ""}',
    "poetry": '[tool.poetry]\npackages = [{include = "one", from = "lib"}]',
    "pdm": '[tool.pdm.build]\npackage-dir = "lib"',
    "uv_build": '[build-system]\nbuild-backend = "uv_build"\n[tool.uv.build-backend]\nmodule-root = "lib"',
    "maturin": '[tool.maturin]\npython-source = "lib"',
    "scikit-build": '[tool.scikit-build]\nwheel.packages = ["lib/one"]',
}


@pytest.mark.parametrize("text", SETTINGS.values(), ids=SETTINGS.keys())
def test_build_settings_say_where_code_is(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"pyproject.toml": text, "lib/one/__init__.py": "", "src/two.py": ""})
    assert discover.source_roots(tmp_path, "auto") == ("lib", "src", ".")
    write(tmp_path, {"pyproject.toml": '[tool.uv.sources]\nx = {path = "inner"}', "inner/pyproject.toml": text})
    write(tmp_path, {"inner/lib/one/__init__.py": "", "inner/src/two.py": ""})
    assert discover.source_roots(tmp_path, "auto") == ("src", ".", "inner/lib")


@pytest.mark.parametrize(
    "text",
    [
        "[options]\npackage_dir =\n    = lib\npackages = find:\n",
        "[options]\npackage_dir =\n    one = lib/one\n",
        "[options.packages.find]\nwhere = lib\n",
    ],
)
def test_setup_cfg_says_where_code_is(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"setup.cfg": text, "lib/one/__init__.py": ""})
    assert discover.source_roots(tmp_path, "auto") == ("lib", ".")


@pytest.mark.parametrize(
    "text",
    [
        '[tool.setuptools.packages.find]\nwhere = ["."]',
        '[tool.hatch.build.targets.wheel]\npackages = ["one"]',
        '[tool.poetry]\npackages = [{include = "one"}]',
        '[build-system]\nbuild-backend = "uv_build"\n[tool.uv.build-backend]\nmodule-root = ""',
    ],
)
def test_build_settings_may_say_that_code_is_in_the_project_folder(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"requirements.txt": "-e ./inner", "inner/pyproject.toml": text, "inner/one.py": "", "inner/src/two.py": ""})
    assert discover.source_roots(tmp_path, "auto") == (".", "inner")


@pytest.mark.parametrize(
    "text",
    [
        "[tool.setuptools]\npackage-dir = 3",
        "[tool.hatch.build]\npackages = {}\nsources = 4",
        "[tool.poetry]\npackages = [1, {from = 2}]",
        '[tool.setuptools.packages.find]\nwhere = ["gone", "../outside"]',
        '[build-system]\nbuild-backend = "uv_build"',
        "broken =",
        "",
    ],
)
def test_settings_that_say_nothing_of_use_leave_the_layout(tmp_path: Path, text: str) -> None:
    (tmp_path / "outside").mkdir()
    write(
        tmp_path / "all",
        {"requirements.txt": "-e ./inner", "inner/pyproject.toml": text, "inner/setup.cfg": "[", "inner/x.py": ""},
    )
    assert discover.source_roots(tmp_path / "all", "auto") == (".", "inner")
    write(tmp_path / "all", {"inner/src/x.py": ""})
    assert discover.source_roots(tmp_path / "all", "auto") == (".", "inner/src")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", '[tool.uv.sources]\nx = {path = "libs/x", editable = true}'),
        ("pyproject.toml", '[tool.uv.sources]\nx = [{path = "./libs/x", marker = "os_name == \'nt\'"}]'),
        ("pyproject.toml", '[tool.poetry.group.dev.dependencies]\nx = {path = "libs/x", develop = true}'),
        ("pyproject.toml", "[project]\ndependencies = [\"x[all] @ file:libs/x ; os_name == 'nt'\"]"),
        ("pyproject.toml", '[project]\noptional-dependencies.all = ["x@file:///${PROJECT_ROOT}/libs/x"]'),
        ("pyproject.toml", '[tool.pdm.dev-dependencies]\ndev = ["-e file:///${PROJECT_ROOT}/libs/x#egg=x"]'),
        ("Pipfile", '[packages]\nx = {path = "./libs/x", editable = true}'),
        ("requirements.txt", "requests\n-e libs/x\n"),
        ("requirements.txt", "./libs/x[extra] ; python_version > '3'\n"),
        ("requirements.txt", "x @ file:libs/x  # ours\n"),
        ("requirements.txt", "--editable=file:libs/x\n"),
    ],
)
def test_a_project_that_is_named_by_its_path(tmp_path: Path, file: str, text: str) -> None:
    write(tmp_path, {file: text, "libs/x/pyproject.toml": "", "libs/x/x.py": "", "requests/setup.py": "", "libs/y/setup.py": ""})
    assert discover.source_roots(tmp_path, "auto") == (".", "libs/x")


def test_paths_that_lead_nowhere_or_out_of_the_project_are_passed_over(tmp_path: Path) -> None:
    paths = ["../other", "gone", "/", "a.whl", "\\u0000", "x" * 5000, ".hidden", str(tmp_path / "other")]
    sources = "".join(f'x{number} = {{path = "{path}"}}\n' for number, path in enumerate(paths))
    write(tmp_path, {"other/setup.py": "", "all/pyproject.toml": f"[tool.uv.sources]\n{sources}", "all/.hidden/setup.py": ""})
    assert discover.source_roots(tmp_path / "all", "auto") == (".",)


def test_members_of_a_workspace_are_those_that_others_can_import(tmp_path: Path) -> None:
    installed = '[project]\nname = "{0}"\n[build-system]\nrequires = []\n'
    write(tmp_path, {
        "pyproject.toml": '[tool.uv.workspace]\nmembers = ["libs/*"]\nexclude = ["libs/old"]\n',
        "libs/lib/pyproject.toml": installed
        + "[tool.uv.sources]\nWanted_app = {workspace = true}\napp = {workspace = false}\n",
        "libs/app/pyproject.toml": '[project]\nname = "app"\n',
        "libs/wanted/pyproject.toml": '[project]\nname = "wanted.app"\n',
        "libs/with_src/pyproject.toml": "",
        "libs/with_src/src/x.py": "",
        "libs/old/pyproject.toml": installed,
        "libs/no_project/x.py": "",
        "elsewhere/pyproject.toml": installed,
    })  # fmt: skip
    assert discover.source_roots(tmp_path, "auto") == (".", "libs/lib", "libs/wanted", "libs/with_src/src")


def test_projects_may_name_others_and_each_other(tmp_path: Path) -> None:
    write(tmp_path, {
        "requirements.txt": "-e ./a\n",
        "a/pyproject.toml": '[tool.uv.sources]\nb = {path = "../b"}\n',
        "b/pyproject.toml": '[tool.uv.sources]\na = {path = "../a"}\nall = {path = ".."}\n',
        "c/pyproject.toml": "",
    })  # fmt: skip
    assert discover.source_roots(tmp_path, "auto") == (".", "a", "b")


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
