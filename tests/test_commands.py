"""The commands beside `build`, as a person and a machine meet them."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from projects import Project

ROOT = Path(__file__).parent.parent


def document(shop: Project, *arguments: str, code: int = 0) -> dict[str, Any]:
    done = shop.run(*arguments, "--json")
    assert done.returncode == code, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    assert loaded["version"] == 1
    return loaded


# ---------------------------------------------------------------- which command


def test_build_is_what_is_done_without_a_command(shop: Project) -> None:
    assert shop.build("build", "users").stdout == shop.build("users").stdout == "build/users\n"
    assert shop.build("--quiet", "users").stdout == "build/users\n"


@pytest.mark.parametrize("command", ["list", "clean", "config", "cache"])
def test_a_command_that_is_a_pack_too_is_refused(shop: Project, command: str) -> None:
    shop.pack(command)
    done = shop.run(command)
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {shop.root}/packs/{command}.py: {command} is a command, and a pack too\n"
        f"  hint: monopack build {command} builds the pack; rename the pack to use the command\n"
    )
    assert shop.build("build", command).stdout == f"build/{command}\n"


def test_options_come_after_the_command(shop: Project) -> None:
    done = shop.run("--quiet", "list")
    assert (done.returncode, done.stderr) == (
        2, "error: list is a command, and no pack\n  hint: options come after it: monopack list [OPTIONS]\n",
    )  # fmt: skip


@pytest.mark.parametrize("arguments", [("--nonsense",), ("list", "--nonsense"), ("build", "a", "b"), ("cache", "--unused", "3")])
def test_wrong_words_are_refused_in_one_line_and_a_hint(shop: Project, arguments: tuple[str, ...]) -> None:
    done = shop.run(*arguments)
    assert done.returncode == 2
    error, hint = done.stderr.splitlines()
    assert error.startswith("error: ")
    command = arguments[0] if arguments[0].isalpha() else "build"
    assert hint == f"  hint: monopack {command} --help lists the options"


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (("--affected",), "Option '--affected' requires an argument.", "monopack build --affected REV; monopack build --help"),
        (("--affected", "--since", "HEAD"), "--affected needs a revision, and --since is none", "monopack build --affected REV"),
        (("affected", "HEAD"), "say what has changed: --since REV, or --files FILE... (did you mean --since HEAD?)", ""),
    ],
)
def test_how_a_change_is_named_is_told(shop: Project, arguments: tuple[str, ...], error: str, hint: str) -> None:
    told = shop.run(*arguments).stderr.splitlines()
    assert told[0] == f"error: {error}"
    assert told[1].startswith(f"  hint: {hint}")


def test_a_refusal_is_json_too_when_that_was_asked_for(shop: Project) -> None:
    refused = document(shop, "list", "--packs-dir", "nowhere", code=2)
    assert refused["exit_code"] == 2
    assert refused["error"] == {
        "message": f"there is no such folder in {shop.root}",
        "where": "nowhere",
        "hint": "run monopack in your project's folder, where monopack init writes a first pack,"
        " or name its packs: --packs-dir DIR",
    }


# ---------------------------------------------------------------- list


def states(shop: Project) -> dict[str, str]:
    return {pack["name"]: pack["status"] for pack in document(shop, "list")["packs"]}


def test_list_tells_what_a_build_would_find(shop: Project) -> None:
    assert states(shop) == {"orders": "not built", "users": "not built"}
    assert not (shop.root / "build").exists()
    shop.build("users")
    assert states(shop) == {"orders": "not built", "users": "up to date"}
    shop.write({"app/users.py": "def report(): ...\n", "tests/test_users.py": "import packs.users\n"})
    assert states(shop)["users"] == "outdated"


def test_list_shows_sizes_as_the_build_writes_them(shop: Project) -> None:
    (built,) = document(shop, "build", "users")["packs"]
    (listed,) = document(shop, "list", "users")["packs"]
    for key in ("name", "handler", "folder", "files", "distributions", "size", "packed"):
        assert listed[key] == built[key]
    head, row = shop.build("list", "users").stdout.splitlines()
    assert head.split() == ["pack", "state", "files", "distributions", "unpacked", "zip", "handler"]
    assert row.split()[:5] == ["users", "up", "to", "date", "4"]
    assert row.endswith("packs.users.lambda_handler")


def test_list_names_what_is_wrong_with_a_pack_and_lists_the_others(shop: Project) -> None:
    shop.write({"app/orders.py": "def broken(:\n"})
    done = shop.run("list")
    assert done.returncode == 1
    assert "error: orders: app/orders.py:1: syntax error" in done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:]] == [["orders", "failed"], ["users", "not"]]


def test_list_finds_imports_that_nothing_provides_as_a_build_does(shop: Project) -> None:
    shop.write({"app/orders.py": "import nowhere\n", "app/users.py": "def later():\n    import elsewhere\n"})
    listed, built = shop.run("list"), shop.run("build")
    for done in (listed, built):
        assert done.returncode == 1
        assert "error: orders: app/orders.py:1: imports nowhere" in done.stderr
        assert "warning: users: app/users.py:2: imports elsewhere" in done.stderr


def test_a_brief_list_reads_no_lock_and_fetches_nothing(shop: Project) -> None:
    shop.write({"requirements.txt": "this is not a requirement\n", "app/orders.py": "def broken(:\n"})
    assert document(shop, "list", "--brief")["packs"] == [
        {"name": "orders", "handler": "packs.orders.lambda_handler", "folder": "build/orders"},
        {"name": "users", "handler": "packs.users.lambda_handler", "folder": "build/users"},
    ]
    assert shop.build("list", "--brief").stdout.splitlines()[1].split() == ["orders", "packs.orders.lambda_handler"]


# ---------------------------------------------------------------- config, schema


def test_config_tells_where_every_value_came_from(shop: Project) -> None:
    shop.write({"monopack.toml": "jobs = 3\n[pack]\nhandler = 'go'\n"})
    done = shop.build("config", "--build-dir", "out", MONOPACK_OFFLINE="yes")
    rows = {line.split()[0]: line.split(maxsplit=1)[1] for line in done.stdout.splitlines()}
    assert rows["jobs"].split(maxsplit=1) == ["3", "monopack.toml: jobs"]
    assert rows["build_dir"].split(maxsplit=1) == [f'"{shop.root}/out"', "flag --build-dir"]
    assert rows["offline"].split(maxsplit=1) == ["true", "variable MONOPACK_OFFLINE"]
    assert rows["pack.handler"].split(maxsplit=1) == ['"go"', "monopack.toml: pack.handler"]
    assert rows["verify"].split(maxsplit=1) == ["true", "default"]


def test_config_of_a_pack_names_all_places_of_a_united_list(shop: Project) -> None:
    shop.write({
        "monopack.toml": "[pack]\nextra_modules = ['app.common']\nhandler = 'a'\n[packs.users]\nhandler = 'b'\n",
        "packs/users.py": "# monopack-start\n# extra_modules = ['app.unused']\n# monopack-end\n",
    })  # fmt: skip
    options = {o["key"]: o for o in document(shop, "config", "users", "--no-verify")["options"]}
    assert options["extra_modules"]["value"] == ["app.common", "app.unused"]
    assert options["extra_modules"]["origins"] == ["monopack.toml: pack.extra_modules", "packs/users.py:1"]
    assert options["handler"] == {"key": "handler", "value": "b", "origins": ["monopack.toml: packs.users.handler"]}
    assert options["verify"] == {"key": "verify", "value": False, "origins": ["flag --no-verify"]}
    assert options["include"]["origins"] == ["default"]


def test_config_finds_what_is_wrong_in_any_managed_block(shop: Project) -> None:
    shop.write({"packs/users.py": "# monopack-start\n# extra_module = ['app.unused']\n# monopack-end\n"})
    done = shop.run("config")
    assert done.returncode == 2
    assert "packs/users.py:1: extra_module: unknown key, did you mean extra_modules?" in done.stderr


def test_schema_prints_the_committed_schema(shop: Project) -> None:
    assert json.loads(shop.build("schema").stdout) == json.loads((ROOT / "schemas/monopack.schema.json").read_text("utf-8"))


# ---------------------------------------------------------------- init


def test_init_writes_what_a_first_build_needs_and_changes_nothing_that_is_there(project: Project) -> None:
    handler = "def lambda_handler(event, context):\n    return {'statusCode': 200}\n"
    project.write({"app/__init__.py": "", "app/orders.py": handler, "tests/test_orders.py": "mine = True\n"})
    done = project.build("init", "--yes")
    assert done.stdout == "monopack.toml\npacks/orders.py\ntests/test_pack_orders.py\n"
    assert done.stderr == "next: monopack\n"
    assert project.build().stdout == "build/orders\n"
    again = project.build("init", "--yes")
    assert (again.stdout, again.stderr) == ("", "there is nothing to write: every handler found has its pack\n")
    assert (project.root / "tests/test_orders.py").read_text() == "mine = True\n"


def test_init_without_a_terminal_wants_to_be_told(project: Project) -> None:
    done = project.run("init")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: init: there is no terminal to ask on\n  hint: --yes takes the proposed answers\n"
    assert list(project.root.iterdir()) == []


# ---------------------------------------------------------------- cache


def test_cache_shows_and_cleans_the_store(shop: Project) -> None:
    assert document(shop, "cache")["distributions"] == []
    shop.build()
    shown = document(shop, "cache")
    wheels = [held["wheel"] for held in shown["distributions"]]
    assert wheels == [f"{name}-1.0-py3-none-any.whl" for name in ("big_thing", "shared_part", "yaml_thing")]
    wheels_and_parsed = (*(shop.cache / "v1" / "wheels").rglob("*"), *(shop.cache / "v1" / "parsed").rglob("*"))
    on_disk = sum(file.stat().st_size for file in wheels_and_parsed if file.is_file())
    assert shown["size"] == on_disk > shown["parsed_size"] > 0
    assert shop.build("cache").stdout.splitlines()[0] == str(shop.cache)
    before = shop.outputs()
    assert len(document(shop, "cache", "clean")["removed"]) == 3
    assert not [file for file in shop.cache.rglob("*") if file.is_file()]
    assert document(shop, "cache")["distributions"] == []
    shutil.rmtree(shop.root / "build")
    shop.build()
    assert shop.outputs() == before


def test_cache_clean_unused_keeps_what_runs_have_used(shop: Project) -> None:
    shop.build()
    long_ago = time.time() - 40 * 24 * 3600
    for entry in (shop.cache / "v1" / "wheels").iterdir():
        os.utime(entry, (long_ago, long_ago))
    shop.build("users")
    removed = document(shop, "cache", "clean", "--unused", "30")["removed"]
    assert [held["wheel"].partition("-")[0] for held in removed] == ["shared_part", "yaml_thing"]
    assert shop.build("users", "--offline")


# ---------------------------------------------------------------- clean


def test_clean_removes_what_monopack_wrote_and_nothing_else(shop: Project) -> None:
    assert shop.build("clean").stdout == ""
    shop.build("--sha-output", "hex,b64")
    shop.write({"build/mine.txt": "mine", "build/orders/mine.txt": "mine"})
    done = shop.build("clean")
    assert "build/users.zip\n" in done.stdout
    assert "build/orders stays: it holds what monopack did not write" in done.stderr
    left = sorted(path.relative_to(shop.root / "build").as_posix() for path in (shop.root / "build").rglob("*") if path.is_file())
    assert [path for path in left if not path.startswith(".")] == ["mine.txt", "orders/mine.txt"]
    shop.build("--force")


def test_clean_removes_the_build_folder_when_all_in_it_was_monopacks(shop: Project) -> None:
    shop.build()
    shop.build("clean")
    assert not (shop.root / "build").exists()


def test_clean_keeps_an_artifact_that_somebody_changed(shop: Project) -> None:
    shop.build("users")
    (shop.root / "build/users.zip").write_bytes(b"other")
    cleaned = document(shop, "clean")
    assert cleaned["kept"] == ["build/users.zip"]
    assert (shop.root / "build/users.zip").read_bytes() == b"other"


# ---------------------------------------------------------------- fix


def hidden(shop: Project) -> bytes:
    """Give the pack `users` an import that no tracing can see; the bytes of its file."""
    shop.write({"app/plugin.py": ""})
    shop.pack("users", "__import__(bytes([97, 112, 112, 46, 112, 108, 117, 103, 105, 110]).decode())\n")
    return (shop.root / "packs/users.py").read_bytes()


def test_fix_shows_the_change_and_writes_nothing_when_it_is_only_tried(shop: Project) -> None:
    before = hidden(shop)
    done = shop.build("fix", "users", "--dry-run")
    assert '+# extra_modules = ["app.plugin"]' in done.stdout.splitlines()
    assert (shop.root / "packs/users.py").read_bytes() == before
    assert not (shop.root / "build").exists()


def test_fix_writes_what_it_shows(shop: Project) -> None:
    before = hidden(shop)
    rehearsed = document(shop, "fix", "users", "--dry-run")
    fixed = document(shop, "fix", "users")
    assert (rehearsed["written"], fixed["written"]) == (False, True)
    assert fixed["diff"] == rehearsed["diff"] != ""
    assert (shop.root / "packs/users.py").read_bytes() != before
    assert shop.build("users").stdout == "build/users\n"
    assert shop.build("fix", "users").stdout == ""


def test_fix_of_what_cannot_be_fixed_fails_like_the_build(shop: Project) -> None:
    shop.pack("users", "import nowhere\n")
    before = (shop.root / "packs/users.py").read_bytes()
    done = shop.run("fix", "users")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: users: packs/users.py:1: imports nowhere" in done.stderr
    assert (shop.root / "packs/users.py").read_bytes() == before


@pytest.mark.parametrize("arguments", [("fix",), ("fix", "users", "--no-verify")])
def test_fix_needs_a_pack_and_verifying(shop: Project, arguments: tuple[str, ...]) -> None:
    assert shop.run(*arguments).returncode == 2
