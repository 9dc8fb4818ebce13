"""The main job, as a user meets it: the real command on real folders, wheels and zips."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from projects import Project, import_alone
from uv import find_uv_bin

ROOT = Path(__file__).parent.parent
LOAD = "load = getattr(__import__('importlib'), 'import_module')"  # no rule of tracing sees through that
ORDERS = {
    "app/__init__.py", "app/common.py", "app/orders.py", "packs/orders.py", "shared_part/__init__.py", "yaml/__init__.py",
    "yaml/loader.py",
}  # fmt: skip


def without_metadata(paths: set[str]) -> set[str]:
    return {path for path in paths if ".dist-info/" not in path}


def test_the_main_job(shop: Project, tmp_path: Path) -> None:
    done = shop.build("--sha-output", "hex,b64")
    assert done.stdout == "build/orders\nbuild/users\n"
    assert without_metadata(shop.shipped("orders")) == ORDERS
    assert {p.split("-")[0] for p in shop.shipped("users") if ".dist-info/" in p} == {"big_thing"}
    alone = import_alone(shop.root / "build" / "orders.zip", tmp_path / "alone", "packs.orders")
    assert alone.returncode == 0, alone.stderr
    for name in ("orders", "users"):
        zipped = shop.output(f"{name}.zip")
        assert shop.output(f"{name}.package.sha256").decode() == hashlib.sha256(zipped).hexdigest() + "\n"
        code = base64.b64encode(hashlib.sha256(zipped).digest()).decode()
        assert shop.output(f"{name}.package.sha256.b64").decode() == code + "\n"
        with zipfile.ZipFile(shop.root / "build" / f"{name}.zip") as archive:
            assert archive.testzip() is None
    assert (shop.root / "build" / ".gitignore").read_text() == "*\n"


def test_the_built_folder_holds_exactly_what_the_zip_holds(shop: Project) -> None:
    shop.build()
    folder = shop.root / "build" / "orders"
    with zipfile.ZipFile(shop.root / "build" / "orders.zip") as archive:
        zipped = {name: archive.read(name) for name in archive.namelist()}
    assert {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()} == zipped


def test_nothing_of_the_tool_ships(shop: Project) -> None:
    shop.build()
    for name in ("orders", "users"):
        unwanted = ("requirements.txt", "INSTALLER", "REQUESTED", "direct_url.json")
        assert not [p for p in shop.shipped(name) if "__pycache__" in p or p.startswith("bin/") or p.endswith(unwanted)]
        with zipfile.ZipFile(shop.root / "build" / f"{name}.zip") as archive:
            assert not [n for n in archive.namelist() if str(shop.root).encode() in archive.read(n)]


def test_the_manifest_says_what_ships_and_why(shop: Project) -> None:
    shop.build()
    manifest = shop.manifest("orders")
    assert manifest["handler"] == "packs.orders.lambda_handler"
    assert manifest["artifact"]["sha256"] == hashlib.sha256(shop.output("orders.zip")).hexdigest()
    assert [(d["name"], d["because"]) for d in manifest["distributions"]] == [
        ("shared-part", "required by yaml-thing"),
        ("yaml-thing", "imported as yaml.loader (app/orders.py:2)"),
    ]
    assert {f["path"] for f in manifest["files"]} == shop.shipped("orders")
    assert str(shop.root) not in shop.output("orders.manifest.json").decode()


def test_one_pack_by_name(shop: Project) -> None:
    assert shop.build("users").stdout == "build/users\n"
    assert not (shop.root / "build" / "orders.zip").exists()


@pytest.mark.parametrize("build_dir", ["out", "deep/out", "ABSOLUTE"])
def test_paths_are_printed_as_they_were_given(shop: Project, tmp_path: Path, build_dir: str) -> None:
    given = str(tmp_path / "absolute out") if build_dir == "ABSOLUTE" else build_dir
    assert shop.build("users", "--build-dir", given).stdout == f"{given}/users\n"
    assert (shop.root / given / "users.zip").exists()


def test_from_another_folder_with_a_config_file(shop: Project, tmp_path: Path) -> None:
    shop.write({"monopack.toml": 'build_dir = "dist"\n'})
    done = shop.build("users", "--config", str(shop.root / "monopack.toml"), cwd=tmp_path)
    assert done.stdout == "project/dist/users\n"
    inside = shop.root / "app"
    assert shop.build("users", cwd=inside).stdout == f"{shop.root}/dist/users\n"


def test_spaces_and_other_alphabets_in_paths(shop: Project, tmp_path: Path) -> None:
    moved = tmp_path / "mon dépôt ünï"
    shop.root.rename(moved)
    shop.root = moved
    assert shop.build("--build-dir", "büild dir").stdout == "büild dir/orders\nbüild dir/users\n"


# ---------------------------------------------------------------- same inputs, same bytes; unchanged work is not done again


def test_a_second_run_rewrites_nothing(shop: Project) -> None:
    shop.build()
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in (shop.root / "build").glob("*.*")}
    folders = {p: p.stat().st_mtime_ns for p in (shop.root / "build" / "orders").rglob("*")}
    again = shop.build()
    assert again.stdout == "build/orders\nbuild/users\n"
    assert again.stderr.count("unchanged") == 4
    assert {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in (shop.root / "build").glob("*.*")} == before
    assert {p: p.stat().st_mtime_ns for p in (shop.root / "build" / "orders").rglob("*")} == folders


def test_a_changed_wheel_with_the_same_content_is_noticed(shop: Project) -> None:
    """Same files, other compression: the zip is what a cold build gives."""
    shop.build("users")
    shop.wheel("big-thing", method=zipfile.ZIP_STORED)
    shop.build("users")
    warm = shop.outputs()
    shutil.rmtree(shop.root / "build")
    shop.build("users")
    assert {k: v for k, v in shop.outputs().items() if k in warm} == warm


@pytest.mark.parametrize(
    "gone", ["orders", "orders/app", "orders_test", ".monopack/orders.tree.json", ".monopack/orders.built.json"]
)
def test_what_is_taken_out_of_the_build_folder_is_made_again(shop: Project, gone: str) -> None:
    shop.build("orders")
    before = shop.outputs()
    path = shop.root / "build" / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    done = shop.run("orders", "--force" if ".monopack" in gone else "--no-force")
    assert done.returncode == 0, done.stderr
    assert (shop.root / "build" / "orders" / "app" / "orders.py").exists()
    assert shop.outputs() == before


@pytest.mark.parametrize("damaged", ["orders.zip", "orders.package.sha256", "orders.manifest.json"])
def test_a_damaged_output_is_made_again(shop: Project, damaged: str) -> None:
    shop.build("orders")
    whole = shop.output(damaged)
    (shop.root / "build" / damaged).write_bytes(b"x" + whole[1:])
    os.utime(shop.root / "build" / damaged, ns=(1, 1))
    shop.build("orders")
    assert shop.output(damaged) == whole
    (shop.root / "build" / damaged).unlink()
    shop.build("orders")
    assert shop.output(damaged) == whole


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONHASHSEED": "0"},
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Kolkata", "LC_ALL": "C"},
        {"MONOPACK_JOBS": "8", "LC_ALL": "C.UTF-8", "TZ": "America/St_Johns"},
    ],
    ids=str,
)
def test_the_same_bytes_whatever_is_around(shop: Project, tmp_path: Path, variables: dict[str, str]) -> None:
    shop.build("--jobs", "1")
    first = shop.outputs()
    other = Project(root=tmp_path / "far" / "away", index=shop.index, cache=tmp_path / "cold")
    shutil.copytree(shop.root, other.root, ignore=shutil.ignore_patterns("build"))
    for path in other.root.rglob("*.py"):
        os.utime(path, (0, 0) if "packs" in path.parts else (7258118400, 7258118400))
    previous = os.umask(0o077)
    try:
        other.build(**variables)
    finally:
        os.umask(previous)
    assert other.outputs() == first


def test_source_date_epoch_dates_the_members(shop: Project) -> None:
    shop.build("users", SOURCE_DATE_EPOCH="1700000000")
    with zipfile.ZipFile(shop.root / "build" / "users.zip") as archive:
        assert {info.date_time for info in archive.infolist()} == {(2023, 11, 14, 22, 13, 20)}
    shop.build("users")
    with zipfile.ZipFile(shop.root / "build" / "users.zip") as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    wrong = shop.run("users", SOURCE_DATE_EPOCH="yesterday")
    assert wrong.returncode == 2
    assert "SOURCE_DATE_EPOCH: 'yesterday' is no number of seconds" in wrong.stderr


def test_only_what_changed_is_built_again(shop: Project) -> None:
    shop.build()
    shop.write({"app/users.py": "from . import common\nreport = 1\n"})
    again = shop.build()
    assert "orders: unchanged" in again.stderr
    assert "users: built" in again.stderr
    assert "big_thing/__init__.py" not in shop.shipped("users")
    kept = {file.name.partition(".")[0] for file in (shop.root / "build" / ".monopack" / "compiled").iterdir()}
    source = shop.root / "app" / "users.py"
    assert hashlib.sha256(source.read_bytes()).hexdigest() in kept
    source.write_text("from . import common\nreport = 2\n")
    shop.build()
    now = {file.name.partition(".")[0] for file in (shop.root / "build" / ".monopack" / "compiled").iterdir()}
    assert (len(kept - now), len(now - kept)) == (1, 1), "what was compiled of the old text is gone"


def test_a_changed_or_removed_requirement_leaves_no_trace(shop: Project, tmp_path: Path) -> None:
    shop.build()
    shop.wheel("shared-part", "2.0")
    shop.require("yaml-thing==1.0", "shared-part==2.0", "big-thing==1.0", "unused-thing==1.0")
    shop.write({"app/users.py": "from . import common\nreport = 1\n"})
    shop.build()
    cold = Project(root=tmp_path / "cold", index=shop.index, cache=tmp_path / "cold-cache")
    shutil.copytree(shop.root, cold.root, ignore=shutil.ignore_patterns("build"))
    cold.build()
    assert shop.outputs() == cold.outputs()
    folders = [sorted(p.relative_to(x.root) for p in (x.root / "build" / "orders").rglob("*")) for x in (shop, cold)]
    assert folders[0] == folders[1]


def test_chmod_changes_both_digests(shop: Project) -> None:
    shop.build("users")
    before = shop.manifest("users")
    (shop.root / "app" / "common.py").chmod(0o755)
    shop.build("users")
    after = shop.manifest("users")
    assert before["content_sha256"] != after["content_sha256"]
    assert before["artifact"]["sha256"] != after["artifact"]["sha256"]


def test_a_digest_format_that_is_no_longer_asked_for_is_removed(shop: Project) -> None:
    shop.build("users", "--sha-output", "hex,b64")
    shop.build("users", "--sha-output", "b64")
    assert (shop.root / "build" / "users.package.sha256.b64").exists()
    assert not (shop.root / "build" / "users.package.sha256").exists()


# ---------------------------------------------------------------- what fails


def test_every_failing_pack_is_reported_in_order_and_the_others_are_built(project: Project) -> None:
    for number in range(1, 7):
        project.pack(f"p{number}", f"import {'nowhere' if number % 2 else 'json'}_{number}\n" if number % 2 else "import json\n")
    done = project.run("--jobs", "4")
    assert done.returncode == 1
    assert done.stdout == "build/p2\nbuild/p4\nbuild/p6\n"
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    said = "which no first-party file provides, and there is no lock to take it from"
    assert errors == [f"error: p{n}: packs/p{n}.py:1: imports nowhere_{n}, {said}" for n in (1, 3, 5)]
    hints = [line for line in done.stderr.splitlines() if line.startswith("  hint: ")]
    files = "uv.lock, poetry.lock, pdm.lock, Pipfile.lock or pylock.toml"
    assert hints[0] == f"  hint: in the project's root: echo nowhere-1 >> requirements.txt (or lock it: {files})"


def test_a_pin_that_cannot_be_had_fails_only_packs_that_need_it(project: Project) -> None:
    project.wheel("windows-thing", tag="cp311-cp311-win_amd64")
    project.wheel("six-thing")
    project.require("windows-thing==1.0", "six-thing==1.0")
    project.pack("guarded", "import six_thing\ntry:\n    import nowhere\nexcept ImportError:\n    pass\n")
    project.pack("lazy", "def later():\n    import nowhere\n")
    project.pack("needs", "import windows_thing\n")
    done = project.run()
    assert done.stdout == "build/guarded\nbuild/lazy\n"
    assert done.returncode == 3
    assert "warning: lazy: packs/lazy.py:2: imports nowhere, which no first-party file" in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert [error.partition(" has no wheel")[0] for error in errors] == ["error: needs: requirements.txt:3: windows-thing==1.0"]
    assert "guarded" not in done.stderr.replace("guarded: built", "").partition("pack  ")[0]


def test_metadata_that_code_looks_for_at_import_is_named(project: Project) -> None:
    project.wheel("plugin-thing")
    project.require("plugin-thing==1.0")
    for name, wanted in (("pinned", "'plugin'"), ("own", "'our'")):
        rest = "'-thing'" if name == "pinned" else "'-project'"
        project.pack(name, f"import importlib.metadata\nimportlib.metadata.version({wanted}.lower() + {rest})\n")
    project.pack("literal", "import importlib.metadata\nimportlib.metadata.version('plugin-thing')\n")
    done = project.run()
    assert "build/literal" in done.stdout.splitlines()
    assert "error: own: packs/own.py:2: PackageNotFoundError: No package metadata was found for our-project" in done.stderr
    assert "hint: pin it, or commit our_project-VERSION.dist-info/METADATA and add to monopack.toml: [packs.own]" in done.stderr
    assert 'hint: add to monopack.toml: [packs.pinned]  extra_distributions = ["plugin-thing"]' in done.stderr
    metadata = "Metadata-Version: 2.1\nName: our-project\nVersion: 3.0\n"
    project.write({"our_project-3.0.dist-info/METADATA": metadata, "monopack.toml": (
        '[packs.own]\ninclude = ["our_project-3.0.dist-info/**"]\n[packs.pinned]\nextra_distributions = ["plugin-thing"]\n'
    )})  # fmt: skip
    project.build()


def test_a_stand_in_for_the_platform_that_code_does_not_get_on_with_is_explained(project: Project) -> None:
    project.wheel(
        "outer-thing",
        files={"outer_thing.py": "import re, inner_thing\nre.match('x', inner_thing.version)\n"},
        requires=["inner-thing"],
    )
    project.wheel("inner-thing")
    project.require("outer-thing==1.0", "inner-thing==1.0")
    project.pack("a", "import outer_thing\n")
    project.write({"monopack.toml": '[pack]\nexclude_distributions = ["inner-thing"]\n'})
    done = project.run()
    assert "hint: inner_thing: left to the platform by exclude_distributions, so a stand-in took its place" in done.stderr


def test_a_config_file_beside_packs_that_were_named_from_elsewhere_counts(shop: Project, tmp_path: Path) -> None:
    shop.write({"monopack.toml": '[pack]\nhandler = "go"\n', "packs/users.py": "def go(event, context): ...\n"})
    arguments = ("users", "--packs-dir", str(shop.root / "packs"), "--build-dir", str(tmp_path / "out"), "--skip-tests")
    assert "(monopack.toml)" in shop.build(*arguments, cwd=tmp_path).stderr
    assert shop.build("users", "--skip-tests", MONOPACK_PACKS_DIR=str(shop.root / "packs"), cwd=tmp_path)


def test_a_cache_in_the_build_folder_is_refused(shop: Project) -> None:
    done = shop.run("--cache-dir", "build/cache")
    assert done.returncode == 2
    assert "build/cache: the cache folder lies in the build folder\n  hint: choose another one with --cache-dir" in done.stderr


def test_a_failed_build_leaves_the_artifacts_as_they_were_and_says_so(shop: Project) -> None:
    shop.build()
    before = shop.outputs()
    shop.write({"app/orders.py": "raise RuntimeError('not today')\n"})
    done = shop.run()
    assert done.returncode == 1
    assert "error: orders: app/orders.py:1: RuntimeError: not today" in done.stderr
    assert "orders: the artifacts of the last good build are unchanged" in done.stderr
    assert shop.outputs() == before


def test_a_handler_that_is_missing_none_or_not_callable_fails(project: Project) -> None:
    project.write({"packs/a.py": "x = 1\n", "packs/b.py": "lambda_handler = None\n", "packs/c.py": "lambda_handler = 3\n"})
    project.write({"monopack.toml": "[pack]\nrequire_tests = false\n"})
    done = project.run()
    assert done.returncode == 1
    assert [line.split(":")[1].strip() for line in done.stderr.splitlines() if line.startswith("error: ")] == ["a", "b", "c"]
    project.write({"monopack.toml": '[pack]\nrequire_tests = false\nhandler = ""\n'})
    assert project.build().stdout == "build/a\nbuild/b\nbuild/c\n"


def test_code_that_changes_its_own_package_fails_and_names_the_file(project: Project) -> None:
    code = "import pathlib\npathlib.Path(__file__).with_name('cache.txt').write_text('x')\n"
    project.pack("writer", code)
    done = project.run()
    assert done.returncode == 1
    assert "error: writer: packs/cache.txt: changed while the pack's code ran" in done.stderr
    assert not (project.root / "build" / "writer.zip").exists()
    project.pack("writer", "")
    project.build()
    assert not (project.root / "build" / "writer" / "packs" / "cache.txt").exists()


def test_lazy_imports_that_nothing_provides_warn_and_can_be_made_errors(project: Project) -> None:
    project.pack("p", "def f():\n    import nowhere\n\n\ntry:\n    import fast_json\nexcept ImportError:\n    pass\n")
    done = project.build()
    warned = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert len(warned) == 1
    assert warned[0].startswith("warning: p: packs/p.py:2: imports nowhere, ")
    project.write({"monopack.toml": '[packs.p]\nunresolved = "error"\n'})
    assert project.run().returncode == 1


def test_imports_that_lead_nowhere_in_the_project_warn_where_they_are_lazy_and_fail_where_they_are_not(project: Project) -> None:
    project.write({"app/__init__.py": "", "app/core.py": "try:\n    from ...up import x\nexcept ImportError:\n    x = 1\n"})
    project.pack("p", "import app.core\n\n\ndef f():\n    from app.core import gone\n    from ...far import y\n")
    done = project.build("--debug")
    warned = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert warned == [
        "warning: p: packs/p.py:5: imports gone from app.core, which has no such name",
        "warning: p: packs/p.py:6: imports y from ...far, which is above the top of its package",
    ]
    assert "p: app/core.py:2 imports ...up.x, which is not there (lazy, may fail)" in done.stderr
    project.write({"monopack.toml": '[packs.p]\nunresolved = "error"\n'})
    done = project.run()
    assert done.returncode == 1
    assert "error: p: packs/p.py:5: imports gone from app.core, which has no such name\n  hint: check the spelling" in done.stderr
    assert "error: p: packs/p.py:6: imports y from ...far" in done.stderr
    (project.root / "monopack.toml").unlink()
    project.pack("p", "from app.core import gone, x, further\n")
    done = project.run()
    assert "error: p: packs/p.py:1: imports gone from app.core, which has no such name" in done.stderr
    assert "error: p: packs/p.py:1: imports further from app.core, which has no such name" in done.stderr


def test_star_imports_and_folders_without_init_work_in_the_artifact(project: Project, tmp_path: Path) -> None:
    kinds = "__all__ = ['one']\n__all__ += ['two']\n"
    project.write({"app/kinds/__init__.py": kinds, "app/kinds/one.py": "", "app/kinds/two.py": "", "app/kinds/three.py": ""})
    project.write({"ns/sub/deep/module.py": "", "ns/sub/deep/further/other.py": "", "app/__init__.py": ""})
    project.pack("p", "from app.kinds import *\nfrom ns import sub\n\nassert one and two and sub.__path__\n")
    project.build()
    assert import_alone(project.root / "build" / "p.zip", tmp_path / "alone", "packs.p").returncode == 0
    assert project.shipped("p") == {
        "app/__init__.py", "app/kinds/__init__.py", "app/kinds/one.py", "app/kinds/two.py", "ns/sub/deep/module.py", "packs/p.py",
    }  # fmt: skip


def test_a_compiled_module_of_the_project_ships_and_is_verified(project: Project, tmp_path: Path) -> None:
    specs = [spec for name in ("_heapq", "_json", "_queue", "_bisect", "_random") if (spec := find_spec(name))]
    compiled = next((Path(spec.origin) for spec in specs if spec.origin and Path(spec.origin).is_file()), None)
    if compiled is None:
        pytest.skip("this Python has none of its own extension modules as a file")
    name = compiled.name.partition(".")[0]
    project.write({f"app/{compiled.name}": compiled.read_bytes(), f"app/{name}.py": "raise ImportError\n", "app/__init__.py": ""})
    project.pack("p", f"import app.{name}\n")
    project.build()
    assert project.shipped("p") == {"app/__init__.py", f"app/{compiled.name}", "packs/p.py"}
    assert import_alone(project.root / "build" / "p.zip", tmp_path / "alone", "packs.p").returncode == 0
    project.write({f"app/{compiled.name}": b"this is no library"})
    assert project.run().returncode == 1, "it is imported to verify it"


@pytest.mark.parametrize("warnings", ["error", "always"])
def test_warnings_about_a_users_code_neither_fail_nor_show(project: Project, warnings: str) -> None:
    project.write({"app/__init__.py": "pattern = '\\d'\nx = 1if pattern else 2\n", "app/hidden.py": "'\\d'\n"})
    project.pack("p", f"import app\n\npattern = '\\d'\n{LOAD}\nload('app.' + 'hidden')\n")
    done = project.build("--auto-fix", PYTHONWARNINGS=warnings)
    assert "app/hidden.py" in project.shipped("p")
    assert "SyntaxWarning" not in done.stderr
    assert "DeprecationWarning" not in done.stderr


def test_options_of_a_pack_come_from_its_managed_block_first(project: Project) -> None:
    project.write({"monopack.toml": '[pack]\nhandler = "main"\nrequire_tests = false\n[packs.b]\nhandler = "start"\n'})
    project.write({"app/hidden.py": "", "app/one.py": ""})
    project.write({
        "packs/a.py": "def main(): ...\n",
        "packs/b.py": "# monopack-start\n# extra_modules = ['app.hidden']\n# monopack-end\ndef start(): ...\n",
        "packs/c.py": "# monopack-start\n# handler = 'go'\n# extra_modules: app.one, app.hidden\n# monopack-end\ndef go(): ...\n",
    })  # fmt: skip
    project.build()
    assert project.manifest("b")["handler"] == "packs.b.start"
    assert project.shipped("b") == {"packs/b.py", "app/hidden.py"}
    assert project.shipped("c") == {"packs/c.py", "app/hidden.py", "app/one.py"}


def test_what_the_platform_has_is_left_out_but_serves_the_tests(project: Project) -> None:
    project.wheel("boto3", files={"boto3/__init__.py": "def client(): return 'real'\n"})
    project.require("boto3==1.0")
    project.pack("p", "import boto3\n", tested=False)
    test = "import unittest\nimport packs.p\n\n\nclass T(unittest.TestCase):\n    def test(self):\n"
    project.write({"tests/test_p.py": test + "        self.assertEqual(packs.p.boto3.client(), 'real')\n"})
    project.write({"monopack.toml": '[pack]\nexclude_distributions = ["boto3"]\n'})
    project.build()
    assert project.shipped("p") == {"packs/p.py"}


# ---------------------------------------------------------------- dependency sources


def test_without_any_dependency_source_a_pack_that_needs_none_builds(project: Project) -> None:
    project.pack("plain", "import json\n")
    assert project.build().stdout == "build/plain\n"
    assert project.manifest("plain")["lock"] is None


def test_two_dependency_sources_are_a_question(shop: Project) -> None:
    shop.write({"uv.lock": "version = 1\n"})
    done = shop.run()
    assert done.returncode == 3
    assert "uv.lock" in done.stderr
    assert "requirements.txt" in done.stderr
    assert "--package-manager" in done.stderr
    assert shop.run("--package-manager", "pip").returncode == 0


def test_unpinned_requirements_are_resolved_once_and_kept(shop: Project) -> None:
    shop.require("yaml-thing", "big-thing>=0.5")
    first = shop.build("orders")
    assert first.stderr.count("requirements.txt does not pin yaml-thing (and 1 more); resolved into") == 1
    kept = shop.root / "build" / ".monopack" / "requirements.host.txt"
    assert "shared-part==1.0" in kept.read_text()
    zipped = shop.output("orders.zip")
    shop.wheel("shared-part", "9.0")
    shop.build("orders")
    assert shop.output("orders.zip") == zipped


def test_requirements_that_pin_only_what_is_named_are_completed(shop: Project) -> None:
    shop.require("yaml-thing==1.0", "big-thing==1.0")
    done = shop.build("orders")
    assert "requirements.txt leaves out what its pins require; resolved into" in done.stderr
    assert "shared_part/__init__.py" in shop.shipped("orders")


def test_a_lock_of_uv_is_read_natively(project: Project) -> None:
    """Locked by the real uv; the same subset as from requirements, development groups for tests alone."""
    project.wheel(
        "yaml-thing",
        files={"yaml/__init__.py": "import shared_part\n"},
        requires=["shared-part", "extra-part; extra == 'x'"],
        extras=["x"],
    )
    for name in ("shared-part", "extra-part", "unused-thing", "test-thing"):
        project.wheel(name)
    project.write({
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.8"\n'
        'dependencies = ["yaml-thing[x]", "unused-thing"]\n[dependency-groups]\ndev = ["test-thing"]\n'
    })  # fmt: skip
    uv = [find_uv_bin(), "lock", "-q", "--offline", "--no-index", "--find-links", str(project.index), "--python", sys.executable]
    subprocess.run(uv, cwd=project.root, check=True)
    project.pack("p", "import yaml\n", tested=False)
    test = "import unittest, test_thing\nfrom packs.p import yaml\n\n\nclass T(unittest.TestCase):\n    def test(self): ...\n"
    project.write({"tests/test_p.py": test})
    before = (project.root / "uv.lock").read_bytes()
    project.build()
    assert [d["name"] for d in project.manifest("p")["distributions"]] == ["extra-part", "shared-part", "yaml-thing"]
    assert (project.root / "uv.lock").read_bytes() == before
    project.pack("p", "import test_thing\n", tested=False)
    done = project.run("--skip-tests")
    said = "imports test_thing, which no first-party file and no distribution of uv.lock provides"
    assert f"error: p: packs/p.py:1: {said}" in done.stderr


def test_hashes_are_enforced(shop: Project) -> None:
    wheel = shop.index / "big_thing-1.0-py3-none-any.whl"
    good, bad = hashlib.sha256(wheel.read_bytes()).hexdigest(), "0" * 64
    shop.require(f"big-thing==1.0 --hash=sha256:{bad}")
    done = shop.run("users")
    assert done.returncode == 3
    assert "big-thing" in done.stderr
    assert not (shop.root / "build" / "users.zip").exists()
    shop.require(f"big-thing==1.0 --hash=sha256:{good}")
    shop.build("users")


def test_a_pack_whose_distribution_cannot_be_had_does_not_stop_the_others(shop: Project) -> None:
    (shop.index / "big_thing-1.0-py3-none-any.whl").unlink()
    done = shop.run()
    assert done.returncode == 3
    assert done.stdout == "build/orders\n"
    assert [line for line in done.stderr.splitlines() if line.startswith("error: users: ")]


def test_offline_names_what_is_missing_and_works_with_a_warm_store(shop: Project) -> None:
    done = shop.run("--offline", "orders")
    assert done.returncode == 3
    assert "yaml-thing" in done.stderr
    shop.build("orders")
    shutil.rmtree(shop.root / "build")
    shop.build("--offline", "orders")


# ---------------------------------------------------------------- the build folder is safe


def test_a_folder_that_monopack_did_not_write_is_left_alone(shop: Project) -> None:
    shop.write({"build/users/precious.txt": "mine\n"})
    done = shop.run("users")
    assert done.returncode == 1
    assert "--force" in done.stderr
    assert (shop.root / "build" / "users" / "precious.txt").read_text() == "mine\n"
    shop.build("users", "--force")
    assert not (shop.root / "build" / "users" / "precious.txt").exists()


@pytest.mark.parametrize("build_dir", [".", "..", "app", "packs", "tests", "/"])
def test_dangerous_build_folders_are_refused(shop: Project, build_dir: str) -> None:
    if build_dir == "app":
        shop.write({"monopack.toml": 'source_roots = [".", "app"]\n'})
    before = sorted(shop.root.rglob("*"))
    done = shop.run("--build-dir", build_dir)
    assert done.returncode == 2
    assert re.search("cannot be the build folder: it (is|contains) the ", done.stderr)
    assert sorted(shop.root.rglob("*")) == before


def test_a_build_path_that_is_a_file_or_a_link_is_refused(shop: Project, tmp_path: Path) -> None:
    shop.write({"afile": ""})
    done = shop.run("--build-dir", "afile")
    assert (done.returncode, "it is a file" in done.stderr) == (2, True)
    (shop.root / "alink").symlink_to(tmp_path)
    done = shop.run("--build-dir", "alink")
    assert (done.returncode, "it is a link" in done.stderr) == (2, True)


def test_a_cache_folder_that_is_source_is_refused(shop: Project) -> None:
    shop.write({"src/lib/__init__.py": ""})
    done = shop.run("--cache-dir", "src")
    assert done.returncode == 2
    assert "cannot be the cache folder: it is the source root src" in done.stderr
    assert shop.run("users", "--cache-dir", ".cache/monopack").returncode == 0


def test_a_build_folder_with_code_in_it_is_refused(shop: Project) -> None:
    before = sorted(shop.root.rglob("*"))
    done = shop.run("--build-dir", "app")
    assert done.returncode == 2
    assert "cannot be the build folder: it holds Python files that monopack did not write (__init__.py)" in done.stderr
    assert sorted(shop.root.rglob("*")) == before
    shop.write({"build/lib/app/__init__.py": ""})  # as setuptools leaves it
    assert shop.run("users").returncode == 0


def test_a_zip_that_is_a_link_is_not_written_through(shop: Project, tmp_path: Path) -> None:
    (shop.root / "build").mkdir()
    (tmp_path / "theirs").write_text("theirs")
    (shop.root / "build" / "users.zip").symlink_to(tmp_path / "theirs")
    done = shop.run("users")
    assert done.returncode == 1
    assert (tmp_path / "theirs").read_text() == "theirs"


@pytest.mark.parametrize("name", ["users.zip", "users.manifest.json", "users.package.sha256"])
def test_outputs_that_monopack_did_not_write_are_left_alone(shop: Project, name: str) -> None:
    shop.write({f"build/{name}": "mine"})
    done = shop.run("users")
    assert done.returncode == 1
    assert f"build/{name}: exists and was not written by monopack" in done.stderr
    assert not list((shop.root / "build").rglob("*.tmp"))
    assert shop.output(name) == b"mine"
    shop.write({"build/users.package.sha256.b64": "mine too", "build/.notes.tmp": "mine as well"})
    shop.build("users", "--force")
    assert shop.output("users.package.sha256.b64") == b"mine too"
    assert shop.output(".notes.tmp") == b"mine as well"


def test_an_older_build_folder_is_never_source(shop: Project) -> None:
    shop.write({"monopack.toml": '[pack]\ninclude = ["**/*.json"]\n', "app/data.json": "{}"})
    shop.build("users")
    shop.build("users", "--build-dir", "out")
    with zipfile.ZipFile(shop.root / "out" / "users.zip") as archive:
        assert [n for n in archive.namelist() if n.endswith(".json")] == ["app/data.json"]


def test_artifacts_of_a_pack_that_is_gone_and_tests_of_no_pack_are_told(shop: Project) -> None:
    shop.build()
    (shop.root / "packs" / "users.py").unlink()
    shop.write({"tests/test_both.py": "import packs.orders\nimport app.unused\n"})
    said = shop.build().stderr
    assert "warning: the build folder still has artifacts of users, which is no pack any more" in said
    assert "warning: no pack runs tests/test_both.py: it also imports app.unused, which is not in the pack" in said


def test_a_tests_folder_that_holds_the_packs_is_refused(shop: Project) -> None:
    done = shop.run(MONOPACK_TESTS_DIR=".")
    assert done.returncode == 2
    assert "error: MONOPACK_TESTS_DIR: the tests folder is or contains the project root" in done.stderr


def test_a_second_run_waits_for_the_first_and_gives_up_after_a_time(shop: Project) -> None:
    shop.build("users")
    code = "import sys, time, filelock; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); print('held', flush=True)"
    code += "; time.sleep(600)"
    lock = shop.root / "build" / ".monopack" / "lock"
    holder = subprocess.Popen([sys.executable, "-c", code, str(lock)], stdout=subprocess.PIPE)
    assert holder.stdout
    holder.stdout.readline()
    try:
        done = shop.run("users", MONOPACK_LOCK_TIMEOUT="0.5")
        assert done.returncode == 1
        assert "another run is using" in done.stderr
        assert "another run is still using the build folder after 0.5 s" in done.stderr
    finally:
        holder.kill()
        holder.wait()
    shop.build("users")


def test_eight_runs_at_once_corrupt_nothing(shop: Project) -> None:
    environ = {**os.environ, "MONOPACK_CACHE_DIR": str(shop.cache)}
    argv = [sys.executable, "-m", "monopack", "--skip-tests"]
    runs = [subprocess.Popen(argv, cwd=shop.root, env=environ, stderr=subprocess.PIPE) for _ in range(8)]
    for run in runs:
        assert run.wait() == 0, run.communicate()[1]
    digest = hashlib.sha256(shop.output("orders.zip")).hexdigest()
    assert shop.output("orders.package.sha256").decode().strip() == digest


def test_a_killed_run_is_repaired_by_the_next(shop: Project) -> None:
    shop.build()
    whole = shop.outputs()
    environ = {**os.environ, "MONOPACK_CACHE_DIR": str(shop.cache)}
    for delay in (0.3, 0.45, 0.6, 0.75, 0.9, 1.1):
        shop.write({"app/common.py": f"import json\nx = {delay}\n"})
        run = subprocess.Popen([sys.executable, "-m", "monopack"], cwd=shop.root, env=environ, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        run.kill()
        run.wait()
        for name in ("orders", "users"):
            zipped = shop.output(f"{name}.zip")
            with zipfile.ZipFile(shop.root / "build" / f"{name}.zip") as archive:
                assert archive.testzip() is None
            digest = shop.root / "build" / f"{name}.package.sha256"
            assert not digest.exists() or digest.read_text().strip() == hashlib.sha256(zipped).hexdigest()
    shop.write({"app/common.py": "import json\n"})
    shop.build()
    assert shop.outputs() == whole


# ---------------------------------------------------------------- tests of a pack


def test_failing_tests_fail_the_pack_and_show_the_runners_output(shop: Project) -> None:
    shop.build("users")
    before = shop.outputs()
    test = "import unittest\nimport packs.users\n\n\nclass T(unittest.TestCase):\n    def test(self):\n"
    shop.write({"tests/test_users.py": test + "        self.assertEqual(1, 2)\n"})
    done = shop.run("users")
    assert done.returncode == 1
    assert "AssertionError: 1 != 2" in done.stderr
    assert "error: users: " in done.stderr
    assert shop.outputs() == before


def test_a_pack_without_tests_fails_unless_it_may(project: Project) -> None:
    project.pack("p", tested=False)
    done = project.run()
    assert done.returncode == 1
    assert "error: p: tests: no test in it imports the pack" in done.stderr
    assert "require_tests = false" in done.stderr
    assert project.run("--skip-tests").returncode == 0
    project.write({"monopack.toml": "[packs.p]\nrequire_tests = false\n"})
    assert project.run().returncode == 0


def test_a_test_that_needs_other_code_is_left_out_with_the_reason(shop: Project) -> None:
    shop.write({"tests/test_both.py": "import app.users\nimport app.orders\nraise SystemExit('never run')\n"})
    done = shop.build("users")
    assert "users: leaves out tests/test_both.py: it also imports app.orders, which is not in the pack" in done.stderr


def test_a_test_that_damages_the_store_spoils_no_artifact(shop: Project) -> None:
    test = "import pathlib, unittest\nimport packs.orders\n\n\nclass T(unittest.TestCase):\n    def test(self):\n"
    test += f"        wheel = next(pathlib.Path({str(shop.cache)!r}).rglob('yaml_thing*.whl'))\n"
    test += "        data = bytearray(wheel.read_bytes())\n        data[60] ^= 255\n        wheel.write_bytes(data)\n"
    shop.write({"tests/test_orders.py": test})
    done = shop.run("orders")
    zipped = shop.root / "build" / "orders.zip"
    if done.returncode:  # the zip is written at the same time, and may be first
        assert "yaml_thing-1.0-py3-none-any.whl: changed while it was being packed" in done.stderr
        assert not zipped.exists()
    spoilt = zipped.read_bytes() if zipped.exists() else b""
    healed = shop.build("orders", "--skip-tests")
    assert "was damaged and is thrown away" in healed.stderr
    assert spoilt in (b"", zipped.read_bytes())


def test_what_tests_write_reaches_neither_artifact_nor_sources(shop: Project) -> None:
    body = "        import app, pathlib\n        here = pathlib.Path(app.__file__)\n        here.write_text('vandal')\n"
    body += "        here.with_name('extra.py').write_text('x')\n"
    test = "import unittest\nimport packs.users\n\n\nclass T(unittest.TestCase):\n    def test(self):\n"
    shop.write({"tests/test_users.py": test + body})
    shop.build("users")
    assert (shop.root / "app" / "__init__.py").read_text() == ""
    assert not (shop.root / "app" / "extra.py").exists()
    with zipfile.ZipFile(shop.root / "build" / "users.zip") as archive:
        assert archive.read("app/__init__.py") == b""
        assert "app/extra.py" not in archive.namelist()


def test_the_machines_credentials_reach_no_code(project: Project) -> None:
    check = "import os\nassert 'AWS_SECRET_ACCESS_KEY' not in os.environ\nassert os.environ['STAGE'] == 'dev'\n"
    project.pack("p", check + "assert os.environ['CI_BUILD'] == '7'\n")
    project.write({"monopack.toml": '[packs.p]\nenv = { STAGE = "dev" }\nenv_passthrough = ["CI_BUILD"]\n'})
    project.build(AWS_SECRET_ACCESS_KEY="secret", CI_BUILD="7", PYTHONOPTIMIZE="2", PYTHONPATH="/nowhere")


def test_what_no_import_shows_is_explained_when_it_is_missing(project: Project) -> None:
    project.write({"app/plugins.py": "", "app/table.csv": "a,b\n", "app/__init__.py": ""})
    code = f"import app\n{LOAD}\nload('app.' + 'plug' + 'ins')\n"
    project.pack("p", code)
    done = project.run()
    assert "error: p: packs/p.py:3: No module named 'app.plugins'" in done.stderr
    assert '  hint: add to monopack.toml: [packs.p]  extra_modules = ["app.plugins"]' in done.stderr
    project.pack("p", "import app, pathlib, sys\npathlib.Path(sys.modules['app'].__path__[0], 'table.csv').read_text()\n")
    done = project.run()
    assert '  hint: add to monopack.toml: [packs.p]  include = ["app/table.csv"]' in done.stderr
    project.write({"monopack.toml": '[packs.p]\ninclude = ["app/table.csv"]\n'})
    assert project.build().stdout == "build/p\n"
    for name in ("__init__.py", "table.csv"):
        (project.root / "src" / "app").mkdir(parents=True, exist_ok=True)
        (project.root / "app" / name).rename(project.root / "src" / "app" / name)
    assert '[packs.p]  include = ["src/app/table.csv"]' in project.run().stderr


def test_a_module_that_the_config_names_has_to_be_there(project: Project) -> None:
    project.write({"app/__init__.py": ""})
    project.pack("p", "# monopack-start\n# extra_modules = ['app.typo', 'nowhere']\n# monopack-end\n")
    done = project.run()
    assert done.returncode == 1
    assert (
        "error: p: extra_modules: names nowhere, which no first-party file provides, and there is no lock to take it from"
        in done.stderr
    )
    assert "error: p: extra_modules: names app.typo, but there is no such module in its package" in done.stderr


def test_a_module_that_only_tests_miss_is_explained(project: Project) -> None:
    project.write({"app/__init__.py": "", "app/lazy.py": ""})
    project.pack(
        "p",
        f"import app\n\n\n{LOAD}\n\n\ndef go():\n    return load('app.' + 'lazy')\n",
        tested=False,
    )
    project.write({"tests/test_p.py": "import unittest\nimport packs.p\n\n\nclass T(unittest.TestCase):\n    def test(self):\n"})
    with (project.root / "tests" / "test_p.py").open("a") as file:
        file.write("        packs.p.go()\n")
    done = project.run()
    assert "error: p: packs/p.py:8: No module named 'app.lazy'" in done.stderr
    assert '  hint: add to monopack.toml: [packs.p]  extra_modules = ["app.lazy"]' in done.stderr


def test_plain_functions_without_pytest_are_explained(project: Project) -> None:
    project.pack("p", tested=False)
    project.write({"tests/test_p.py": "import packs.p\n\n\ndef test():\n    assert packs.p\n"})
    done = project.run()
    assert "error: p: no test ran in tests/test_p.py" in done.stderr
    assert "to run plain functions, pin pytest" in done.stderr


def test_a_variable_read_at_import_is_explained(project: Project) -> None:
    project.pack("p", "import os\nTABLE = os.environ['TABLE']\n")
    done = project.run()
    assert done.returncode == 1
    assert "packs/p.py:2" in done.stderr
    assert "[packs.p.env]" in done.stderr


# ---------------------------------------------------------------- the command itself


def test_the_version_and_help(project: Project) -> None:
    assert project.run("--version").stdout.startswith("monopack, version ")
    assert "monopack COMMAND --help lists the options of a command" in project.run("--help").stdout
    shown = project.run("build", "--help").stdout
    assert "--existing-install-python" in shown
    assert "Exit codes" in project.run("--help").stdout


def test_debug_shows_every_edge_and_every_choice(shop: Project) -> None:
    shown = shop.build("orders", "--debug").stderr.splitlines()
    assert "orders: packs/orders.py:1 imports app/orders.py (eager)" in shown
    assert "orders: app/orders.py:1 imports app/common.py (eager)" in shown
    assert "orders: app/orders.py:2 imports yaml.loader, to be provided by a distribution (eager)" in shown
    assert "orders ships shared-part==1.0: required by yaml-thing" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--nonsense",), "error: No such option '--nonsense'"),
        (("--jobs", "many"), "error: --jobs: "),
        (("nobody",), "error: "),
        (("--config", "nowhere.toml"), "error: --config: there is no file nowhere.toml"),
    ],
)
def test_wrong_usage_is_one_line_and_a_hint(shop: Project, arguments: tuple[str, ...], said: str) -> None:
    done = shop.run(*arguments)
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert lines[0].startswith(said)
    assert lines[1].startswith("  hint: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_full_disk_behind_stdout_is_no_bug_of_ours(project: Project) -> None:
    project.pack("p")
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        environ = {**os.environ, "MONOPACK_CACHE_DIR": str(project.cache)}
        argv = [sys.executable, "-m", "monopack"]
        done = subprocess.run(argv, cwd=project.root, env=environ, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "error: stdout cannot be written: No space left on device" in done.stderr


def test_a_folder_that_is_gone_is_no_bug_of_ours(tmp_path: Path) -> None:
    code = "import os, shutil, sys; os.chdir(sys.argv[1]); shutil.rmtree(sys.argv[1]); os.execv(sys.executable, sys.argv[2:])"
    gone = tmp_path / "gone"
    gone.mkdir()
    argv = [sys.executable, "-c", code, str(gone), sys.executable, "-m", "monopack"]
    done = subprocess.run(argv, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "error: the current folder does not exist any more" in done.stderr


def test_ctrl_c_and_sigterm_end_every_descendant(project: Project) -> None:
    child = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(97)'])"
    project.pack("p", f"import subprocess, sys, time\n{child}\ntime.sleep(98)\n")
    environ = {**os.environ, "MONOPACK_CACHE_DIR": str(project.cache)}
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        run = subprocess.Popen(
            [sys.executable, "-m", "monopack"], cwd=project.root, env=environ, stderr=subprocess.PIPE, text=True
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while not _running("time.sleep(97)") and time.monotonic() < deadline:
            time.sleep(0.05)
        run.send_signal(number)
        _, said = run.communicate(timeout=30)
        assert run.returncode == code, said
        assert "Traceback" not in said
        assert not _running("time.sleep(97)")


def _running(text: str) -> bool:
    """Whether any process was started with a text in its arguments (Linux)."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text.encode() in path.read_bytes():
                return True
        except OSError:
            continue
    return False


def test_what_cannot_be_told_is_said_once_and_a_comment_there_answers_it(project: Project) -> None:
    load = "import importlib\n\n\ndef load(name):\n    return importlib.import_module(name)"
    project.write({"app/plugins.py": f"{load}\n", "app/a.py": "", "app/b.py": ""})
    project.pack("main", "import app.plugins\n")
    project.require()
    told = project.build("main").stderr
    assert told.count("app/plugins.py:5: importlib.import_module(name): what it imports cannot be told") == 1
    assert "name it in extra_modules" in told
    project.write({"app/plugins.py": f"{load}  # monopack: include app.a\n"})
    answered = project.build("main").stderr
    assert "cannot be told" not in answered
    assert {"app/a.py"} == project.shipped("main") & {"app/a.py", "app/b.py"}


def test_code_that_changes_its_own_pack_fails_again(project: Project) -> None:
    project.pack("main", "import pathlib\npathlib.Path(__file__).with_name('log.txt').write_text('x')\n", tested=False)
    for _ in range(2):
        done = project.run("--skip-tests")
        assert done.returncode == 1
        assert "packs/log.txt: changed while the pack's code ran" in done.stderr


HOOK = """import importlib.machinery, sys

class Loader(importlib.machinery.SourceFileLoader):
    def source_to_code(self, data, path, *, _optimization=-1):
        return super().source_to_code(bytes(data).replace(b"NAME_NOT_THERE", b"42"), path)

class Finder(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        spec = super().find_spec(name, path, target)
        if spec and name == "app.shared":
            spec.loader = Loader(name, spec.origin)
        return spec

sys.meta_path.insert(0, Finder)
"""


@pytest.mark.parametrize("first", ["hooked", "plain"])
def test_what_a_loader_of_one_pack_makes_of_a_source_counts_for_no_other(project: Project, first: str) -> None:
    project.write({"app/__init__.py": "", "app/hook.py": HOOK, "app/shared.py": "VALUE = NAME_NOT_THERE\n"})
    project.pack("hooked", "import app.hook\nimport app.shared\n", tested=False)
    project.pack("plain", "try:\n    import app.shared\nexcept NameError:\n    pass\nelse:\n    raise OSError\n", tested=False)
    second = {"hooked": "plain", "plain": "hooked"}[first]
    for pack in (first, second, first):
        done = project.run(pack, "--skip-tests", "--force")
        shutil.rmtree(project.cache / "passes-v1", ignore_errors=True)
        assert done.returncode == (0 if pack == "hooked" else 1), done.stderr
        assert pack == "hooked" or "NAME_NOT_THERE" in done.stderr
