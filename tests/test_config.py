"""Each folder in cases/config is a project with its flags and variables, and what must come of them (`case.toml`)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monopack import config
from monopack.errors import ConfigError

CASES = sorted(folder for folder in (Path(__file__).parent / "cases" / "config").iterdir())


@pytest.fixture(params=CASES, ids=lambda folder: folder.name)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[dict[str, Any], Path]:
    """A case and the root of its project, a copy."""
    root = tmp_path / "project"
    shutil.copytree(request.param, root)
    return tomllib.loads((request.param / "case.toml").read_text("utf-8")), root


def test_case(case: tuple[dict[str, Any], Path]) -> None:
    wanted, root = case
    if "error" in wanted:
        with pytest.raises(ConfigError) as caught:
            observed(wanted, root)
        assert str(caught.value) == wanted["error"].strip()
        assert caught.value.hint == wanted["hint"]
        return
    loaded, options = observed(wanted, root)
    values = json.loads(loaded.config.model_dump_json()) | {
        "root": str(loaded.root),
        "build_dir_given": loaded.build_dir_given,
    }
    assert {name: values[name] for name in wanted.get("expect", {})} == in_place(wanted.get("expect", {}), root)
    assert {key: loaded.origins.get(key) for key in wanted.get("origins", {})} == wanted.get("origins", {})
    for name, expected in wanted.get("options", {}).items():
        assert {key: options[name][key] for key in expected} == expected
    assert list(loaded.warnings) == wanted.get("warnings", [])


def observed(wanted: dict[str, Any], root: Path) -> tuple[config.Loaded, dict[str, dict[str, Any]]]:
    cwd = root / wanted.get("cwd", ".")
    cwd.mkdir(parents=True, exist_ok=True)
    file = Path(wanted["config"]) if "config" in wanted else None
    loaded = config.load(wanted.get("flags", {}), cwd=cwd, config_file=file, environ=wanted.get("environ", {}))
    blocks = wanted.get("block", {})
    names = wanted.get("options", {})
    return loaded, {
        name: config.pack_options(loaded, name, blocks.get(name, {}), f"packs/{name}.py:3").model_dump(mode="json")
        for name in names
    }


def in_place(expected: Any, root: Path) -> Any:
    """An expectation with the project's root for ROOT and its parent for ABOVE."""
    text = json.dumps(expected).replace("ROOT", str(root)).replace("ABOVE", str(root.parent))
    return json.loads(text)


def load(folder: Path, flags: dict[str, object] | None = None, environ: dict[str, str] | None = None) -> config.Loaded:
    return config.load(flags or {}, cwd=folder, config_file=None, environ=environ or {})


def test_only_the_environment_that_was_passed_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONOPACK_JOBS", "7")
    monkeypatch.setenv("MONOPACK_CONFIG", "nowhere.toml")
    monkeypatch.setenv("DEBUG", "1")
    assert load(tmp_path).config.jobs == "auto"
    assert load(tmp_path, environ={"MONOPACK_JOBS": "2"}).config.jobs == 2
    assert load(tmp_path).config.debug is False


def test_without_cache_dir_the_users_cache_folder_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    loaded = load(tmp_path)
    assert loaded.cache_dir == loaded.config.cache_dir
    assert loaded.cache_dir.is_relative_to(tmp_path)
    assert loaded.cache_dir.name == "monopack"


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert load(tmp_path, environ={"MONOPACK_CACHE_DIR": "~/cache"}).cache_dir == tmp_path / "me" / "cache"


def test_a_link_as_build_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "build").symlink_to(tmp_path / "elsewhere")
    assert load(tmp_path).build_dir == tmp_path / "build"


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_file_may_have_a_byte_order_mark_and_any_line_ends(tmp_path: Path, start: bytes, end: bytes) -> None:
    (tmp_path / "monopack.toml").write_bytes(start + end.join([b"jobs = 3", b"[pack]", b'handler = "m\xc3\xa4in"', b""]))
    loaded = load(tmp_path)
    assert (loaded.config.jobs, loaded.config.pack.handler) == (3, "mäin")


def test_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "monopack.toml").write_bytes(b'jobs = 3\n[pack]\nhandler = "m\xe4in"\n')
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert str(caught.value) == "monopack.toml:3: is not UTF-8 text"


def test_exit_code_is_the_one_for_usage(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {"jobs": "many"})
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("field", ["skip_tests", "verify", "debug", "offline", "force", "auto_fix"])
@given(text=st.sampled_from(["1", "true", "yes", "on", "0", "false", "no", "off"]), upper=st.data())
def test_booleans_in_any_case(field: str, text: str, upper: st.DataObject) -> None:
    mixed = "".join(upper.draw(st.sampled_from([letter, letter.upper()])) for letter in text)
    loaded = load(Path("/nowhere"), environ={f"MONOPACK_{field.upper()}": mixed})
    assert getattr(loaded.config, field) is (text in ("1", "true", "yes", "on"))


@given(text=st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1))
def test_nothing_else_is_a_boolean(text: str) -> None:
    known = text.strip().lower() in ("1", "true", "yes", "on", "0", "false", "no", "off")
    if known:
        return
    with pytest.raises(ConfigError) as caught:
        load(Path("/nowhere"), environ={"MONOPACK_DEBUG": text})
    assert caught.value.where == "MONOPACK_DEBUG"


LEVELS = (None, 1, 2, 3)


@pytest.mark.parametrize(("flag", "variable", "line"), list(product(LEVELS, repeat=3)))
def test_the_best_source_that_has_a_value_wins(tmp_path: Path, flag: int | None, variable: int | None, line: int | None) -> None:
    if line:
        (tmp_path / "monopack.toml").write_text(f"jobs = {line}\n", "utf-8")
    loaded = load(tmp_path, {"jobs": flag}, {"MONOPACK_JOBS": str(variable)} if variable else {})
    assert loaded.config.jobs == (flag or variable or line or "auto")
    wanted = "flag --jobs" if flag else "variable MONOPACK_JOBS" if variable else "monopack.toml: jobs" if line else "default"
    assert loaded.origins["jobs"] == wanted


words = st.text("abcxyz._-*/", min_size=1)


@given(names=st.lists(words, max_size=5), blanks=st.sampled_from(["", " ", "  "]))
def test_lists_in_variables_are_comma_lists_or_json(names: list[str], blanks: str) -> None:
    commas = load(Path("/nowhere"), environ={"MONOPACK_PACK__INCLUDE": f"{blanks},{blanks}".join(names) or ","})
    as_json = load(Path("/nowhere"), environ={"MONOPACK_PACK__INCLUDE": json.dumps(names)})
    assert commas.config.pack.include == as_json.config.pack.include == tuple(names)


@given(st.lists(words), st.lists(words), st.lists(words))
def test_lists_are_united_in_order_without_duplicates(base: list[str], table: list[str], block: list[str]) -> None:
    environ = {"MONOPACK_PACK__EXCLUDE": json.dumps(base), "MONOPACK_PACKS__X__EXCLUDE": json.dumps(table)}
    options = config.pack_options(load(Path("/nowhere"), environ=environ), "x", {"exclude": block}, "packs/x.py:1")
    assert list(options.exclude) == list(dict.fromkeys(base + table + block))


def test_a_block_does_not_change_other_packs(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    config.pack_options(loaded, "a", {"env": {"A": "1"}, "extra_modules": ["x"]}, "packs/a.py:1")
    assert config.pack_options(loaded, "b", {}, "").env == {}
    assert config.pack_options(loaded, "b", {}, "").extra_modules == ()


def test_tables_for_packs_that_there_are_not(tmp_path: Path) -> None:
    (tmp_path / "monopack.toml").write_text("[packs.users_gte]\n[packs.Users_List]\n", "utf-8")
    with pytest.raises(ConfigError) as caught:
        config.check_pack_names(load(tmp_path), ["users_get", "Users_List"])
    assert str(caught.value) == "monopack.toml: packs.users_gte: there is no pack users_gte, did you mean users_get?"
    assert caught.value.hint == "the packs are: Users_List, users_get"


def test_variables_for_packs_that_there_are_not(tmp_path: Path) -> None:
    loaded = load(tmp_path, environ={"MONOPACK_PACKS__BILL__HANDLER": "x", "MONOPACK_PACKS__USERS_GET__HANDLER": "x"})
    with pytest.raises(ConfigError) as caught:
        config.check_pack_names(loaded, ["Users_Get"])
    assert caught.value.where == "MONOPACK_PACKS__BILL__HANDLER"
    config.check_pack_names(loaded, ["Users_Get", "bill"])


def test_flags_have_what_a_command_line_needs() -> None:
    flags = {flag.name: flag for flag in config.flags()}
    assert list(flags) == [
        "packs_dir", "build_dir", "skip_tests", "verify", "debug", "jobs", "sha_output", "compression", "package_manager",
        "target", "require_hashes", "locked", "python", "existing_install_python", "cache_dir", "cache", "offline", "force",
        "auto_fix", "quiet", "color",
    ]  # fmt: skip
    assert {name for name, flag in flags.items() if flag.negative} == {
        "skip_tests",
        "verify",
        "debug",
        "require_hashes",
        "locked",
        "cache",
        "offline",
        "force",
        "auto_fix",
        "quiet",
    }
    assert (flags["verify"].option, flags["verify"].negative, flags["verify"].default) == ("--verify", "--no-verify", "true")
    assert flags["build_dir"].metavar == "DIR"
    assert all(flag.help.endswith(".") and flag.default for flag in flags.values())


@pytest.mark.parametrize("manager", ["auto", "pip", "uv", "poetry", "pipenv"])
def test_a_package_manager_can_be_chosen_on_the_command_line_and_in_the_file(tmp_path: Path, manager: str) -> None:
    assert load(tmp_path, {"package_manager": manager}).config.package_manager == manager
    (tmp_path / "monopack.toml").write_text(f'package_manager = "{manager}"\n', "utf-8")
    assert load(tmp_path).config.package_manager == manager


def test_an_unknown_package_manager_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {"package_manager": "conda"})
    assert '"poetry", "pdm", "pipenv", "pylock" or "pylock.NAME"' in f"{caught.value} {caught.value.hint}"


def test_every_flag_can_be_given_as_text_or_boolean(tmp_path: Path) -> None:
    fitting: dict[str, object] = {"jobs": "2", "compression": "small", "package_manager": "uv", "color": "never"}
    given_flags = {flag.name: fitting.get(flag.name, True if flag.kind == "bool" else "b64") for flag in config.flags()}
    loaded = load(tmp_path, given_flags)
    assert {key: origin for key, origin in loaded.origins.items() if key in given_flags} == {
        flag.name: f"flag {flag.option}" for flag in config.flags()
    }


def test_schema_knows_every_key_and_no_other() -> None:
    schema = config.schema()
    pack = schema["$defs"]["PackOptions"]
    assert set(schema["properties"]) == set(config.BuildConfig.model_fields)
    assert set(pack["properties"]) == set(config.PackOptions.model_fields)
    assert schema["additionalProperties"] is pack["additionalProperties"] is False
    assert all("description" in item for part in (schema, pack) for item in part["properties"].values())
    assert "null" not in json.dumps(schema)


def test_configuration_cannot_be_changed(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    with pytest.raises(ValueError, match="frozen"):
        loaded.config.jobs = 3  # type: ignore[misc]


def test_importing_leaves_the_toml_library_for_when_a_file_is_read() -> None:
    script = "import sys; from monopack import config; assert config.load; print('tomlkit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout == "False\n"
