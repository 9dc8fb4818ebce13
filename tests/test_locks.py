"""Locks: pins are read as the package managers mean them, and what cannot be read is refused with its place and a way out."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import default_environment
from packaging.tags import Tag, sys_tags
from wheels import make_wheel

from monopack import locks
from monopack.errors import LockError
from monopack.model import Lock, Pin, Target
from monopack.run import Door
from monopack.store import own_files

CASES = Path(__file__).parent / "cases" / "locks"
HASH_A, HASH_B = ("sha256:" + digit * 64 for digit in "ab")
LINUX = {
    "implementation_name": "cpython", "implementation_version": "3.12.1", "os_name": "posix", "platform_machine": "x86_64",
    "platform_python_implementation": "CPython", "platform_release": "", "platform_system": "Linux", "platform_version": "",
    "python_full_version": "3.12.1", "python_version": "3.12", "sys_platform": "linux",
}  # fmt: skip
WINDOWS = {**LINUX, "os_name": "nt", "platform_machine": "AMD64", "platform_system": "Windows", "sys_platform": "win32"}


def target(markers: Mapping[str, str] = LINUX, version: str = "3.12.1") -> Target:
    """A target that is not this machine: a lock is read for it all the same."""
    return Target(
        name="test-target", python=sys.executable, version=version, markers=markers, tags=(Tag("py3", "none", "any"),),
        stdlib=frozenset(), builtins=frozenset(), chosen_by="a test",
    )  # fmt: skip


def host() -> Target:
    """The Python that runs the tests, as a target."""
    markers = {name: str(text) for name, text in default_environment().items()}
    return replace(target(markers, markers["python_full_version"]), name="host", tags=tuple(sys_tags()))


def read(root: Path, manager: str = "auto", markers: Mapping[str, str] = LINUX) -> Lock:
    source = locks.find(root, manager)
    assert source is not None
    return locks.read(source, root, target(markers))


def write(root: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def refused(root: Path, manager: str = "auto") -> tuple[str, str]:
    """The whole message and the hint of the refusal."""
    with pytest.raises(LockError) as caught:
        read(root, manager)
    return str(caught.value), caught.value.hint


# ---------------------------------------------------------------- cases


def shape(lock: Lock, root: Path) -> dict[str, Any]:
    """A lock as JSON values without what is empty; the project's root is written `ROOT`."""
    whole = {
        "pins": {name: pin_shape(pin) for name, pin in lock.pins.items()},
        "index_options": list(lock.index_options), "loose": list(lock.loose), "warnings": list(lock.warnings),
        "indexes": dict(lock.indexes), "local": dict(lock.local),
    }  # fmt: skip
    text = json.dumps({key: content for key, content in whole.items() if content})
    placed: dict[str, Any] = json.loads(text.replace(root.parent.as_uri(), "file:PARENT"))
    return placed


def pin_shape(pin: Pin) -> dict[str, Any]:
    parts = {
        "version": pin.version, "evidence": str(pin.evidence), "extras": sorted(pin.extras), "hashes": sorted(pin.hashes),
        "wheels": [f"{file.filename} {file.url} {file.hash}".strip() for file in pin.wheels], "url": pin.url,
        "sdist": pin.sdist, "index": pin.index, "test_extras": sorted(pin.test_extras), "development": pin.development,
        "any_extras": pin.any_extras,
    }  # fmt: skip
    return {key: content for key, content in parts.items() if content}


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_a_case_folder_gives_its_expected_lock(case: str) -> None:
    root = CASES / case
    expected = json.loads((root / "expected.json").read_text("utf-8"))
    found = shape(read(root), root)
    assert found == expected
    assert list(found.get("pins", ())) == list(expected.get("pins", ())), "pins keep the lock's own order"


def test_markers_are_those_of_the_target_not_of_this_machine() -> None:
    on_windows = read(CASES / "requirements_plain", markers=WINDOWS).pins
    assert on_windows["pywin32"].version == "306"
    assert "tomli" not in on_windows
    assert "colorama" in read(CASES / "uv_project", markers=WINDOWS).pins


# ---------------------------------------------------------------- finding


def test_a_project_without_a_lock_is_fine(tmp_path: Path) -> None:
    assert locks.find(write(tmp_path, {"pyproject.toml": ""}), "auto") is None


FILES = [
    ("uv.lock", "uv", "uv"), ("requirements.txt", "requirements", "pip"), ("poetry.lock", "poetry", "poetry"),
    ("Pipfile.lock", "pipenv", "pipenv"), ("pdm.lock", "pdm", "pdm"), ("pylock.toml", "pylock", "pylock"),
    ("pylock.lambda.toml", "pylock", "pylock.lambda"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "dialect", "manager"), FILES)
def test_the_only_lock_is_found_and_the_choice_explained(tmp_path: Path, file: str, dialect: str, manager: str) -> None:
    write(tmp_path, {file: "", "conda.lock": ""})
    found = locks.find(tmp_path, "auto")
    assert found == locks.Source(dialect=dialect, path=file, note=f"{file}, the only dependency source there is")
    write(tmp_path, dict.fromkeys((name for name, _, _ in FILES), ""))
    asked = locks.find(tmp_path, manager)
    assert asked == locks.Source(dialect=dialect, path=file, note=f"{file}, since the package manager is {manager}")


FINDING = {
    "both": (
        ("uv.lock", "requirements.txt"), "auto",
        "uv.lock and requirements.txt are both here, and either could hold the pins",
        "choose one: --package-manager uv or --package-manager pip",
    ),
    "exported": (
        ("poetry.lock", "requirements.txt", "pyproject.toml"), "auto",
        "poetry.lock and requirements.txt are both here, and either could hold the pins",
        "choose one: --package-manager poetry or --package-manager pip",
    ),
    "three": (
        ("uv.lock", "Pipfile.lock", "requirements.txt"), "auto",
        "uv.lock, Pipfile.lock and requirements.txt are all here, and each could hold the pins",
        "choose one: --package-manager uv or --package-manager pipenv or --package-manager pip",
    ),
    "poetry-without": (
        ("requirements.txt",), "poetry", "poetry.lock: is missing, and the package manager is poetry",
        "create it in the project's root, or use --package-manager auto",
    ),
    "exported-pylock": (
        ("pdm.lock", "pylock.toml"), "auto", "pdm.lock and pylock.toml are both here, and either could hold the pins",
        "choose one: --package-manager pdm or --package-manager pylock",
    ),
    "named-pylocks": (
        ("pylock.dev.toml", "pylock.lambda.toml"), "auto",
        "pylock.dev.toml and pylock.lambda.toml are both here, and either could hold the pins",
        "choose one: --package-manager pylock.dev or --package-manager pylock.lambda",
    ),
    "named-pylocks-asked-for": (
        ("pylock.dev.toml", "pylock.lambda.toml"), "pylock", "pylock.dev.toml and pylock.lambda.toml could each hold the pins",
        "choose one: --package-manager pylock.dev or --package-manager pylock.lambda",
    ),
    "pylock-of-that-name": (
        ("pylock.toml",), "pylock.lambda", "pylock.lambda.toml: is missing, and the package manager is pylock.lambda",
        "create it in the project's root, or use --package-manager auto",
    ),
    "pip-without": (
        ("uv.lock",), "pip", "requirements.txt: is missing, and the package manager is pip",
        "create it in the project's root, or use --package-manager auto",
    ),
    "uv-without": (
        ("requirements.txt",), "uv", "uv.lock: is missing, and the package manager is uv",
        "create it in the project's root, or use --package-manager auto",
    ),
    "unknown": (
        ("requirements.txt",), "conda", "locks of the package manager conda are not read yet",
        "use one of: auto, pdm, pip, pipenv, poetry, pylock, uv",
    ),
}  # fmt: skip


def test_under_its_usual_name_a_pylock_comes_before_named_ones(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys(("pylock.toml", "pylock.dev.toml"), ""))
    found = locks.find(tmp_path, "auto")
    assert found
    assert found.path == "pylock.toml"


@pytest.mark.parametrize("name", FINDING)
def test_what_cannot_be_chosen_is_refused(tmp_path: Path, name: str) -> None:
    files, manager, message, hint = FINDING[name]
    assert refused(write(tmp_path, dict.fromkeys(files, "")), manager) == (message, hint)


# ---------------------------------------------------------------- requirements: refusals

WANTED = "though other lines have a --hash, or --require-hashes asks for them"
HASHES_HINT = "give every line its hashes (`uv pip compile --generate-hashes` does), or none"
CODE_HINT = "publish it as a wheel, or put its code into this repository"
NAME_HINT = "name it: `NAME @ git+https://...@COMMIT`, or publish it as a wheel, or put its code into this repository"
COMMIT = "0123456789abcdef" * 2 + "01234567"
TWO_LINES = "change or remove one of the two lines"
REFUSED: dict[str, tuple[dict[str, str], str, str]] = {
    "twice": (
        {"requirements.txt": "idna==3.7\nsix==1\nIdna==3.6\n"},
        "requirements.txt:3: idna cannot be pinned: idna==3.7 (requirements.txt:1) contradicts Idna==3.6 (requirements.txt:3)",
        TWO_LINES,
    ),
    "excluded": (
        {"requirements.txt": "-r sub/more.txt\nidna<3\n", "sub/more.txt": "\nidna==3.7"},
        "requirements.txt:2: idna cannot be pinned: idna==3.7 (sub/more.txt:2) contradicts idna<3 (requirements.txt:2)",
        TWO_LINES,
    ),
    "constraint": (
        {"requirements.txt": "-c c.txt\nidna==3.7\n", "c.txt": "idna==3.6"},
        "c.txt:1: idna cannot be pinned: idna==3.7 (requirements.txt:2) contradicts idna==3.6 (c.txt:1)",
        TWO_LINES,
    ),
    "not-a-requirement": (
        {"requirements.txt": "# first\nidna=3.7\n"},
        "requirements.txt:2: is not a requirement: idna=3.7",
        "Invalid requirement: = is not a valid operator. Did you mean == ?",
    ),
    "unknown-option": (
        {"requirements.txt": "--no-such-option https://user:secret@index.example/simple\n"},
        "requirements.txt:1: is not a requirement: --no-such-option https://index.example/simple",
        "pip_requirements_parser: error: no such option: --no-such-option",
    ),
    "lost-hash": (
        {"requirements.txt": f"idna==3.7\n    --hash={HASH_A}\n"},
        f"requirements.txt:2: is not a requirement: --hash={HASH_A}",
        "an option without its requirement; does the line before it end with a backslash?",
    ),
    "weak-hash": (
        {"requirements.txt": "idna==3.7 --hash=md5:00\n"},
        "requirements.txt:1: is not a requirement: idna==3.7 --hash=md5:00",
        "--hash=md5:00 is not a sha256, sha384 or sha512 in hex",
    ),
    "option-in-line": (
        {"requirements.txt": "idna==3.7 --index-url https://index.example/simple\n"},
        "requirements.txt:1: is not a requirement: idna==3.7 --index-url https://index.example/simple",
        "this option cannot stand in a requirement's line",
    ),
    "missing-hash": (
        {"requirements.txt": f"idna==3.7 --hash={HASH_A}\nsix==1.16.0\n"},
        f"requirements.txt:2: six 1.16.0 has no --hash, {WANTED}",
        HASHES_HINT,
    ),
    "hash-in-constraint": (
        {"requirements.txt": "-c c.txt\nidna\nsix==1.16.0\n", "c.txt": f"idna==3.7 --hash={HASH_A}\n"},
        f"requirements.txt:3: six 1.16.0 has no --hash, {WANTED}",
        HASHES_HINT,
    ),
    "loose-beside-hash": (
        {"requirements.txt": f"idna==3.7 --hash={HASH_A}\nsix[a]>1\n"},
        f"requirements.txt:2: six[a]>1 is not pinned, {WANTED}",
        HASHES_HINT,
    ),
    "required-hash": (
        {"requirements.txt": "--require-hashes\nidna==3.7\n"},
        f"requirements.txt:2: idna 3.7 has no --hash, {WANTED}",
        HASHES_HINT,
    ),
    "missing-nested": (
        {"requirements.txt": "-r sub/more.txt\n", "sub/more.txt": "six==1\n-r gone.txt\n"},
        "sub/more.txt:2: includes gone.txt, which does not exist",
        "paths after -r and -c start at this file",
    ),
    "cycle": (
        {"requirements.txt": "-r sub/more.txt\n", "sub/more.txt": "six==1\n-r ../requirements.txt\n"},
        "sub/more.txt:2: includes ../requirements.txt, which leads back here",
        "remove this line",
    ),
    "nested-url": (
        {"requirements.txt": "-r https://user:secret@index.example/r.txt\n"},
        "requirements.txt:1: includes https://index.example/r.txt: requirements from a URL are not read yet",
        "download it, and include the copy",
    ),
    "git-without-a-name": (
        {"requirements.txt": "git+https://user:secret@git.example/lib@main\n"},
        "requirements.txt:1: git+https://git.example/lib@main: a requirement from git is not read yet",
        NAME_HINT,
    ),
    "mercurial": (
        {"requirements.txt": "lib @ hg+https://hg.example/lib@0123\n"},
        "requirements.txt:1: lib @ hg+https://hg.example/lib@0123: a requirement from hg is not read yet",
        NAME_HINT,
    ),
    "git-beside-hashes": (
        {"requirements.txt": f"lib @ git+https://git.example/lib@{COMMIT}\nsix==1 --hash={HASH_A}\n"},
        f"requirements.txt:1: lib has no --hash, {WANTED}",
        HASHES_HINT,
    ),
    "no-such-folder": (
        {"requirements.txt": "six==1\n-e ./member\n"},
        "requirements.txt:2: names member, which does not exist",
        "paths in requirements start at the project's root, as with pip run there",
    ),
    "no-such-wheel": (
        {"requirements.txt": "./wheels/six-1.0-py3-none-any.whl\n"},
        "requirements.txt:1: names wheels/six-1.0-py3-none-any.whl, which does not exist",
        "paths in requirements start at the project's root, as with pip run there",
    ),
    "no-version": (
        {"requirements.txt": "https://index.example/archive/main.zip\n"},
        "requirements.txt:1: https://index.example/archive/main.zip: the file's name does not tell what it is",
        "name it: `NAME @ https://...`",
    ),
    "two-files": (
        {"requirements.txt": "lib @ https://a.example/lib-1.0.tar.gz\nlib @ https://b.example/lib-1.0.tar.gz\n"},
        (
            "requirements.txt:2: lib cannot be pinned: lib @ https://a.example/lib-1.0.tar.gz (requirements.txt:1)"
            " contradicts lib @ https://b.example/lib-1.0.tar.gz (requirements.txt:2)"
        ),
        TWO_LINES,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_requirements_that_cannot_be_used_are_refused_at_their_line(tmp_path: Path, name: str) -> None:
    files, message, hint = REFUSED[name]
    found, way_out = refused(write(tmp_path, files))
    assert found == message
    assert way_out.startswith(hint)  # a library's reason may go on


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(
        b"\xef\xbb\xbfidna==3.7 \\\r\n    --hash=" + HASH_A.encode() + b"\r\n-r m\xc3\xb6re.txt\r\n"
    )
    (tmp_path / "m\u00f6re.txt").write_bytes(b"six==1.16.0 --hash=" + HASH_B.encode())
    pins = read(tmp_path).pins
    assert [(pin.name, pin.version, *pin.hashes) for pin in pins.values()] == [("idna", "3.7", HASH_A), ("six", "1.16.0", HASH_B)]
    assert str(pins["six"].evidence) == "m\u00f6re.txt:1"


def test_utf_16_is_refused_with_the_usual_cause(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes("idna==3.7\n".encode("utf-16"))
    hint = "save it as UTF-8 (a `>` in PowerShell may write UTF-16)"
    assert refused(tmp_path) == ("requirements.txt: is not UTF-8: byte 0 cannot be decoded", hint)


LINES = ["idna==3.7", "requests[socks]==2.32.3", 'six==1.16.0; python_version > "3"', "Zope.Interface == 7.2", "urllib3>=2"]


@given(lines=st.permutations(LINES), seed=st.integers(0, 2**32))
def test_order_comments_blank_lines_and_continuations_do_not_change_the_pins(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], seed: int
) -> None:
    chance = random.Random(seed)
    end = chance.choice(["\n", "\r\n"])
    noise = ["", "# idna==1.0", "   ", f"# a comment that ends in a backslash \\{end}"]
    broken = [line.replace("==", f"\\{end}==") if chance.random() < 0.5 else line for line in lines]
    text = end.join(
        part for line in broken for part in (*chance.sample(noise, chance.randint(0, 2)), line + chance.choice(["", "  # why"]))
    )
    root = tmp_path_factory.mktemp("shuffled")
    (root / "requirements.txt").write_bytes(text.encode())
    lock = read(root)
    assert {name: (pin.version, pin.extras) for name, pin in lock.pins.items()} == {
        "idna": ("3.7", frozenset()), "requests": ("2.32.3", {"socks"}), "six": ("1.16.0", frozenset()),
        "zope-interface": ("7.2", frozenset()),
    }  # fmt: skip
    assert lock.loose == ("urllib3>=2",)


# ---------------------------------------------------------------- uv.lock

RELOCK = "run `uv lock` again"
APP = '[[package]]\nname = "app"\nversion = "1"\nsource = { virtual = "." }\n'
REGISTRY = 'source = { registry = "https://index.example/simple" }\n'
IDNA = f'[[package]]\nname = "idna"\nversion = "3.7"\n{REGISTRY}'
GIT = '[[package]]\nname = "lib"\nversion = "1"\nsource = { git = "https://git.example/lib?rev=main" }\n'
CONFLICT = 'conflicts = [[{ package = "app", extra = "a" }, { package = "app", extra = "b" }]]\n'
EXTRAS = """[package.optional-dependencies]
a = [{ name = "idna", version = "3.7" }]
b = [{ name = "idna", version = "3.8", marker = "extra == 'extra-3-app-b'" }]
"""
UV_REFUSED = {
    "newer": (
        "# made tomorrow\nversion = 2\n", "uv.lock:2: lock version 2 is not known, only 1",
        "use a uv that writes lock version 1, or a newer monopack",
    ),
    "no-version": (
        "", "uv.lock:1: lock version None is not known, only 1", "use a uv that writes lock version 1, or a newer monopack",
    ),
    "cut-off": (
        f'version = 1\n\n{APP}dependencies = [\n    {{ name = "id', "uv.lock:8: is not TOML: Unterminated string",
        f"is it cut off or half merged? {RELOCK}",
    ),
    "conflict-marks": (
        "version = 1\n<<<<<<< HEAD\n", "uv.lock:2: is not TOML: Invalid statement", f"is it cut off or half merged? {RELOCK}",
    ),
    "other-shape": (
        f'version = 1\n{APP}dependencies = "idna"\n',
        "uv.lock: is not what uv writes: package.0.dependencies: Input should be a valid tuple", RELOCK,
    ),
    "git": (
        f'version = 1\n{APP}dependencies = [{{ name = "lib" }}]\n{GIT}',
        "uv.lock:8: lib comes from Git, and no commit is locked for it", RELOCK,
    ),
    "nothing-there": (
        f'version = 1\n{APP}dependencies = [{{ name = "idna", version = "3.8" }}]\n{IDNA}',
        "uv.lock: has no package for the dependency idna 3.8 on target test-target", RELOCK,
    ),
    "two-forks": (
        f'version = 1\n{APP}dependencies = [{{ name = "idna" }}]\n{IDNA}{IDNA.replace("3.7", "3.8")}',
        "uv.lock: has 2 packages for the dependency idna on target test-target", RELOCK,
    ),
    "conflicting-extras": (
        f"version = 1\n{CONFLICT}{APP}{EXTRAS}{IDNA}{IDNA.replace('3.7', '3.8')}",
        "uv.lock:15: idna is reached as 3.7 and as 3.8 (uv.lock:11)",
        "extras or groups that conflict ask for them: choose with extras and groups in monopack.toml",
    ),
    "other-python": (
        'version = 1\nrequires-python = ">=3.13"\n', "uv.lock: holds for Python >=3.13, not for 3.12.1 (target test-target)",
        "choose another target or Python, or change requires-python and lock again",
    ),
    "other-platform": (
        "version = 1\nsupported-markers = [\"sys_platform == 'win32'\", \"sys_platform == 'darwin'\"]\n",
        "uv.lock: was not resolved for target test-target, only for sys_platform == 'win32' or sys_platform == 'darwin'",
        "add the target to [tool.uv] environments and lock again",
    ),
    "bad-marker": (
        f'version = 1\n{APP}dependencies = [{{ name = "idna", marker = "sys_platform = 1" }}]\n{IDNA}',
        "uv.lock: is not what uv writes: Expected marker operator, one of <=, <, !=, ==, >=, >, ~=, ===, in, not in", RELOCK,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UV_REFUSED)
def test_a_uv_lock_that_cannot_be_used_is_refused(tmp_path: Path, name: str) -> None:
    text, message, hint = UV_REFUSED[name]
    assert refused(write(tmp_path, {"uv.lock": text})) == (message, hint)


@pytest.mark.parametrize("case", ["uv_project", "uv_forks", "uv_sources"])
@given(seed=st.integers(0, 2**32))
def test_the_order_of_packages_in_a_uv_lock_does_not_change_the_pins(
    tmp_path_factory: pytest.TempPathFactory, case: str, seed: int
) -> None:
    head, *packages = (CASES / case / "uv.lock").read_text("utf-8").split("[[package]]\n")
    random.Random(seed).shuffle(packages)
    root = tmp_path_factory.mktemp("parent") / case
    write(root, {"uv.lock": "[[package]]\n".join([head, *(f"{package.rstrip()}\n\n" for package in packages)])})
    found, expected = shape(read(root), root), json.loads((CASES / case / "expected.json").read_text("utf-8"))
    for pin in (*found["pins"].values(), *expected["pins"].values()):
        del pin["evidence"]
    assert found == expected


UV_CHANGES = {  # of the case, as `uv lock --check` takes them: file, what is there, and what takes its place
    "a-version": ("pyproject.toml", "iniconfig>=1.0", "iniconfig>=1.1"),
    "a-marker": ("pyproject.toml", "python_version < '3.12'", "python_version < '3.13'"),
    "a-removed-dependency": ("pyproject.toml", '"ext", "click', '"click'),
    "an-extra-of-a-dependency": ("pyproject.toml", '"b[x]"', '"b"'),
    "an-extra": ("pyproject.toml", '["attrs"]', '["attrs", "six"]'),
    "a-group": ("pyproject.toml", '"pluggy", ', '"pluggy>=1", '),
    "a-group-in-a-group": ("pyproject.toml", '["packaging"]', '["packaging", "six"]'),
    "older-development-dependencies": ("pyproject.toml", '["wheel"]', "[]"),
    "a-constraint": ("pyproject.toml", '"idna<4"', '"idna<5"'),
    "an-override": ("pyproject.toml", '"attrs>=20"', '"attrs>=21"'),
    "pythons": ("pyproject.toml", ">=3.9,<3.14", ">=3.9"),
    "a-source": ("pyproject.toml", 'path = "ext", editable = true', 'git = "https://git.example/ext", rev = "v1"'),
    "a-name": ("pyproject.toml", "Shop.App", "Other"),
    "a-member": ("libs/a/pyproject.toml", "click>8", "click>8.1"),
    "a-new-member": ("pyproject.toml", 'members = ["libs/*"]', 'members = ["libs/*", "ext"]'),
    "a-path-dependency": ("ext/pyproject.toml", "colorama", "six"),
}
UV_SAME = {
    "order": ("pyproject.toml", ">=1.0,<3", "<3,>=1"),
    "words-of-a-marker": ("pyproject.toml", "platform_system == 'Linux'", "'linux' == sys_platform"),
    "a-marker-that-always-holds": ("pyproject.toml", "click; python_version >= '3.8'", "click"),
    "spelling": ("pyproject.toml", "Shop.App[More_Things]", "shop_app[more-things]"),
    "pythons-of-other-members": ("pyproject.toml", ">=3.9,<3.14", ">=3.8,!=3.10.2,<3.14"),
    "members-by-name": ("pyproject.toml", '"libs/*"', '"libs/a", "libs/b"'),
    "other-tools": ("pyproject.toml", "[tool.uv]\n", '[tool.other]\nname = "x"\n[tool.uv]\n'),
    "what-cannot-be-read": ("ext/pyproject.toml", "colorama", "color ama"),
}


def stale_after(root: Path, change: tuple[str, str, str]) -> str:
    """What a lock says of itself after a change in a file of the workspace."""
    shutil.copytree(CASES / "uv_workspace", root)
    file, there, instead = change
    text = (root / file).read_text("utf-8")
    assert there in text
    write(root, {file: text.replace(there, instead)})
    lock = read(root)
    assert lock.warnings == ((lock.stale,) if lock.stale else ())
    return lock.stale


@pytest.mark.parametrize("name", UV_CHANGES)
def test_a_manifest_that_changed_since_uv_locked_it_is_told(tmp_path: Path, name: str) -> None:
    stale = stale_after(tmp_path / "project", UV_CHANGES[name])
    assert stale == f"uv.lock is older than what {UV_CHANGES[name][0]} asks for now: run `uv lock` again"


@pytest.mark.parametrize("name", UV_SAME)
def test_a_manifest_that_says_the_same_in_other_words_is_not_stale(tmp_path: Path, name: str) -> None:
    assert stale_after(tmp_path / "project", UV_SAME[name]) == ""


def test_branches_and_urls_in_a_manifest_are_those_that_uv_locked(tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(CASES / "uv_git", root)
    manifest = (CASES / "pdm_git" / "pyproject.toml").read_text("utf-8")
    write(root, {"pyproject.toml": manifest})
    assert read(root).stale == ""
    for there, instead in (("@v1", "@v2"), ("subdirectory=sub", "subdirectory=other"), ("yaml_thing-3.1", "yaml_thing-3.2")):
        write(root, {"pyproject.toml": manifest.replace(there, instead)})
        assert read(root).stale == "uv.lock is older than what pyproject.toml asks for now: run `uv lock` again"


# ---------------------------------------------------------------- poetry.lock

POETRY_RELOCK = "run `poetry lock` again"
ROOT_OF = '[tool.poetry.dependencies]\npython = "^3.9"\n'


def packages(*given: str, version: str = "2.0", python: str = "^3.9") -> str:
    """A lock of packages, each `name version` and more lines."""
    heads = (text.partition("\n")[::2] for text in given)
    parts = [
        f'[[package]]\nname = "{head.split()[0]}"\nversion = "{head.split()[1]}"\npython-versions = "*"\n{rest}\n'
        for head, rest in heads
    ]
    return "".join(parts) + f'[metadata]\nlock-version = "{version}"\npython-versions = "{python}"\n'


def legacy(name: str) -> str:
    return f'[package.source]\ntype = "legacy"\nurl = "https://{name}.example/simple"\nreference = "{name}"\n'


HASHED = f'files = [{{file = "f.whl", hash = "{HASH_A}"}}]\n'
ONE, TWO, THREE = (f"https://{name}.example/simple" for name in ("one", "two", "three"))
POETRY_REFUSED = {
    "newer": (
        "", packages(version="3.0"), "poetry.lock:2: lock version 3.0 is not known, only 1.1, 2.0, 2.1",
        "use a poetry that writes one of them, or a newer monopack",
    ),
    "no-version": (
        "", "", "poetry.lock:1: lock version None is not known, only 1.1, 2.0, 2.1",
        "use a poetry that writes one of them, or a newer monopack",
    ),
    "conflict-marks": (
        "", "[[package]]\n<<<<<<< HEAD\n", "poetry.lock:2: is not TOML: Invalid statement",
        f"is it cut off or half merged? {POETRY_RELOCK}",
    ),
    "other-shape": (
        "", packages("idna 3.7\nfiles = 7"),
        "poetry.lock: is not what poetry writes: package.0.files: Input should be a valid tuple", POETRY_RELOCK,
    ),
    "broken-manifest": (
        "[tool.poetry\n", packages(), "pyproject.toml:1: is not TOML: Expected ']' at the end of a table declaration",
        "is it cut off or half merged? correct it",
    ),
    "odd-manifest": (
        '[tool.poetry]\ndependencies = "idna"\n', packages(),
        "pyproject.toml: is not what poetry reads: tool.poetry.dependencies: Input should be a valid tuple",
        "`poetry check` tells more",
    ),
    "git": (
        f'{ROOT_OF}lib = "*"\n', packages('idna 1', 'lib 1\n[package.source]\ntype = "git"\nurl = "https://git.example/lib"'),
        "poetry.lock:7: lib comes from Git, and no commit is locked for it", POETRY_RELOCK,
    ),
    "other-python": (
        "", packages(python=">=3.13,<4 || ~3.9"),
        "poetry.lock: holds for Python >=3.13,<4 || ~3.9, not for 3.12.1 (target test-target)",
        "choose another target or Python, or change the python constraint and lock again",
    ),
    "no-fork-fits": (
        f'{ROOT_OF}idna = "^2"\n', packages("idna 3.7", "idna 3.8"),
        "poetry.lock: has 2 packages for the dependency idna ^2 on target test-target, and none fits", POETRY_RELOCK,
    ),
    "conflicting-extras": (
        "", packages(
            "idna 3.7\ngroups = [\"main\"]\nmarkers = 'extra == \"a\"'",
            "idna 3.8\ngroups = [\"main\"]\nmarkers = 'extra == \"b\"'",
            "six 1\ngroups = []\n[extras]\na = [\"idna\"]\nb = [\"idna\"]", version="2.1",
        ),
        "poetry.lock:8: idna is reached as 3.7 and as 3.8 (poetry.lock:2)",
        "extras or groups that conflict ask for them: choose with extras and groups in monopack.toml",
    ),
    "bad-marker": (
        "", packages('idna 3.7\ngroups = ["main"]\nmarkers = "sys_platform = 1"', version="2.1"),
        "poetry.lock: is not what poetry writes: Expected marker operator, one of <=, <, !=, ==, >=, >, ~=, ===, in, not in",
        POETRY_RELOCK,
    ),
    "bad-constraint": (
        f'{ROOT_OF}idna = "newest"\n', packages("idna 3.7", "idna 3.8"),
        "poetry.lock: is not what poetry writes: Invalid specifier: '==newest'", POETRY_RELOCK,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", POETRY_REFUSED)
def test_a_poetry_lock_that_cannot_be_used_is_refused(tmp_path: Path, name: str) -> None:
    manifest, lock, message, hint = POETRY_REFUSED[name]
    assert refused(write(tmp_path, {"pyproject.toml": manifest, "poetry.lock": lock})) == (message, hint)


def test_a_poetry_lock_needs_the_manifest_that_says_what_is_asked_for(tmp_path: Path) -> None:
    message, _ = refused(write(tmp_path, {"poetry.lock": packages()}))
    assert message == "pyproject.toml: cannot be read: No such file or directory"


VERSIONS = ("0.0", "0.0.3", "0.0.9", "0.2.3", "0.2.9", "0.3", "1.2.3", "1.2.9", "1.9", "2.0", "2.1.post1")
CONSTRAINTS = {
    "^1.2.3": "1.9", "^1.2": "1.9", "^1": "1.9", "^0.2.3": "0.2.9", "^0.0.3": "0.0.3", "^0.0": "0.0.9", "^0": "0.3",
    "~1.2.3": "1.2.9", "~1.2": "1.2.9", "~1": "1.9", "1.2.*": "1.2.9", "*": "2.1.post1", "1.2.3": "1.2.3", "==1.9": "1.9",
    ">=1,<2": "1.9", ">= 1, < 1.9": "1.2.9", ">=0.2 <0.3": "0.2.9", "<0.1 || ^0.2": "0.2.9", "<0.1|~1.2": "1.2.9",
    "!=2.1.post1": "2.0", "~=1.2.0": "1.2.9", "<1.2.3,!=0.3": "0.2.9",
}  # fmt: skip


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_of_several_versions_the_highest_that_a_constraint_allows_is_taken(tmp_path: Path, constraint: str) -> None:
    lock = packages(*(f"idna {version}" for version in VERSIONS))
    write(tmp_path, {"pyproject.toml": f'{ROOT_OF}idna = "{constraint}"\n', "poetry.lock": lock})
    assert {name: pin.version for name, pin in read(tmp_path).pins.items()} == {"idna": CONSTRAINTS[constraint]}


@pytest.mark.parametrize(
    ("python", "ships"), [("3.12", True), ("3.11", False), ("^3.9", True), ("<3.12", False), ("!=3.12.1", False), ("~3.12", True)]
)
def test_a_python_constraint_in_poetrys_words_is_about_the_target(tmp_path: Path, python: str, ships: bool) -> None:
    manifest = f'{ROOT_OF}idna = {{ version = "*", python = "{python}" }}\n'
    assert ("idna" in read(write(tmp_path, {"pyproject.toml": manifest, "poetry.lock": packages("idna 1")})).pins) is ships


OLD = {**LINUX, "implementation_version": "3.9.18", "python_full_version": "3.9.18", "python_version": "3.9"}


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("poetry_11", {"idna": "3.4", "six": "1.17.0"}),
        ("poetry_20", {"idna": "3.4", "tomli": "2.5.0", "exceptiongroup": "1.3.1", "pytest": "8.4.2", "zipp": "3.23.1"}),
        ("poetry_21", {"idna": "3.4", "tomli": "2.5.0", "requests": "2.32.5", "urllib3": "2.6.3", "pytest": "8.4.2"}),
        ("poetry_forks", {"inner": "1.9", "outer": "1.4.2"}),
    ],
)
def test_forks_of_a_poetry_lock_follow_the_target(case: str, expected: Mapping[str, str]) -> None:
    lock = locks.read(locks.Source(dialect="poetry", path="poetry.lock", note=""), CASES / case, target(OLD, "3.9.18"))
    found = {name: pin.version for name, pin in lock.pins.items()}
    assert {name: found.get(name) for name in expected} == expected


def test_a_package_may_have_another_marker_in_each_group(tmp_path: Path) -> None:
    markers = """groups = ["main", "test"]\nmarkers = { main = "sys_platform == 'win32'", test = "sys_platform == 'linux'" }\n"""
    write(tmp_path, {"pyproject.toml": ROOT_OF, "poetry.lock": packages(f"six 1\n{markers}", version="2.1")})
    assert read(tmp_path).pins["six"].development
    assert not read(tmp_path, markers=WINDOWS).pins["six"].development
    assert read(tmp_path, markers={**LINUX, "sys_platform": "darwin"}).pins == {}


DEVELOPMENT = f"""{ROOT_OF}idna = {{ version = "*", extras = ["x"] }}
[tool.poetry.group.dev.dependencies]
six = {{ version = "*", extras = ["y"] }}
idna = {{ version = "*", extras = ["test", "x"] }}
"""
BOTH_GROUPS = packages('idna 1\ngroups = ["main", "dev"]', 'six 1\ngroups = ["dev"]', version="2.1")


@pytest.mark.parametrize("lock", [packages("idna 1", "six 1"), BOTH_GROUPS], ids=["2.0", "2.1"])
def test_extras_that_only_a_development_group_asks_for_are_for_tests(tmp_path: Path, lock: str) -> None:
    pins = read(write(tmp_path, {"pyproject.toml": DEVELOPMENT, "poetry.lock": lock})).pins
    assert {name: (pin.development, set(pin.extras), set(pin.test_extras)) for name, pin in pins.items()} == {
        "idna": (False, {"x"}, {"test"}), "six": (True, {"y"}, set()),
    }  # fmt: skip


@pytest.mark.parametrize("case", ["poetry_20", "poetry_21", "poetry_21_groups"])
def test_a_manifest_that_changed_since_is_told(tmp_path: Path, case: str) -> None:
    root = tmp_path / case
    shutil.copytree(CASES / case, root)
    assert read(root).warnings == ()
    manifest = (root / "pyproject.toml").read_text("utf-8")
    write(root, {"pyproject.toml": f"{manifest}\n[tool.other]\nx = 1\n"})
    assert read(root).warnings == (), "what poetry does not read makes no lock old"
    write(root, {"pyproject.toml": f'{manifest}\n[tool.poetry.group.new.dependencies]\nsix = "*"\n'})
    assert read(root).warnings == ("poetry.lock is older than what pyproject.toml asks for now: run `poetry lock` again",)


@pytest.mark.parametrize("case", ["poetry_20", "poetry_21", "poetry_sources", "poetry_forks"])
@given(seed=st.integers(0, 2**32))
def test_the_order_of_packages_in_a_poetry_lock_does_not_change_the_pins(
    tmp_path_factory: pytest.TempPathFactory, case: str, seed: int
) -> None:
    text = (CASES / case / "poetry.lock").read_text("utf-8")
    tail = text.index("[extras]") if "[extras]" in text else text.index("[metadata]")
    head, *parts = text[:tail].split("[[package]]\n")
    random.Random(seed).shuffle(parts)
    root = tmp_path_factory.mktemp("parent") / case
    write(root, {"pyproject.toml": (CASES / case / "pyproject.toml").read_text("utf-8")})
    write(root, {"poetry.lock": "[[package]]\n".join([head, *parts]) + text[tail:]})
    found, expected = shape(read(root), root), json.loads((CASES / case / "expected.json").read_text("utf-8"))
    for pin in (*found["pins"].values(), *expected["pins"].values()):
        del pin["evidence"]
    assert found == expected


# ---------------------------------------------------------------- Pipfile.lock

PIPENV_RELOCK = "run `pipenv lock` again"


def pipfile_lock(sources: str = "", **entries: Mapping[str, object]) -> str:
    """A lock of entries in `default`; `sources` are the names of indexes."""
    indexes = [{"name": name, "url": f"https://{name}.example/simple", "verify_ssl": True} for name in sources.split()]
    return json.dumps({"_meta": {"pipfile-spec": 6, "sources": indexes}, "default": entries}, indent=4)


def served(source: str) -> dict[str, object]:
    return {"version": "==1", "hashes": [HASH_A], "index": source}


PIPENV_REFUSED = {
    "cut-off": (
        '{\n    "_meta": {\n', "Pipfile.lock:3: is not JSON: Expecting property name enclosed in double quotes",
        f"is it cut off or half merged? {PIPENV_RELOCK}",
    ),
    "newer": (
        '{"_meta": {"pipfile-spec": 7}}', "Pipfile.lock: pipfile-spec 7 is not known, only 6",
        "use a pipenv that writes it, or a newer monopack",
    ),
    "no-object": (
        "[]", "Pipfile.lock: pipfile-spec None is not known, only 6", "use a pipenv that writes it, or a newer monopack",
    ),
    "other-shape": (
        pipfile_lock(idna={"version": 3}),
        "Pipfile.lock: is not what pipenv writes: default.idna.version: Input should be a valid string", PIPENV_RELOCK,
    ),
    "git": (
        pipfile_lock(lib={"git": "https://user:secret@git.example/lib"}),
        "Pipfile.lock:7: lib comes from Git, and no commit is locked for it", PIPENV_RELOCK,
    ),
    "bad-marker": (
        pipfile_lock(idna={"version": "==1", "markers": "sys_platform = 1"}),
        "Pipfile.lock: is not what pipenv writes: Expected marker operator, one of <=, <, !=, ==, >=, >, ~=, ===, in, not in",
        PIPENV_RELOCK,
    ),
    "mercurial": (
        pipfile_lock(lib={"hg": "https://user:secret@hg.example/lib", "ref": "0123"}),
        "Pipfile.lock:7: lib comes from hg, which is not read yet", CODE_HINT,
    ),
    "unknown-source": (
        pipfile_lock("one", lib=served("two")),
        "Pipfile.lock:13: lib comes from the source two, which is not among those of the lock", PIPENV_RELOCK,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PIPENV_REFUSED)
def test_a_pipfile_lock_that_cannot_be_used_is_refused(tmp_path: Path, name: str) -> None:
    text, message, hint = PIPENV_REFUSED[name]
    assert refused(write(tmp_path, {"Pipfile.lock": text})) == (message, hint)


def test_an_entry_without_a_version_keeps_the_marker_that_the_pipfile_states(tmp_path: Path) -> None:
    """As Pipenv 2026.10 writes them on Linux: the marker stays in the lock only where the Pipfile's key is `markers`."""
    pipfile = """[packages]
pywin32 = {version = "*", sys_platform = "== 'win32'"}
Colorama = {version = "*", markers = "sys_platform == 'win32'"}
[dev-packages]
py-readline = {version = "*", os_name = "== 'nt'", python_version = "< '3.12'"}
"""
    lock = json.loads(pipfile_lock(pywin32={"version": "*"}, colorama={"version": "*", "markers": "sys_platform == 'win32'"}))
    write(tmp_path, {"Pipfile": pipfile, "Pipfile.lock": json.dumps({**lock, "develop": {"py-readline": {"version": "*"}}})})
    assert read(tmp_path).warnings == ()
    warned = read(tmp_path, markers=WINDOWS).warnings
    assert [warning.split()[5] for warning in warned] == ["pywin32,", "colorama,"]


def test_extras_of_the_develop_category_are_for_tests(tmp_path: Path) -> None:
    lock = json.loads(pipfile_lock(idna={"version": "==1", "extras": ["x"]}))
    write(tmp_path, {"Pipfile.lock": json.dumps({**lock, "develop": {"idna": {"version": "==1", "extras": ["x", "test"]}}})})
    found = read(tmp_path).pins["idna"]
    assert (set(found.extras), set(found.test_extras), found.development) == ({"x"}, {"test"}, False)


def test_each_pin_of_a_pipfile_lock_comes_from_its_own_source(tmp_path: Path) -> None:
    unnamed = {"version": "==1", "hashes": [HASH_A]}
    write(tmp_path, {"Pipfile.lock": pipfile_lock("one two three", a=served("two"), b=unnamed, c=served("three"))})
    lock = read(tmp_path)
    assert {name: pin.index for name, pin in lock.pins.items()} == {"a": TWO, "b": ONE, "c": THREE}
    assert lock.index_options == ()
    assert lock.indexes == {ONE: "one", TWO: "two", THREE: "three"}


def test_each_pin_of_a_poetry_lock_comes_from_its_own_source_with_or_without_hashes(tmp_path: Path) -> None:
    needs = f'{ROOT_OF}a = "*"\nb = "*"\nc = "*"\n'
    text = packages(f"a 1\n{HASHED}{legacy('one')}", f"b 1\n{legacy('two')}", f"c 1\n{HASHED}")
    write(tmp_path, {"pyproject.toml": needs, "poetry.lock": text})
    assert {name: pin.index for name, pin in read(tmp_path).pins.items()} == {"a": ONE, "b": TWO, "c": ""}


@pytest.mark.parametrize(
    ("case", "file", "stated", "older"),
    [  # computed by Poetry 2.5.1 (for locks from before 2.3, without PEP 735's groups) and by plette (for older Pipenvs)
        (
            "poetry_21_groups", "poetry.lock", "e173ef8b499bf7eec34b00254df44797e7d227ec6cd400077c92c6968c86971d",
            "caa88997d079ec95d3f991163372c23e165947e55c5f0d0a6c3f9bb3af4bb0a4",
        ),
        (
            "pipenv_project", "Pipfile.lock", "99bd07fa39a42a6ac28d960aa780a5c73b46e4c276fa3db3f4192ec7eed7feb8",
            "7775e4d265f6c9a7434280d56238ddedefb8b4e6084e4756dc3fa60a1c473ffb",
        ),
    ],
)  # fmt: skip
def test_older_releases_hash_the_manifest_in_another_way(tmp_path: Path, case: str, file: str, stated: str, older: str) -> None:
    root = tmp_path / case
    shutil.copytree(CASES / case, root)
    text = (root / file).read_text("utf-8")
    assert stated in text
    for digest, fresh in ((stated, True), (older, True), ("0" * 64, False)):
        write(root, {file: text.replace(stated, digest)})
        assert (read(root).warnings == ()) is fresh


def test_a_pipfile_that_changed_since_is_told(tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(CASES / "pipenv_project", root)
    assert read(root).warnings == ()
    pipfile = (root / "Pipfile").read_text("utf-8")
    write(root, {"Pipfile": f'# a comment\n{pipfile}\n[scripts]\nx = "y"\n'})
    assert read(root).warnings == (), "scripts make no lock old"
    write(root, {"Pipfile": pipfile.replace("==3.7", "==3.8")})
    assert read(root).warnings == ("Pipfile.lock is older than what Pipfile asks for now: run `pipenv lock` again",)


# ---------------------------------------------------------------- pdm.lock

PDM_RELOCK = "run `pdm lock` again"
PDM_HEAD = '[metadata]\nlock_version = "4.5.1"\nstrategy = ["inherit_metadata"]\ngroups = ["default"]\n'
PDM_LIB = '[[package]]\nname = "lib"\nversion = "1"\ngroups = ["default"]\n'
PDM_REFUSED = {
    "older": (
        '[metadata]\nlock_version = "4.4.2"\n', "pdm.lock:2: lock version 4.4.2 is not known, only 4.5",
        "use a pdm that writes 4.5 (2.17 or newer), or a newer monopack",
    ),
    "cut-off": (
        f"{PDM_HEAD}[[package]]\nname = ", "pdm.lock:6: is not TOML: Invalid value",
        f"is it cut off or half merged? {PDM_RELOCK}",
    ),
    "no-groups": (
        '[metadata]\nlock_version = "4.5.0"\nstrategy = []\n',
        "pdm.lock: does not say which groups and markers its packages have", "run `pdm lock --strategy inherit_metadata`",
    ),
    "other-target": (
        f'{PDM_HEAD}[[metadata.targets]]\nrequires_python = ">=3.12"\nplatform = "windows_amd64"\n',
        "pdm.lock: was not resolved for target test-target (Python 3.12 on Linux x86_64), only for windows_amd64 Python >=3.12",
        "choose another target or Python, or lock for this one too: `pdm lock --append --platform ... --python ...`",
    ),
    "other-python": (
        f'{PDM_HEAD}[[metadata.targets]]\nrequires_python = ">=3.13"\n',
        "pdm.lock: was not resolved for target test-target (Python 3.12 on Linux x86_64), only for Python >=3.13",
        "choose another target or Python, or lock for this one too: `pdm lock --append --platform ... --python ...`",
    ),
    "moving-git": (
        f'{PDM_HEAD}{PDM_LIB}git = "https://git.example/lib"\n', "pdm.lock:6: lib comes from Git, and no commit is locked for it",
        "lock it as not editable",
    ),
    "mercurial": (
        f'{PDM_HEAD}{PDM_LIB}hg = "https://hg.example/lib"\n', "pdm.lock:6: lib comes from hg, which is not read yet", CODE_HINT,
    ),
    "bad-marker": (
        f'{PDM_HEAD}{PDM_LIB}marker = "sys_platform = 1"\n',
        "pdm.lock: is not what pdm writes: Expected marker operator, one of <=, <, !=, ==, >=, >, ~=, ===, in, not in",
        PDM_RELOCK,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PDM_REFUSED)
def test_a_pdm_lock_that_cannot_be_used_is_refused(tmp_path: Path, name: str) -> None:
    text, message, hint = PDM_REFUSED[name]
    assert refused(write(tmp_path, {"pdm.lock": text, "pyproject.toml": ""})) == (message, hint)


def test_forks_of_a_pdm_lock_follow_the_target() -> None:
    assert read(CASES / "pdm_project").pins["yaml-thing"].version == "3.1"
    assert read(CASES / "pdm_project", markers=WINDOWS).pins["yaml-thing"].version == "2.0"


def test_a_manifest_that_changed_since_pdm_locked_it_is_told(tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(CASES / "pdm_project", root)
    manifest = (root / "pyproject.toml").read_text("utf-8")
    write(root, {"pyproject.toml": f"{manifest}\n[tool.other]\nx = 1\n"})
    assert read(root).warnings == ()
    write(root, {"pyproject.toml": manifest.replace('"win-part"', '"win-part>=1"')})
    assert read(root).warnings == ("pdm.lock is older than what pyproject.toml asks for now: run `pdm lock` again",)


PDM_SOURCE = '[[tool.pdm.source]]\nname = "ours"\nurl = "https://ours.example/simple"\n'
PDM_HASH = f'files = [{{ file = "lib-1-py3-none-any.whl", hash = "sha256:{"0" * 64}" }}]\n'


@pytest.mark.parametrize(
    ("rules", "indexes", "options"),
    [
        ("", ["", ""], ("--extra-index-url=https://ours.example/simple",)),
        (
            'include_packages = ["our-*"]\n',
            ["https://ours.example/simple", ""],
            ("--extra-index-url=https://ours.example/simple",),
        ),
        ('include_packages = ["our-*"]\nexclude_packages = ["*"]\n', ["https://ours.example/simple", ""], ()),
    ],
)
def test_a_source_that_includes_a_package_is_the_only_one_that_pdm_asks(
    tmp_path: Path, rules: str, indexes: list[str], options: tuple[str, ...]
) -> None:
    pins = PDM_LIB.replace('"lib"', '"our-lib"') + PDM_HASH + PDM_LIB + PDM_HASH
    lock = read(write(tmp_path, {"pdm.lock": PDM_HEAD + pins, "pyproject.toml": PDM_SOURCE + rules}))
    assert ([pin.index for pin in lock.pins.values()], lock.index_options) == (indexes, options)


def test_indexes_that_pdm_asks_beside_each_other_need_hashes(tmp_path: Path) -> None:
    message, _ = refused(write(tmp_path, {"pdm.lock": PDM_HEAD + PDM_LIB, "pyproject.toml": PDM_SOURCE}))
    assert "takes distributions from the default index and https://ours.example/simple, and lib has no hash" in message


# ---------------------------------------------------------------- pylock.toml

PYLOCK_RELOCK = "write the lock again with the tool that made it"
PYLOCK_HEAD = 'lock-version = "1.0"\ncreated-by = "a test"\n'
PYLOCK_LIB = '[[packages]]\nname = "lib"\nversion = "1"\n'
PYLOCK_FILE = f'wheels = [{{ url = "https://index.example/lib-1-py3-none-any.whl", hashes = {{ sha256 = "{"a" * 64}" }} }}]\n'
PYLOCK_OTHER = (PYLOCK_LIB + PYLOCK_FILE).replace("lib-1", "lib-2").replace('= "1"', '= "2"')
PYLOCK_REFUSED = {
    "newer": (
        '# made tomorrow\nlock-version = "2.0"\ncreated-by = "a test"\npackages = []\n',
        "pylock.toml:2: lock version 2.0 is not known, only 1.x", "use a tool that writes version 1.0, or a newer monopack",
    ),
    "cut-off": (
        f"{PYLOCK_HEAD}[[packages]]\nname = ", "pylock.toml:4: is not TOML: Invalid value",
        f"is it cut off or half merged? {PYLOCK_RELOCK}",
    ),
    "two-versions": (
        f"{PYLOCK_HEAD}{PYLOCK_LIB}{PYLOCK_FILE}{PYLOCK_OTHER}",
        "pylock.toml:8: lib is reached as 1 and as 2 (pylock.toml:4)",
        "extras or groups that conflict ask for them: choose with extras and groups in monopack.toml",
    ),
    "other-python": (
        f'requires-python = ">=3.13"\n{PYLOCK_HEAD}packages = []\n',
        "pylock.toml: holds for Python >=3.13, not for 3.12.1 (target test-target)",
        "choose another target or Python, or lock for this one",
    ),
    "other-platform": (
        f"environments = [\"sys_platform == 'win32'\"]\n{PYLOCK_HEAD}packages = []\n",
        'pylock.toml: was not made for target test-target, only for sys_platform == "win32"', "lock for this environment too",
    ),
    "mercurial": (
        f'{PYLOCK_HEAD}{PYLOCK_LIB}vcs = {{ type = "hg", url = "https://hg.example/lib", commit-id = "0123" }}\n',
        "pylock.toml:4: lib comes from hg, which is not read yet", CODE_HINT,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PYLOCK_REFUSED)
def test_a_pylock_that_cannot_be_used_is_refused(tmp_path: Path, name: str) -> None:
    text, message, hint = PYLOCK_REFUSED[name]
    assert refused(write(tmp_path, {"pylock.toml": text})) == (message, hint)


def test_a_pylock_against_the_standard_is_refused_at_its_package(tmp_path: Path) -> None:
    message, _ = refused(write(tmp_path, {"pylock.toml": f"{PYLOCK_HEAD}{PYLOCK_LIB}"}))
    assert message.startswith("pylock.toml:4: is not a pylock file: ")


# ---------------------------------------------------------------- extras and groups

SHOP = Path(__file__).parent / "cases" / "package_managers" / "shop"
GROUPED = {"uv": "uv.lock", "poetry": "poetry.lock", "pdm": "pdm.lock", "pylock": "pylock.toml"}


def chosen(manager: str, **choice: frozenset[str]) -> dict[str, bool]:
    """The pins of the shop by name, and whether each is for development."""
    source = locks.find(SHOP, manager)
    assert source is not None
    pins = locks.read(source, SHOP, target(), locks.Choice(**choice)).pins
    return {name: pin.development for name, pin in pins.items()}


@pytest.mark.parametrize("manager", GROUPED)
def test_only_chosen_extras_of_the_project_ship(manager: str) -> None:
    assert chosen(manager)["chart-thing"] is False
    assert chosen(manager, extras=frozenset({"charts"}))["chart-thing"] is False
    without = chosen(manager, extras=frozenset())
    assert without.get("chart-thing", True)
    assert without["yaml-thing"] is False


@pytest.mark.parametrize(("manager", "group"), [*((manager, "dev") for manager in GROUPED), ("pipenv", "develop")])
def test_a_chosen_group_ships_and_others_serve_tests(manager: str, group: str) -> None:
    assert chosen(manager)["test-helper"]
    ships = chosen(manager, groups=frozenset({group}))
    assert (ships["test-helper"], ships["helper-base"], ships["yaml-thing"]) == (False, False, False)


@pytest.mark.parametrize("manager", [*GROUPED, "pipenv", "pip"])
@pytest.mark.parametrize("option", ["extras", "groups"])
def test_what_a_lock_does_not_have_cannot_be_chosen(manager: str, option: str) -> None:
    with pytest.raises(LockError) as caught:
        chosen(manager, **{option: frozenset({"nothing"})})
    assert caught.value.what == f"has no {option[:-1]} nothing"
    assert option in caught.value.hint


def test_an_extra_that_is_chosen_settles_a_conflict(tmp_path: Path) -> None:
    text = f"version = 1\n{CONFLICT}{APP}{EXTRAS}{IDNA}{IDNA.replace('3.7', '3.8')}"
    write(tmp_path, {"uv.lock": text})
    source = locks.find(tmp_path, "uv")
    assert source is not None
    for extra, version in (("a", "3.7"), ("b", "3.8")):
        pins = locks.read(source, tmp_path, target(), locks.Choice(extras=frozenset({extra}))).pins
        assert pins["idna"].version == version


# ---------------------------------------------------------------- pin: loose requirements


class Project:
    """A project beside a folder of tiny wheels, and settings under which neither pip nor uv looks at this machine's own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root, self.wheels = folder, folder / "my project", folder / "wheels"
        self.keep = self.root / "build" / ".monopack" / "requirements.host.txt"
        self.environ = {
            "PATH": os.environ.get("PATH", ""), "HOME": str(folder), "XDG_CONFIG_DIRS": str(folder), "TMPDIR": str(folder),
            "UV_CACHE_DIR": str(folder / "uv-cache"), "PIP_CONFIG_FILE": str(folder / "pip.conf"),
        }  # fmt: skip
        write(folder, {"pip.conf": ""})
        make_wheel(
            self.wheels,
            "aa",
            "1.0",
            {"aa.py": ""},
            requires=["bb", "cc; sys_platform == 'nowhere'", "dd; extra == 'x'"],
            extras=["x"],
        )
        make_wheel(self.wheels, "bb", "1.0", {"bb.py": ""})
        make_wheel(self.wheels, "bb", "2.0", {"bb.py": ""})
        make_wheel(self.wheels, "dd", "1.0", {"dd.py": ""})

    def requirements(self, text: str, **others: str) -> None:
        write(self.root, {"requirements.txt": f"--no-index\n--find-links ../wheels\n{text}", **others})

    def pin(self, *, offline: bool = False, to: Target | None = None) -> Lock:
        place = to or host()
        lock = locks.read(locks.Source(dialect="requirements", path="requirements.txt", note=""), self.root, place)
        files = own_files(self.environ)
        resolver = locks.Resolver(door=Door(), environ=self.environ, pip_files=files, offline=offline)
        return locks.pin(lock, self.root, place, self.keep, resolver)

    def versions(self, *, offline: bool = False) -> dict[str, str]:
        return {name: pin.version for name, pin in self.pin(offline=offline).pins.items()}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def digest(wheel: Path) -> str:
    return "sha256:" + hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_loose_requirements_become_pins_with_hashes_and_a_warning(project: Project) -> None:
    project.requirements(
        "aa[x]\n-c caps.txt\n-e ./member\n",
        **{"caps.txt": "bb<2\n", "member/pyproject.toml": '[project]\nname = "member"\nversion = "1"\n'},
    )
    before = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}
    lock = project.pin()
    assert {name: (pin.version, set(pin.hashes), set(pin.extras)) for name, pin in lock.pins.items()} == {
        "aa": ("1.0", {digest(project.wheels / "aa-1.0-py3-none-any.whl")}, {"x"}),
        "bb": ("1.0", {digest(project.wheels / "bb-1.0-py3-none-any.whl")}, set()),
        "dd": ("1.0", {digest(project.wheels / "dd-1.0-py3-none-any.whl")}, set()),
    }
    kept = project.keep.read_text("utf-8").splitlines()
    evidence = lock.pins["bb"].evidence
    assert evidence.file == "build/.monopack/requirements.host.txt"
    assert kept[evidence.line - 1].startswith("bb==1.0")
    assert (lock.dialect, lock.path, lock.loose) == ("requirements", "requirements.txt", ())
    assert lock.index_options == ("--no-index", f"--find-links={project.wheels.as_uri()}")
    into = "resolved into build/.monopack/requirements.host.txt"
    way_out = "to make it permanent, copy that file over requirements.txt"
    assert lock.warnings == (f"requirements.txt does not pin aa[x]; {into} ({way_out})",)
    assert {path: path.read_bytes() for path in before} == before, "no file of the user's is touched"
    beside = "requirements.host.pip.json"
    assert {path.name for path in project.keep.parent.iterdir()} == {project.keep.name, beside}, "no temporary file stays"


def test_the_kept_file_says_what_it_is_and_holds_pins_only(project: Project) -> None:
    project.requirements("bb\n")
    project.pin()
    about, inputs, *pins = project.keep.read_text("utf-8").splitlines()
    version = default_environment()["python_full_version"]
    assert about == (
        f"# Written by monopack: requirements.txt resolved for target host (Python {version}); made again when its inputs change."
    )
    assert inputs.startswith("# inputs: sha256:")
    assert pins == ["bb==2.0 \\", f"    --hash={digest(project.wheels / 'bb-2.0-py3-none-any.whl')}"]


def test_equal_inputs_are_not_resolved_again_and_changed_ones_are(project: Project) -> None:
    project.requirements("bb>=1\n-r more.txt\n", **{"more.txt": ""})
    assert project.versions() == {"bb": "2.0"}
    make_wheel(project.wheels, "bb", "3.0", {"bb.py": ""})
    assert project.versions() == {"bb": "2.0"}, "a new release on the index changes nothing"
    assert project.versions(offline=True) == {"bb": "2.0"}
    write(project.root, {"more.txt": "dd\n"})
    assert project.versions() == {"bb": "3.0", "dd": "1.0"}, "a nested file is an input"
    project.environ["UV_RESOLUTION"] = "lowest"
    assert project.versions() == {"bb": "1.0", "dd": "1.0"}, "so are uv's settings"
    project.keep.unlink()
    assert project.versions() == {"bb": "1.0", "dd": "1.0"}


def test_equal_projects_in_other_folders_give_equal_kept_files(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "two and more"):
        project = Project(tmp_path / name)
        project.requirements("aa\n")
        project.pin()
        texts.append(project.keep.read_text("utf-8"))
    assert texts[0] == texts[1]


def test_direct_pins_are_completed_by_what_they_depend_on(project: Project) -> None:
    project.requirements("aa==1.0\nbb==1.0\n")
    assert project.versions() == {"aa": "1.0", "bb": "1.0"}


def test_a_first_party_project_brings_its_own_dependencies(project: Project) -> None:
    pyproject = '[project]\nname = "whole"\nversion = "1"\ndependencies = ["aa"]\n'
    project.requirements("-e .\n", **{"pyproject.toml": pyproject})
    assert project.versions() == {"aa": "1.0", "bb": "2.0"}
    write(project.root, {"pyproject.toml": pyproject.replace('"aa"', '"dd"')})
    assert project.versions() == {"dd": "1.0"}


def test_pips_own_settings_hold_for_resolving(project: Project) -> None:
    nothing = project.folder / "nothing"
    nothing.mkdir()
    general = f"[global]\nno-index = true\nfind-links = {nothing}\nconstraint = {project.folder}/caps.txt\n"
    write(project.folder, {"pip.conf": f"{general}[download]\nfind-links = {project.wheels}\n", "caps.txt": "bb<2\n"})
    write(project.root, {"requirements.txt": "bb\n"})
    lock = project.pin()
    assert lock.pins["bb"].version == "1.0"
    assert lock.index_options == (), "pip knows its own settings when it fetches"
    assert project.versions() == {"bb": "1.0"}
    write(project.folder, {"caps.txt": "bb<3\n"})
    assert project.versions() == {"bb": "2.0"}, "a file of constraints is an input, though pip is not asked again for its name"
    write(project.folder, {"pip.conf": f"[global]\nno-index = true\nfind-links = {nothing}\n"})
    with pytest.raises(LockError, match="Because bb was not found"):
        project.pin()
    write(project.folder, {"pip.conf": f"[global]\nno-index = true\nfind-links = {project.wheels}\n"})
    assert project.versions() == {"bb": "2.0"}
    project.environ["PIP_FIND_LINKS"] = str(nothing)
    with pytest.raises(LockError, match="Because bb was not found"):
        project.pin()


def test_a_target_that_is_not_the_host_is_resolved_for_its_own_python_and_machine(project: Project) -> None:
    make_wheel(
        project.wheels,
        "native",
        "1.0",
        {"native.so": ""},
        tag="cp312-cp312-manylinux_2_17_aarch64",
        requires=["bb; platform_machine == 'aarch64'"],
    )
    make_wheel(project.wheels, "native", "2.0", {"native.so": ""}, tag="cp312-cp312-manylinux_2_39_aarch64")
    make_wheel(project.wheels, "native", "3.0", {"native.so": ""}, requires_python=">=3.13")
    project.requirements("native\n")
    arm = replace(
        target({**LINUX, "platform_machine": "aarch64"}), name="aws-lambda-python3.12-arm64",
        tags=tuple(Tag("cp312", "cp312", f"manylinux_2_{minor}_aarch64") for minor in range(34, 4, -1)),
    )  # fmt: skip
    assert {name: pin.version for name, pin in project.pin(to=arm).pins.items()} == {"native": "1.0", "bb": "2.0"}


def test_what_cannot_be_resolved_is_told_in_uvs_words(project: Project) -> None:
    project.requirements("aa\nbb>5\n")
    with pytest.raises(LockError) as caught:
        project.pin()
    message = str(caught.value)
    assert message.startswith(
        "requirements.txt: cannot be resolved for target host: No solution found when resolving dependencies: Because "
    )
    assert "bb>5" in message
    assert "\n" not in message
    assert caught.value.hint == "change the requirements, or check the index settings"
    assert not project.keep.exists()


def test_offline_needs_a_kept_file_of_the_same_inputs(project: Project) -> None:
    project.requirements("bb\n")
    kept = "build/.monopack/requirements.host.txt"
    hint = "build once without --offline, or pin every requirement with =="
    with pytest.raises(LockError) as caught:
        project.pin(offline=True)
    what = f"requirements.txt: is not fully pinned, and {kept}, which would hold its pins,"
    assert (str(caught.value), caught.value.hint) == (f"{what} does not exist", hint)
    project.pin()
    project.requirements("bb<2\n")
    with pytest.raises(LockError) as caught:
        project.pin(offline=True)
    assert (str(caught.value), caught.value.hint) == (f"{what} was made from other inputs", hint)


def test_a_build_folder_that_cannot_be_written_is_one_line(project: Project) -> None:
    project.requirements("bb\n")
    write(project.root, {"build": "a file"})
    with pytest.raises(LockError) as caught:
        project.pin()
    assert str(caught.value).startswith(f"{project.keep}: cannot be written: ")


# ---------------------------------------------------------------- pin: credentials


class PrivateIndex(SimpleHTTPRequestHandler):
    """Serves a folder to those who know the password."""

    def do_GET(self) -> None:
        secret = base64.b64encode(b"user:secret").decode()
        if self.headers.get("Authorization") != f"Basic {secret}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="private"')
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def index(project: Project) -> Iterator[str]:
    """A private index with the project's wheels; gives its address with the credentials."""
    simple = project.folder / "served" / "simple"
    for wheel in project.wheels.iterdir():
        name = wheel.name.partition("-")[0]
        (simple / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(wheel, simple / name)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(PrivateIndex, directory=str(simple.parent)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://user:secret@127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_index_with_a_password_is_asked_and_the_password_kept_out_of_the_file(project: Project, index: str) -> None:
    write(project.folder, {"pip.conf": f"[global]\nindex-url = {index}\n"})
    url = f"{index}/dd/dd-1.0-py3-none-any.whl"
    write(project.root, {"requirements.txt": f"aa\ndd @ {url}\n"})
    lock = project.pin()
    assert {name: pin.version for name, pin in lock.pins.items()} == {"aa": "1.0", "bb": "2.0", "dd": "1.0"}
    assert lock.pins["dd"].url == url, "the fetcher still gets the address as the user gave it"
    kept = [file.read_text("utf-8") for file in sorted(project.keep.parent.iterdir())]
    assert not [text for text in kept if "secret" in text or "user" in text]
    assert "--index-url" not in project.keep.read_text("utf-8")
    write(project.root, {"requirements.txt": "aa\n"})
    assert project.versions() == {"aa": "1.0", "bb": "2.0"}, "the password is known again when it is needed"


def test_a_refusal_shows_no_password(project: Project, index: str) -> None:
    write(project.root, {"requirements.txt": f"--index-url {index}\nnowhere-to-be-found\n"})
    with pytest.raises(LockError) as caught:
        project.pin()
    assert "nowhere-to-be-found" in str(caught.value)
    assert "secret" not in str(caught.value)
