"""Each folder in cases/autofix holds a pack's file before and after, and the extras (or the refusal) between the two."""

from __future__ import annotations

import ast
import errno
import os
import re
import resource
import threading
import tomllib
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monopack import autofix, discover
from monopack.autofix import Extras
from monopack.errors import ConfigError, PackError

CASES = sorted((Path(__file__).parent / "cases" / "autofix").iterdir())
HIDDEN = Extras(modules=("app.hidden",))


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_case(folder: Path) -> None:
    case = tomllib.loads((folder / "extras.toml").read_text("utf-8"))
    before = (folder / "before.py").read_bytes()
    add = extras(case.get("add", {}))
    if "error" not in case:
        after = autofix.rewrite(before, add, "packs/a.py")
        assert after.decode("utf-8") == (folder / "after.py").read_text("utf-8")
        assert autofix.rewrite(after, add, "packs/a.py") == after
        return
    with pytest.raises(ConfigError) as caught:
        autofix.rewrite(before, add, "packs/a.py")
    assert (str(caught.value), caught.value.hint) == (case["error"], case["hint"])


def extras(table: dict[str, list[str]]) -> Extras:
    return Extras(modules=tuple(table.get("modules", ())), distributions=tuple(table.get("distributions", ())))


def test_the_entries_of_several_extras_are_united() -> None:
    parts = [Extras(modules=("app.b",)), Extras(distributions=("boto3",)), Extras(modules=("app.a", "app.b"))]
    both = autofix.united(parts)
    assert both == Extras(modules=("app.a", "app.b"), distributions=("boto3",))
    assert str(both) == "app.a, app.b, boto3"
    assert both
    assert not autofix.united([])


# ---------------------------------------------------------------- bytes


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"'''x'''\r\nimport os\r\n", b"'''x'''\r\n\r\nBLOCK\r\n\r\nimport os\r\n"),
        (b"'''x'''\rimport os\r", b"'''x'''\r\rBLOCK\r\rimport os\r"),
        (b"\xef\xbb\xbfimport os\n", b"\xef\xbb\xbfBLOCK\n\nimport os\n"),
        (b"# coding: latin-1\nx = '\xe9'\n", b"# coding: latin-1\n\nBLOCK\n\nx = '\xe9'\n"),
        (b"# c\n# vim: set fileencoding=cp1252 :\nx = '\x80'", b"# c\n# vim: set fileencoding=cp1252 :\n\nBLOCK\n\nx = '\x80'"),
        (b"'''x'''", b"'''x'''\n\nBLOCK"),
        (b"#!/bin/python\r\n'''x'''", b"#!/bin/python\r\n'''x'''\r\n\r\nBLOCK"),
        (b"#!/bin/python\nimport os\n", b"#!/bin/python\n\nBLOCK\n\nimport os\n"),
        (b"# only", b"# only\n\nBLOCK"),
        (b"   ", b"BLOCK\n   "),
        (b"\n\nimport os\n", b"BLOCK\n\n\nimport os\n"),
        (b"'''x'''\n\x0c\nimport os\n", b"'''x'''\n\nBLOCK\n\x0c\nimport os\n"),
        (b"'\\d'\nimport os\n", b"'\\d'\n\nBLOCK\n\nimport os\n"),
        (b"from .__future__ import x\n", b"BLOCK\n\nfrom .__future__ import x\n"),
        (b"b'no docstring'\n", b"BLOCK\n\nb'no docstring'\n"),
    ],
    ids=[
        "crlf", "cr", "byte order mark", "latin-1", "cookie in line 2", "no final newline", "none, with crlf", "shebang",
        "only a comment", "only blanks", "empty lines first", "form feed", "bad escape", "not __future__", "bytes",
    ],
)  # fmt: skip
def test_a_new_block_keeps_the_bytes_around_it(before: bytes, after: bytes) -> None:
    end = b"\r\n" if b"\r\n" in before else b"\r" if b"\r" in before else b"\n"
    block = end.join([b"# monopack-start", b'# extra_modules = ["app.hidden"]', b"# monopack-end"])
    assert autofix.rewrite(before, HIDDEN) == after.replace(b"BLOCK", block)


def test_lines_of_a_block_that_need_no_change_keep_their_ends() -> None:
    before = b'# monopack-start\r\n# handler = "x"\n# # c\r\n# monopack-end\n'
    after = b'# monopack-start\r\n# handler = "x"\n# # c\r\n# extra_modules = ["app.hidden"]\r\n# monopack-end\n'
    assert autofix.rewrite(before, HIDDEN) == after


@pytest.mark.parametrize(
    "source",
    [
        b"# coding: no-such-encoding\n",
        b"x = '\xff'\n",
        b"x = \x00\n",
        b"# coding: utf-7\nx = '+AGE-'\n",
        b"(" * 5000 + b")" * 5000,
    ],
    ids=["unknown encoding", "not utf-8", "nul byte", "encoding with two spellings", "nested too deeply"],
)
def test_bytes_that_are_no_source_are_refused(source: bytes) -> None:
    with pytest.raises(ConfigError, match=r"^packs/a\.py(:\d+)?: cannot be edited") as caught:
        autofix.rewrite(source, HIDDEN, "packs/a.py")
    assert caught.value.hint


@pytest.mark.parametrize("text", [b"x = '\xe9'\n", b"x = '\xc3\xa9'\n"], ids=["not utf-8", "utf-8 as well"])
def test_an_edit_that_moves_the_encoding_cookie_is_refused(text: bytes) -> None:
    before = b"# monopack-start\n# [env]  # coding: latin-1\n# X = '1'\n# monopack-end\n" + text
    with pytest.raises(ConfigError, match=r"^packs/a\.py:1: the managed block cannot be edited here") as caught:
        autofix.rewrite(before, HIDDEN, "packs/a.py")
    assert caught.value.hint == "edit it by hand"


# ---------------------------------------------------------------- laws

HEADS = (
    "", "#!/usr/bin/env python3\n", "# Licence\n\n", "#!/bin/sh\n# Licence\n\n", "# about the first statement\n", "\n",
    "  \t\n\n",
)  # fmt: skip
COOKIES = ("# -*- coding: {} -*-\n", "# vim: set fileencoding={} :\n", "#coding={}\n")
DOCSTRINGS = (
    "", '"""A pack."""\n', "'''A\n# monopack-start\n# x = 1\n# monopack-end\n'''; x = [\n1]\n", "'one' \\\n'two'\n",
    'r"""\n# monopack-end\n\n"""  # monopack-start\n', "('a'\n 'b')\n",
)  # fmt: skip
FUTURES = (
    "", "from __future__ import annotations\n", "from __future__ import (\n  annotations,  # why\n)\n\n",
    "from __future__ import annotations; from __future__ import division\n", "# why\nfrom __future__ import annotations # c\n",
)  # fmt: skip
CODE = (
    "text = '''\n# monopack-start\n'''\n",
    "other = 'é # monopack-end'\n",
    "mixed = f'''{1 +\n 1}\n# monopack-end'''\n",
    "import os  # monopack-start\n",
    "def f(a=(1,\n    2)):\n\n    # inside\n    return a  # é\n",
    "@staticmethod\n# between\n@(lambda f: f)\ndef g():\n    '''Doc.\n    # monopack-start\n    '''\n",
    "class C:\n\t'''Doc.'''\n\t@property\n\tdef p(self): return [\n\t\t# monopack-start ?\n\t]\n",
    "# an ordinary comment: a, b\n",
    "#!monopack-start\n",
    "# monopack-start and more\n",
    "\n\n",
    "\x0c\n",
    "if 1: pass; x = 1\n",
    "y = 1 + \\\n  2\n",
    "try:\n    pass\n# monopack-ends\nfinally:\n    pass\n",
)
ENDS = ("\n", "\r\n", "\r")
MODULES = ("app.a", "app.b", "app.c.d")
DISTRIBUTIONS = ("boto3", "pyyaml", "zope-interface")
SPELLINGS = {"pyyaml": "PyYAML", "zope-interface": "zope.interface"}
GAPS = ("", " ", "\n", "  # c, ]\n", "\n    ", " # 'c'\n  ", "\n# a\n\n# b\n")


@st.composite
def lists(draw: st.DrawFn, key: str, names: tuple[str, ...]) -> tuple[str, list[str]]:
    """A list of a block as a person may write it, and the names in it."""
    held = draw(st.lists(st.sampled_from(names), unique=True))
    gaps = st.sampled_from(GAPS)
    quote = draw(st.sampled_from("'\""))
    parts = [f"{draw(gaps)}{quote}{SPELLINGS.get(name, name)}{quote}{draw(gaps)}" for name in held]
    last = draw(st.sampled_from(["", ","])) if parts else ""
    equals, comment = draw(st.sampled_from([" = ", "=", "   =  "])), draw(st.sampled_from(["", "  # why"]))
    return f"{key}{equals}[{','.join(parts)}{last}{draw(gaps)}]{comment}\n", held


@st.composite
def older_lists(draw: st.DrawFn, key: str, names: tuple[str, ...]) -> tuple[str, list[str]]:
    """A list of the older form, and the names in it."""
    held = draw(st.lists(st.sampled_from(names), unique=True))
    colon, comma = draw(st.sampled_from([": ", ":", " :  "])), draw(st.sampled_from([", ", ",", " , "]))
    return f"{key}{colon}{comma.join(SPELLINGS.get(name, name) for name in held)}\n", held


@st.composite
def blocks(draw: st.DrawFn) -> tuple[str, set[str]]:
    """A managed block, and the names in it."""
    form = draw(st.sampled_from([lists, older_lists]))
    keys = [draw(form("extra_modules", MODULES)), draw(form("extra_distributions", DISTRIBUTIONS))]
    chosen = draw(st.lists(st.sampled_from(keys), unique_by=lambda item: item[0]))
    table = draw(st.sampled_from(["", "\n[env]\nMODE = 'fast'  # comment\n", "env.MODE = 'fast'\n"]))
    others = draw(st.permutations(["# why: a, b\n", "handler   = 'main'\n", "\n", "include = [\n  '*.txt', # comment\n]\n"]))
    parts = [*(text for text, _ in chosen), *others[: draw(st.integers(0, 4))]]
    lines = "".join([*draw(st.permutations(parts)), table]).split("\n")[:-1]
    sign, empty = draw(st.sampled_from([("# ", "#"), ("#", "#"), ("# ", "")]))
    marked = "".join(f"{sign}{line}\n" if line else f"{empty}\n" for line in lines)
    return f"# monopack-start\n{marked}# monopack-end\n", {name for _, held in chosen for name in held}


@st.composite
def sources(draw: st.DrawFn) -> tuple[bytes, set[str]]:
    """A pack's file, and the names that its managed block has."""
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "cp1252"]))
    declared = encoding in ("latin-1", "cp1252") or draw(st.booleans())
    cookie = draw(st.sampled_from(COOKIES)).format(encoding.removesuffix("-sig")) if declared else ""
    head = draw(st.sampled_from(HEADS[:2] if cookie else HEADS))
    code = draw(st.lists(st.sampled_from(CODE), max_size=6))
    block, held = draw(st.one_of(st.just(("", set[str]())), blocks()))
    code.insert(draw(st.integers(0, len(code))), block)
    text = "".join([draw(st.sampled_from(DOCSTRINGS)), draw(st.sampled_from(FUTURES)), *code])
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    if text.endswith("\\"):
        text += "\n"
    ends = st.lists(st.sampled_from(ENDS), min_size=1, max_size=4)
    # Python's own tokenizer finds no cookie in lines that end in CR
    top = st.lists(st.sampled_from(ENDS[:2]), min_size=1) if cookie else ends
    return (with_ends(head + cookie, draw(top)) + with_ends(text, draw(ends))).encode(encoding), held


def with_ends(text: str, ends: list[str]) -> str:
    """A text whose lines end as these do, over and over."""
    lines = text.split("\n")
    return "".join(line + ends[number % len(ends)] for number, line in enumerate(lines[:-1])) + lines[-1]


chosen_extras = st.builds(
    Extras,
    modules=st.lists(st.sampled_from(MODULES), unique=True).map(tuple),
    distributions=st.lists(st.sampled_from(DISTRIBUTIONS), unique=True).map(tuple),
)


@settings(max_examples=300, deadline=None)
@given(made=sources(), add=chosen_extras)
def test_extras_are_added_and_nothing_else_changes(made: tuple[bytes, set[str]], add: Extras) -> None:
    before, held = made
    after = autofix.rewrite(before, add)
    assert ast.dump(ast.parse(after)) == ast.dump(ast.parse(before))
    assert names(after) == held | {*add.modules, *add.distributions}
    assert others(after) == others(before)
    assert autofix.rewrite(after, add) == after
    assert before in without_block(after, before)
    assert comments(before) <= comments(after)
    assert before.endswith((b"\n", b"\r")) == after.endswith((b"\n", b"\r")) or before in (b"", BOM_UTF8)


@settings(deadline=None)
@given(made=sources())
def test_a_block_that_names_everything_keeps_every_byte(made: tuple[bytes, set[str]]) -> None:
    before, held = made
    known = Extras(
        modules=tuple(name for name in MODULES if name in held),
        distributions=tuple(name.upper().replace("-", "_") for name in DISTRIBUTIONS if name in held),
    )
    assert autofix.rewrite(before, known) == before


@settings(deadline=None)
@given(made=sources(), noise=st.binary(max_size=20), at=st.integers(0, 200))
def test_no_bytes_crash_the_rewriting(made: tuple[bytes, set[str]], noise: bytes, at: int) -> None:
    source = made[0][:at] + noise + made[0][at:]
    try:
        after = autofix.rewrite(source, HIDDEN)
    except ConfigError:
        return
    assert ast.dump(ast.parse(after)) == ast.dump(ast.parse(source))
    assert "app.hidden" in names(after)


def names(source: bytes) -> set[str]:
    options = options_of(source)
    spelled = {written: name for name, written in SPELLINGS.items()}
    distributions = options.get("extra_distributions", [])
    return {*options.get("extra_modules", []), *(spelled.get(name, name) for name in distributions)}


def others(source: bytes) -> dict[str, Any]:
    return {key: value for key, value in options_of(source).items() if not key.startswith("extra_")}


def options_of(source: bytes) -> dict[str, Any]:
    return dict(discover.read_block(source, "packs/a.py").options)


def without_block(after: bytes, before: bytes) -> list[bytes]:
    """What may have been around the block of `after`: with the old block in it, or without one and its empty lines."""
    if not discover.read_block(after, "packs/a.py").line:
        return [after]
    above, _, below = parted(after)
    if discover.read_block(before, "packs/a.py").line:
        return [above + parted(before)[1] + below]
    tops = [above, shortened(above), shortened(shortened(above))]
    return [top + bottom for top in tops for bottom in (below, re.sub(rb"\A(?:\r\n|\r|\n)", b"", below))]


def shortened(text: bytes) -> bytes:
    """A text without its last line end."""
    return re.sub(rb"(?:\r\n|\r|\n)\Z", b"", text)


def parted(source: bytes) -> tuple[bytes, bytes, bytes]:
    """A file's bytes above its block, the block with its markers, and the bytes below."""
    mark = BOM_UTF8 if source.startswith(BOM_UTF8) else b""
    lines = re.findall(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", source.removeprefix(mark))
    start = discover.read_block(source, "packs/a.py").line - 1
    end = next(number for number in range(start, len(lines)) if lines[number].strip() == b"# monopack-end") + 1
    return mark + b"".join(lines[:start]), b"".join(lines[start:end]), b"".join(lines[end:])


def comments(source: bytes) -> set[str]:
    """The comments in a file's managed block."""
    if not discover.read_block(source, "packs/a.py").line:
        return set()
    inside = parted(source)[1].decode("latin-1").replace("\r", "\n").split("\n")
    return {line[1:].partition("#")[2].strip() for line in inside}


# ---------------------------------------------------------------- the file

OLD, NEW = b"old\r\n", b"new\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A pack's file in a project, which is the folder `project` of `tmp_path`."""
    made = tmp_path / "project" / "packs" / "a.py"
    made.parent.mkdir(parents=True)
    made.write_bytes(OLD)
    return made


@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600, 0o664])
def test_a_saved_file_keeps_its_mode_and_leaves_nothing_behind(file: Path, mode: int) -> None:
    file.chmod(mode)
    autofix.save(file, OLD, NEW, file.parent.parent)
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (NEW, mode)
    assert [path.name for path in file.parent.iterdir()] == ["a.py"]


def test_nothing_is_written_when_nothing_changes(file: Path) -> None:
    status = file.stat()
    autofix.save(file, OLD, OLD, file.parent.parent)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (status.st_ino, status.st_mtime_ns)


def test_whoever_reads_meanwhile_sees_the_old_or_the_new_file(file: Path) -> None:
    contents = (b"# old\n" * 20_000, b"# new\n" * 20_000)
    file.write_bytes(contents[0])
    seen: set[bytes] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(file.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(100):
        autofix.save(file, contents[number % 2], contents[1 - number % 2], file.parent.parent)
    done.set()
    reader.join()
    assert seen
    assert seen <= set(contents)


def test_a_link_inside_the_project_is_followed(file: Path) -> None:
    link = file.with_name("b.py")
    link.symlink_to("a.py")
    autofix.save(link, OLD, NEW, file.parent.parent)
    assert link.is_symlink()
    assert file.read_bytes() == NEW


def test_a_project_reached_through_a_link(file: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "project")
    autofix.save(tmp_path / "link" / "packs" / "a.py", OLD, NEW, tmp_path / "project")
    assert file.read_bytes() == NEW


@pytest.mark.parametrize("through_link", [True, False], ids=["a link that leads out", "a path outside"])
def test_a_file_outside_the_project_is_refused(file: Path, tmp_path: Path, through_link: bool) -> None:
    outside = tmp_path / "outside.py"
    outside.write_bytes(OLD)
    path, where = outside, str(outside)
    if through_link:
        path, where = file.with_name("b.py"), "packs/b.py"
        path.symlink_to(outside)
    refused(path, tmp_path / "project", f"{where}: lies outside the project, so it is not edited")
    assert outside.read_bytes() == OLD


def test_a_file_that_changed_since_it_was_read_is_refused(file: Path) -> None:
    file.write_bytes(b"old\n")
    refused(file, file.parent.parent, "packs/a.py: changed since it was read, so it is not edited")
    assert file.read_bytes() == b"old\n"


def test_a_read_only_file_is_refused(file: Path) -> None:
    file.chmod(0o444)
    refused(file, file.parent.parent, "packs/a.py: is read-only, so it is not edited")
    assert file.read_bytes() == OLD


def test_a_file_that_is_gone_is_refused(file: Path) -> None:
    file.unlink()
    refused(file, file.parent.parent, f"packs/a.py: cannot be written: {os.strerror(errno.ENOENT)}")
    assert not list(file.parent.iterdir())


def test_a_full_disk_leaves_the_file_as_it_was(file: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)  # stands for a disk without room
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(NEW) - 1, limits[1]))
    try:
        refused(file, file.parent.parent, f"packs/a.py: cannot be written: {os.strerror(errno.EFBIG)}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_bytes() == OLD
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may give files to others")
def test_a_saved_file_keeps_its_owner(file: Path) -> None:
    os.chown(file, 12345, 54321)
    autofix.save(file, OLD, NEW, file.parent.parent)
    assert (file.read_bytes(), file.stat().st_uid, file.stat().st_gid) == (NEW, 12345, 54321)


def test_a_file_that_cannot_be_written_stays_as_it_was(file: Path) -> None:
    long = file.rename(file.with_name("a" * 250 + ".py"))  # no room for the name of the temporary file
    refused(long, file.parent.parent, f"packs/{long.name}: cannot be written: {os.strerror(errno.ENAMETOOLONG)}")
    assert long.read_bytes() == OLD
    assert list(file.parent.iterdir()) == [long]


def refused(path: Path, root: Path, what: str) -> None:
    with pytest.raises(PackError) as caught:
        autofix.save(path, OLD, NEW, root)
    assert str(caught.value) == what
    assert caught.value.hint


def test_a_saved_block_is_found_by_the_next_run(file: Path) -> None:
    root = file.parent.parent
    source = b'"""A pack."""\n'
    file.write_bytes(source)
    autofix.save(file, source, autofix.rewrite(source, HIDDEN), root)
    (pack,) = discover.packs(root, file.parent, (".",), None)
    assert (dict(pack.block), pack.block_line) == ({"extra_modules": ["app.hidden"]}, 3)


# ---------------------------------------------------------------- the change, shown


def test_the_change_is_shown_as_a_unified_diff() -> None:
    before = "# coding: latin-1\r\nx = 'é'".encode("latin-1")
    after = autofix.rewrite(before, HIDDEN)
    assert autofix.diff("packs/a.py", before, after).split("\n") == [
        "--- packs/a.py",
        "+++ packs/a.py",
        "@@ -1,2 +1,7 @@",
        " # coding: latin-1",
        "+",
        "+# monopack-start",
        '+# extra_modules = ["app.hidden"]',
        "+# monopack-end",
        "+",
        " x = 'é'",
        "\\ No newline at end of file",
        "",
    ]


def test_no_change_is_an_empty_diff() -> None:
    assert autofix.diff("packs/a.py", OLD, OLD) == ""
