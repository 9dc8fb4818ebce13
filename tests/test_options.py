"""Every option of the command, by flag, by variable and in the file: each does what it says, whichever way it comes."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from projects import Project

Done = subprocess.CompletedProcess[str]
SOURCES = ("flag", "variable", "file")


@dataclass(frozen=True)
class Row:
    """One row of the option table: what is given, what must be seen, and how the project has to be for that."""

    name: str
    given: object
    seen: Callable[[Project, Done], bool]
    prepare: Callable[[Project], object] = lambda _: None
    code: int = 0


def failing_test(shop: Project) -> None:
    shop.write(
        {"tests/test_users.py": "import unittest, packs.users\nclass T(unittest.TestCase):\n    def test(self): self.fail()\n"}
    )


def moved_packs(shop: Project) -> None:
    (shop.root / "packs").rename(shop.root / "functions")
    shop.write({"tests/test_users.py": (shop.root / "tests/test_users.py").read_text().replace("packs", "functions")})


def other_pins(shop: Project) -> None:
    shop.write({"uv.lock": "version = 1\n"})


def in_the_way(shop: Project) -> None:
    shop.write({"build/users/mine.txt": "mine"})


def hidden_import(shop: Project) -> None:
    shop.write({"app/plugin.py": ""})
    shop.pack("users", "__import__(bytes([97, 112, 112, 46, 112, 108, 117, 103, 105, 110]).decode())\n")


def other_python(shop: Project) -> str:
    folder = shop.root.parent / "other"
    venv.create(folder, with_pip=False, symlinks=True)
    return str(folder / "bin" / "python")


ROWS = [
    Row("packs_dir", "functions", lambda shop, _: (shop.root / "build/users.zip").exists(), moved_packs),
    Row("build_dir", "out", lambda _, done: done.stdout == "out/users\n"),
    Row("skip_tests", True, lambda _, done: "users  built" in done.stderr, failing_test),
    Row("skip_tests", False, lambda _, done: "1 of 1 tests failed" in done.stderr, failing_test, 1),
    Row("verify", False, lambda shop, _: "raise" in shop.output("users/app/users.py").decode(),
        lambda shop: shop.write({"app/users.py": "report = 1\nraise SystemExit\n", "tests/test_users.py": "",
                                 "monopack.toml": "[pack]\nrequire_tests = false\n"})),
    Row("debug", True, lambda _, done: "packs/users.py:1 imports app/users.py" in done.stderr),
    Row("jobs", 2, lambda _, done: done.stdout == "build/users\n"),
    Row("sha_output", "b64", lambda shop, _: not (shop.root / "build/users.package.sha256").exists()
        and len(shop.output("users.package.sha256.b64")) == 45),
    Row("package_manager", "pip", lambda _, done: "pins: requirements.txt, since the package manager is pip" in done.stderr,
        other_pins),
    Row("cache_dir", "elsewhere", lambda shop, _: any((shop.root / "elsewhere").rglob("big_thing-1.0-*.whl"))),
    Row("offline", True, lambda _, done: "offline, and not in the store: big-thing==1.0" in done.stderr, code=3),
    Row("force", True, lambda shop, _: not (shop.root / "build/users/mine.txt").exists(), in_the_way),
    Row("force", False, lambda shop, _: (shop.root / "build/users/mine.txt").exists(), in_the_way, 1),
    Row("auto_fix", True, lambda shop, _: 'extra_modules = ["app.plugin"]' in (shop.root / "packs/users.py").read_text(),
        hidden_import),
    Row("quiet", True, lambda _, done: "built" not in done.stderr and done.stdout == "build/users\n"),
    Row("color", "always", lambda _, done: "\x1b[" in done.stderr, failing_test, 1),
    Row("color", "never", lambda _, done: "\x1b[" not in done.stderr, failing_test, 1),
]  # fmt: skip


def run(shop: Project, row: Row, source: str) -> Done:
    """Build one pack with an option that comes from a source; the other sources say nothing, or the opposite."""
    text = str(row.given).lower() if isinstance(row.given, bool) else str(row.given)
    flag = f"--{row.name.replace('_', '-')}"
    if source == "variable":
        shop.environ[f"MONOPACK_{row.name.upper()}"] = text
        return shop.run("users")
    if source == "file":
        file = shop.root / "monopack.toml"
        rest = file.read_text() if file.exists() else ""
        file.write_text(f"{row.name} = {json.dumps([text] if row.name == 'sha_output' else row.given)}\n{rest}")
        if row.name == "cache_dir":
            shop.environ["MONOPACK_CACHE_DIR"] = ""  # as good as unset
        return shop.run("users")
    if isinstance(row.given, bool):
        return shop.run("users", flag if row.given else flag.replace("--", "--no-", 1))
    return shop.run("users", flag, text)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.name}={row.given}")
def test_option(row: Row, source: str, shop: Project) -> None:
    row.prepare(shop)
    done = run(shop, row, source)
    assert done.returncode == row.code, done.stderr
    assert row.seen(shop, done), done.stderr


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", ["python", "existing_install_python"])
def test_option_that_names_a_python(name: str, source: str, shop: Project) -> None:
    python = other_python(shop) if name == "python" else sys.executable
    done = run(shop, Row(name, python, lambda *_: True), source)
    assert done.returncode == 0, done.stderr
    place = {"flag": "--python", "variable": "MONOPACK_PYTHON", "file": "monopack.toml: python"}[source]
    said = f"at {python} ({place})" if name == "python" else f"0 of 1 fetched wheels came from the pip cache of {python}"
    assert said in done.stderr


def test_a_flag_beats_a_variable_and_that_the_file(shop: Project) -> None:
    shop.write({"monopack.toml": 'build_dir = "by_file"\n'})
    assert shop.build("users").stdout == "by_file/users\n"
    assert shop.build("users", MONOPACK_BUILD_DIR="by_variable").stdout == "by_variable/users\n"
    assert shop.build("users", "--build-dir", "by_flag", MONOPACK_BUILD_DIR="by_variable").stdout == "by_flag/users\n"


@pytest.mark.parametrize("source", ["flag", "variable"])
def test_the_config_file_is_named(source: str, shop: Project) -> None:
    shop.write({"other.toml": 'build_dir = "elsewhere"\n'})
    if source == "variable":
        shop.environ["MONOPACK_CONFIG"] = "other.toml"
    arguments = ("--config", "other.toml") if source == "flag" else ()
    assert shop.build("users", *arguments).stdout == "elsewhere/users\n"


@pytest.mark.parametrize(
    ("word", "value"), [(w, v) for v, ws in ((True, "1 true yes ON"), (False, "0 False no off")) for w in ws.split()]
)
def test_booleans_in_variables(word: str, value: bool, shop: Project) -> None:
    shown = json.loads(shop.build("config", "--json", MONOPACK_SKIP_TESTS=word).stdout)
    assert {option["key"]: option["value"] for option in shown["options"]}["skip_tests"] is value


def test_the_digest_is_that_of_the_zip_whatever_the_jobs(shop: Project) -> None:
    digests = set()
    for jobs in ("1", "8"):
        shop.build("--jobs", jobs, "--build-dir", f"build/{jobs}", "--cache-dir", str(shop.cache))
        digests.add(hashlib.sha256(shop.output(f"{jobs}/orders.zip")).hexdigest())
    assert len(digests) == 1
