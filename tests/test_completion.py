"""Completion: by the protocol of click, and in real shells with the Tab key."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from projects import COMMAND, Project
from screens import Screen

PROGRAM = Path(sys.executable).parent / "monopack"
PACKS = ["orders", "users"]
NAMES = ["build", "fix", "list", "why", "affected", "trace", "deps", "config", "init", "schema", "cache", "clean"]


def complete(shop: Project, words: str, cwd: Path | None = None) -> list[str]:
    """What is offered for the last word; a line that ends in a blank asks for a new one."""
    count = len(words.split()) - (not words.endswith(" "))
    environ = shop.environment(_MONOPACK_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(count))
    done = subprocess.run(COMMAND, cwd=cwd or shop.root, env=environ, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return [line.removeprefix("plain,") for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("monopack ", [*PACKS, *NAMES]),
        ("monopack o", ["orders"]),
        ("monopack c", ["config", "cache", "clean"]),
        ("monopack nothing", []),
        ("monopack build ", PACKS),
        ("monopack --jobs 2 u", ["users"]),
        ("monopack build --offline u", ["users"]),
        ("monopack list o", ["orders"]),
        ("monopack config u", ["users"]),
        ("monopack why o", ["orders"]),
        ("monopack why orders app/", ["file,app/"]),
        ("monopack trace ", PACKS),
        ("monopack fix ", PACKS),
        ("monopack cache ", ["clean"]),
        ("monopack clean ", []),
        ("monopack --vers", ["--version"]),
        ("monopack --ver", ["--version", "--verify"]),
        ("monopack build --col", ["--color"]),
        ("monopack users --color ", ["auto", "always", "never"]),
        ("monopack list --package-manager p", ["pip", "poetry", "pdm", "pipenv", "pylock"]),
        ("monopack build --build-dir ", ["dir,"]),
        ("monopack build --config mono", ["file,mono"]),
        ("monopack --nonsense ", PACKS),
        ("monopack 'unclosed", []),
    ],
)  # fmt: skip
def test_words(shop: Project, words: str, offered: list[str]) -> None:
    assert complete(shop, words) == offered


def test_packs_are_those_of_the_project(shop: Project, tmp_path: Path) -> None:
    shop.write({"packs/_shared.py": "", "packs/notes.txt": "", "packs/.hidden.py": ""})
    assert complete(shop, "monopack build ") == PACKS
    (shop.root / "packs").rename(shop.root / "functions")
    assert complete(shop, "monopack build ") == []
    assert complete(shop, "monopack build --packs-dir functions ") == PACKS
    shop.write({"monopack.toml": 'packs_dir = "functions"\n'})
    assert complete(shop, "monopack build ", cwd=shop.root / "app") == PACKS
    assert complete(shop, f"monopack build --config {shop.root}/monopack.toml ", cwd=tmp_path) == PACKS
    shop.environ["MONOPACK_PACKS_DIR"] = "app"
    assert complete(shop, "monopack build ") == ["common", "orders", "unused", "users"]


@pytest.mark.parametrize("content", ["not TOML", "packs_dir = 3", 'packs_dir = "\\u0000"', b"\xff", 'packs_dir = ""'], ids=repr)
def test_a_broken_project_offers_no_packs(shop: Project, content: str | bytes) -> None:
    shop.write({"monopack.toml": content})
    assert complete(shop, "monopack ") == NAMES


def test_a_folder_that_is_gone_offers_no_packs(shop: Project) -> None:
    gone = shop.root / "gone"
    gone.mkdir()
    environ = shop.environment(_MONOPACK_COMPLETE="bash_complete", COMP_WORDS="monopack ", COMP_CWORD="1", PYTHONSAFEPATH="1")
    argv = ["sh", "-c", f'rmdir "{gone}"; exec "$@"', "sh", *COMMAND]
    done = subprocess.run(argv, cwd=gone, env=environ, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == ([f"plain,{name}" for name in NAMES], "")


@pytest.mark.parametrize("asked", ["tcsh_source", "bash_nonsense", "nonsense", "bash_complete"])
def test_a_shell_that_asks_for_what_there_is_not_gets_nothing(shop: Project, asked: str) -> None:
    done = subprocess.run(
        COMMAND, cwd=shop.root, env=shop.environment(_MONOPACK_COMPLETE=asked), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_the_first_word_needs_no_configuration(shop: Project) -> None:
    environ = shop.environment(_MONOPACK_COMPLETE="zsh_complete", COMP_WORDS="monopack ", COMP_CWORD="1")
    argv = [sys.executable, "-X", "importtime", "-m", "monopack"]
    done = subprocess.run(argv, cwd=shop.root, env=environ, capture_output=True, text=True, check=True)
    assert "plain\nusers\npacks/users.py\n" in done.stdout
    assert "| click" in done.stderr.replace("  ", "")
    assert "pydantic" not in done.stderr


# ---------------------------------------------------------------- real shells


def shell(name: str) -> str:
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed here")
    return found


@pytest.fixture
def environ(shop: Project, tmp_path: Path) -> dict[str, str]:
    """A home without anybody's settings, and `monopack` on PATH."""
    assert PROGRAM.is_file()
    path = os.pathsep.join((str(PROGRAM.parent), os.defpath, os.environ["PATH"]))
    return shop.environment(HOME=str(tmp_path), ZDOTDIR=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path), PATH=path)


STARTS = {
    "bash": (["--norc", "--noprofile", "-i"], 'eval "$(_MONOPACK_COMPLETE=bash_source monopack)"'),
    "zsh": (["-f", "-i"], 'autoload -Uz compinit; compinit -u -D; eval "$(_MONOPACK_COMPLETE=zsh_source monopack)"'),
}


@pytest.mark.parametrize("name", STARTS)
def test_the_tab_key(shop: Project, environ: dict[str, str], name: str) -> None:
    options, install = STARTS[name]
    seen = Screen([shell(name), *options], shop.root, {**environ, "PS1": "ready> "})
    seen.wait_for("ready> ")
    seen.press(f"{install}; echo ins''talled\n")
    seen.wait_for("installed\n", "ready> ")
    seen.press("monopack build us\t")
    seen.wait_for("monopack build users")
    seen.hang_up()


def test_fish(shop: Project, environ: dict[str, str]) -> None:
    code = "_MONOPACK_COMPLETE=fish_source monopack | source; complete -C 'monopack build '"
    argv = [shell("fish"), "--no-config", "-c", code]
    done = subprocess.run(argv, cwd=shop.root, env=environ, capture_output=True, text=True, check=False)
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == PACKS, done.stderr


def test_bash_leaves_paths_to_the_shell(shop: Project, environ: dict[str, str]) -> None:
    seen = Screen([shell("bash"), *STARTS["bash"][0]], shop.root, {**environ, "PS1": "ready> "})
    seen.wait_for("ready> ")
    seen.press(f"{STARTS['bash'][1]}; echo ins''talled\n")
    seen.wait_for("installed\n", "ready> ")
    seen.press("monopack --packs-dir pac\t")
    seen.wait_for("monopack --packs-dir packs/")
    seen.hang_up()
