"""The documented shapes of JSON answers: exactly the keys and kinds of values that docs/reference/json.md lists."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from projects import Project

from monopack.cli.group import COMMANDS, monopack

DOCUMENT = Path(__file__).parent.parent / "docs" / "reference" / "json.md"
ROW = re.compile(r"^\| ((?:`[^`]+`(?:, )?)+) \| ([^|]+?) \| [^|]+ \|$", re.MULTILINE)
LIKE = re.compile(r"object, as `([^`]+)` of (.+)")
KINDS = {str: "string", bool: "true or false", int: "number", float: "number", type(None): "null", list: "list", dict: "object"}


def documented() -> dict[str, dict[str, str]]:
    """The kinds of values by key, for each heading that has a table."""
    sections = re.split(r"^## ", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)[1:]
    tables = {section.partition("\n")[0]: _table(section) for section in sections}
    for table in tables.values():
        for key, kind in list(table.items()):
            if like := LIKE.fullmatch(kind):
                start, other = like.groups()
                table |= {
                    name.replace(start, key, 1): each for name, each in tables[other].items() if name.startswith(f"{start}.")
                }
                table[key] = "object"
    return {heading: table for heading, table in tables.items() if table}


def _table(section: str) -> dict[str, str]:
    return {key: kind for keys, kind in ROW.findall(section) for key in re.findall(r"`([^`]+)`", keys)}


def keys(value: object, path: str, shallow: set[str]) -> Iterator[tuple[str, str]]:
    """Every key with the kind of its value; below a `shallow` one there is anything."""
    if path:
        yield path, KINDS[type(value)]
    if isinstance(value, dict) and path not in shallow:
        for key, inner in value.items():
            yield from keys(inner, f"{path}.{key}" if path else key, shallow)
    if isinstance(value, list) and path not in shallow:
        for inner in (each for each in value if isinstance(each, dict)):
            yield from (pair for pair in keys(inner, f"{path}[]", shallow) if pair[0] != f"{path}[]")


def answers(shop: Project) -> dict[str, list[str]]:
    """Real answers of every command, those that have every key among them."""
    guarded = "try:\n    import unused_thing\nexcept ImportError:\n    pass\n"
    shop.wheel("thing-without", files={"thing_without/__init__.py": guarded})
    shop.require(*(f"{name}==1.0" for name in ("yaml-thing", "shared-part", "big-thing", "unused-thing", "thing-without")))
    shop.pack("broken", "import app.orders, app.missing\n")
    shop.pack("both", "import app.orders, app.users, thing_without\ntry:\n    import not_there\nexcept ImportError:\n    pass\n")

    def answer(*arguments: str) -> str:
        return shop.run(*arguments, "--json").stdout

    shop.build("users")
    return {
        "monopack build": [answer("build"), answer()],
        "monopack fix": [answer("fix", "broken", "--dry-run"), answer("fix", "users")],
        "monopack list": [answer("list"), _unreadable_lock(shop)],
        "monopack list --brief": [answer("list", "--brief")],
        "monopack affected": [_affected(shop)],
        "monopack why": [answer("why", "both", name) for name in ("shared_part", "app.common", "not_there", "nothing")],
        "monopack trace": [answer("trace", "both")],
        "monopack deps": [answer("deps", "orders")],
        "monopack init": [answer("init", "--yes")],
        "monopack config": [answer("config"), answer("config", "users")],
        "monopack cache": [answer("cache"), answer("cache", "clean")],
        "monopack clean": [_clean_with_something_of_others(shop)],
        "Errors": [answer("nothing"), answer("--jobs", "x"), answer("list", "--nonsense")],
    }


def _affected(shop: Project) -> str:
    shop.write({"packs/gone.py": ""})
    for arguments in (
        ["init", "--quiet"],
        ["add", "packs"],
        ["-c", "user.name=a", "-c", "user.email=a@example", "commit", "-qm", "a"],
    ):
        subprocess.run(["git", *arguments], cwd=shop.root, check=True)
    (shop.root / "packs" / "gone.py").unlink()
    return shop.run("affected", "--since", "HEAD", "--json").stdout


def _unreadable_lock(shop: Project) -> str:
    pinned = (shop.root / "requirements.txt").read_text()
    shop.require("yaml-thing==9.9", "shared-part==1.0", "big-thing==1.0")
    answered = shop.run("list", "--json").stdout
    shop.write({"requirements.txt": pinned})
    return answered


def _clean_with_something_of_others(shop: Project) -> str:
    shop.write({"build/users/mine.txt": ""})
    return shop.run("clean", "--json").stdout


def test_answers_have_exactly_the_documented_keys(shop: Project) -> None:
    tables = documented()
    for heading, given in answers(shop).items():
        table = tables[heading]
        shallow = {key for key, kind in table.items() if kind == "any"}
        found: dict[str, set[str]] = {}
        for answer in given:
            for key, kind in keys(json.loads(answer), "", shallow):
                found.setdefault(key, set()).add(kind)
        assert set(found) == set(table), heading
        for key, kind in table.items():
            assert kind == "any" or found[key] == {kind} or found[key] == set(kind.split(" or ")), f"{heading}: {key}"


def test_every_document_begins_with_the_version(shop: Project) -> None:
    for arguments in (["list", "--brief"], ["config"], ["cache"], ["clean"], ["nothing"]):
        assert next(iter(json.loads(shop.run(*arguments, "--json").stdout).items())) == ("version", 1)


def test_every_command_with_json_is_documented() -> None:
    context = click.Context(monopack())
    commands = {name: monopack().get_command(context, name) for name in COMMANDS}
    with_json = {name for name, command in commands.items() if command and any("--json" in p.opts for p in command.params)}
    assert {f"monopack {name}" for name in with_json} <= set(documented())


@pytest.mark.parametrize("arguments", [["nothing"], ["list", "--nonsense"], ["--packs-dir", "nowhere"]], ids=str)
def test_an_error_tells_the_exit_code(shop: Project, arguments: list[str]) -> None:
    done = shop.run(*arguments, "--json")
    assert json.loads(done.stdout)["exit_code"] == done.returncode == 2
