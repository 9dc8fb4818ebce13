"""Importing a pack in a clean interpreter: what goes wrong, where, and what to do about it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from textwrap import dedent

import pytest
from test_targets import PYTHONS
from wheels import make_wheel

from monopack.model import Failure, Target
from monopack.run import Door, clean_environment
from monopack.targets import host
from monopack.verify import Bytecode, Request, verify

TARGETS = {version: host(python, "--python", Path.cwd(), os.environ, Door()) for version, python in PYTHONS.items()}
OWN = TARGETS[f"{sys.version_info[0]}.{sys.version_info[1]}"]
HANDLER = "def lambda_handler(event, context): return event\n"

each_target = pytest.mark.parametrize("target", [pytest.param(target, id=version) for version, target in TARGETS.items()])


def a_pack(folder: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(dedent(text), encoding="utf-8")
    return folder


def verified(
    root: Path,
    files: Mapping[str, str],
    *,
    modules: tuple[str, ...] = (),
    handler: str = "",
    target: Target = OWN,
    timeout: float = 60.0,
    environ: Mapping[str, str] | None = None,
    name: str = "pack",
) -> tuple[Failure, ...]:
    """Verify a pack whose entry is `packs.get`, in a folder of that name."""
    home = root / "home"
    home.mkdir(exist_ok=True)
    environment = clean_environment(os.environ, home=home, extra=environ)
    pack = a_pack(root / name, files)
    sources = {path.relative_to(pack).as_posix(): sha256(path.read_bytes()).hexdigest() for path in pack.rglob("*.py")}
    request = Request(
        modules=("packs.get", *modules), entry="packs.get", handler=handler, timeout=timeout, project=lambda: ["app.storage"],
        bytecode=Bytecode(own=str(root / "bytecode" / name), pool=str(root / "pool"), sources=sources),
    )  # fmt: skip
    before = sorted(home.iterdir())
    failures = verify(pack, request, target, environment, Door())
    assert sorted(home.iterdir()) == before
    assert not list(pack.rglob("__pycache__"))
    return failures


def shown(failures: tuple[Failure, ...]) -> list[str]:
    """As a user reads them."""
    return [f"{failure.where}: {failure.message}" if failure.where else failure.message for failure in failures]


# ---------------------------------------------------------------- all is well


@each_target
def test_a_module_that_was_compiled_before_is_read_again_when_it_has_changed(target: Target, tmp_path: Path) -> None:
    files = {"packs/get.py": "import app\nassert app.value == 1\n", "app.py": "value = 1\n"}
    assert verified(tmp_path, files, target=target) == ()
    assert [compiled.name.partition(".")[0] for compiled in (tmp_path / "bytecode").rglob("app.*.pyc")] == ["app"]
    source = tmp_path / "pack" / "app.py"
    seen = source.stat()
    source.write_text("value = 2\n", "utf-8")  # of the same size, and soon of the same time
    os.utime(source, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    only_the_pack = {"packs/get.py": files["packs/get.py"]}
    assert shown(verified(tmp_path, only_the_pack, target=target)) != []


@each_target
def test_a_module_that_two_packs_ship_is_compiled_once_and_says_where_it_is(target: Target, tmp_path: Path) -> None:
    app = {"app.py": "def start(value):\n    assert value == 1, __file__\n"}
    assert verified(tmp_path, {**app, "packs/get.py": "import app\napp.start(1)"}, target=target, name="one") == ()
    failures = verified(tmp_path, {**app, "packs/get.py": "import app\napp.start(2)"}, target=target, name="two")
    assert shown(failures) == [f"app.py:2: AssertionError: {Path('app.py')}"]
    assert [file.stat().st_nlink for file in (tmp_path / "bytecode").rglob("app.*.pyc")] == [3, 3], "the third is the pool's"


def test_compiled_modules_that_the_disk_has_damaged_are_no_failure(tmp_path: Path) -> None:
    files = {"packs/get.py": "import app", "app.py": "value = 1\n"}
    assert verified(tmp_path, files) == ()
    whole = {file.name: file.stat().st_size for file in (tmp_path / "pool").iterdir()}
    assert len(whole) == 2
    for size in (30, 10, 0):
        for name in whole:
            os.truncate(tmp_path / "pool" / name, size)
        assert [verified(tmp_path, files), verified(tmp_path, files)] == [(), ()]
        assert {file.name: file.stat().st_size for file in (tmp_path / "pool").iterdir()} == whole


def test_what_a_pack_makes_of_its_own_modules_while_it_runs_is_nothing_to_other_packs(tmp_path: Path) -> None:
    app = {"app.py": "value = 1\n"}
    changes = "import pathlib\npathlib.Path(__file__).parents[1].joinpath('app.py').write_text('value = 2')\nimport app\n"
    assert verified(tmp_path, {**app, "packs/get.py": changes}, name="one") == ()
    assert verified(tmp_path, {**app, "packs/get.py": "import app\nassert app.value == 1"}, name="two") == ()


@each_target
def test_a_good_pack_has_no_failures(target: Target, tmp_path: Path) -> None:
    files = {
        "packs/get.py": "import app.db, json, ssl\n" + HANDLER,
        "app/__init__.py": "",
        "app/__main__.py": "raise SystemExit('not to be imported')",
        "app/db.py": "try:\n    import ujson\nexcept ImportError:\n    ujson = None\n",
    }
    assert verified(tmp_path, files, modules=("app", "app.__main__"), handler="lambda_handler", target=target) == ()


def test_the_entry_is_imported_first_so_that_circular_imports_meet_as_they_do_in_production(tmp_path: Path) -> None:
    files = {
        "packs/get.py": "import a",
        "a.py": "import b\nx = 1",
        "b.py": "import a\ndef f(): return a.x\n",
        "c.py": "import sys\nassert 'packs.get' in sys.modules\nfrom b import f\nf()",
    }
    assert verified(tmp_path, files, modules=("b", "c")) == ()


def test_a_thread_that_never_ends_does_not_hold_up_the_verification(tmp_path: Path) -> None:
    files = {"packs/get.py": "import threading, time\nthreading.Thread(target=lambda: time.sleep(999)).start()\nprint('up')"}
    started = time.monotonic()
    assert verified(tmp_path, files, timeout=60) == ()
    assert time.monotonic() - started < 60


def test_the_pack_finds_its_own_files_where_they_shadow_what_the_verifier_uses(tmp_path: Path) -> None:
    files = {
        "packs/get.py": "import json, types, decoder\nassert json.mine and types.mine\nimport sys\nassert sys.argv[1:] == []",
        "json.py": "mine = True",
        "types.py": "mine = True",
        "decoder.py": "import os\nassert os.path.samefile(os.getcwd(), os.path.dirname(__file__))",
    }
    assert verified(tmp_path, files) == ()


# ---------------------------------------------------------------- missing modules


@each_target
def test_all_missing_modules_come_back_from_one_run(target: Target, tmp_path: Path) -> None:
    files = {
        "packs/get.py": """\
            import app.db
            import yaml
            from app import api
            """,
        "app/__init__.py": "",
        "app/db.py": """\
            import sqlalchemy.orm
            from sqlalchemy import Column, Integer
            class Base(sqlalchemy.orm.DeclarativeBase, table=True):
                id: "int" = Column(Integer, primary_key=True)
            """,
        "app/api.py": """\
            import flask, attr
            from app.late import x
            app = flask.Flask(__name__)
            @app.route("/")
            @attr.s
            def index(): return 1
            assert index() == 1
            with app.app_context() as context:
                for item in context: pass
            V = flask.__version__ >= "2" and int(flask.limit) or flask.A[int] | None
            class Error(flask.Error, attr.Other): pass
            isinstance(1, flask.Flask)
            import boto3
            """,
        "app/late.py": "x = 1\nimport app.hidden",
        "app/other.py": "from google.cloud.storage import Client",
    }
    failures = verified(tmp_path, files, modules=("app.db", "app.api", "app.other"), handler="lambda_handler", target=target)
    assert shown(failures) == [
        "app/db.py:1: No module named 'sqlalchemy.orm'",
        "packs/get.py:2: No module named 'yaml'",
        "app/api.py:1: No module named 'flask'",
        "app/api.py:1: No module named 'attr'",
        "app/late.py:2: No module named 'app.hidden'",
        "app/api.py:13: No module named 'boto3'",
        "app/other.py:1: No module named 'google.cloud.storage'",
    ]
    missing = ["sqlalchemy.orm", "yaml", "flask", "attr", "app.hidden", "boto3", "google.cloud.storage"]
    assert [failure.missing for failure in failures] == missing
    assert {failure.kind for failure in failures} == {"import"}


def test_the_missing_entry_itself(tmp_path: Path) -> None:
    assert shown(verified(tmp_path, {"app.py": ""})) == ["No module named 'packs.get'"]


def test_a_submodule_missing_from_a_namespace_package_is_a_missing_module(tmp_path: Path) -> None:
    files = {"packs/get.py": "from google.cloud import storage\nimport yaml", "google/cloud/pubsub.py": ""}
    failures = verified(tmp_path, files)
    assert [failure.missing for failure in failures] == ["google.cloud.storage", "yaml"]
    assert failures[0].where == "packs/get.py:1"


def test_handled_import_errors_stay_handled_after_stand_ins(tmp_path: Path) -> None:
    files = {
        "packs/get.py": "import yaml\nimport app",
        "app.py": """\
            try:
                import ujson as json
            except ImportError:
                import json, simplejson
            assert json.__name__ == "json"
            try:
                import yaml.fast
            except ImportError:
                import slow
            """,
    }
    assert [failure.missing for failure in verified(tmp_path, files)] == ["yaml", "simplejson", "slow"]


def test_an_import_error_raised_by_hand_names_the_module_that_it_is_about(tmp_path: Path) -> None:
    files = {
        "packs/get.py": """\
            try:
                import psycopg2
            except ImportError as error:
                raise ImportError("Install a driver") from error
            """
    }
    (failure,) = verified(tmp_path, files)
    assert (failure.missing, failure.message, failure.where) == ("psycopg2", "Install a driver", "packs/get.py:4")


def test_half_imported_packages_are_imported_again_and_whole(tmp_path: Path) -> None:
    files = {
        "packs/get.py": "import app\nassert app.part.x == 1\nimport late",
        "app/__init__.py": "import app.part\nimport yaml\n",
        "app/part.py": "x = 1",
    }
    assert [failure.missing for failure in verified(tmp_path, files)] == ["yaml", "late"]


def test_more_missing_modules_than_stand_ins_still_end(tmp_path: Path) -> None:
    files = {"packs/get.py": "\n".join(f"import missing_{i}" for i in range(150))}
    failures = verified(tmp_path, files)
    assert [failure.missing for failure in failures] == [f"missing_{i}" for i in range(100)]


def test_a_module_that_stays_missing_beside_its_stand_in_ends(tmp_path: Path) -> None:
    files = {"packs/get.py": "import app\nimport app.sub", "app.py": "", "other.py": "import importlib\nimport yaml"}
    failures = verified(tmp_path, files, modules=("other",))
    assert [failure.missing for failure in failures] == ["app.sub", "yaml"]


# ---------------------------------------------------------------- nothing from outside


@each_target
def test_what_only_the_interpreter_has_installed_does_not_count(target: Target, tmp_path: Path) -> None:
    subprocess.run([target.python, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    venv = host(str(tmp_path / "venv"), "--python", tmp_path, os.environ, Door())
    (site,) = (tmp_path / "venv").glob("lib/python3*/site-packages")
    with zipfile.ZipFile(make_wheel(tmp_path, "installed", "1.0", {"installed.py": "x = 1"})) as wheel:
        wheel.extractall(site)
    (site / "evil.pth").write_text("import sys; sys.path.append('/nowhere'); print('a .pth ran')")
    ran = subprocess.run([venv.python, "-c", "import installed"], check=False, capture_output=True)
    assert ran.returncode == 0
    (failure,) = verified(tmp_path, {"packs/get.py": "import installed"}, target=venv)
    assert (failure.missing, failure.where, failure.output) == ("installed", "packs/get.py:1", "")


def test_the_environment_of_the_caller_changes_nothing(tmp_path: Path) -> None:
    outside = a_pack(tmp_path / "outside", {"installed.py": "", "sitecustomize.py": "print('hello')", "start.py": "print('hi')"})
    environ = {
        "PYTHONPATH": str(outside),
        "PYTHONSTARTUP": str(outside / "start.py"),
        "PYTHONOPTIMIZE": "2",
        "PYTHONVERBOSE": "1",
        "PYTHONHOME": "/nowhere",
        "PYTHONWARNINGS": "error",
        "PYTHONPYCACHEPREFIX": str(outside),
    }
    files = {
        "packs/get.py": """\
            "A docstring."
            import sys, warnings
            assert __doc__ and not sys.flags.optimize
            warnings.warn("only a warning")
            assert False, "asserts run"
            """
    }
    failures = verified(tmp_path, {"packs/get.py": "import installed"}, environ=environ)
    assert [(failure.missing, failure.output) for failure in failures] == [("installed", "")]
    (failure,) = verified(tmp_path, files, environ=environ)
    assert failure.message == "AssertionError: asserts run"


# ---------------------------------------------------------------- other failures


FAILING: dict[str, tuple[Mapping[str, str], str]] = {
    "no such name": (
        {"packs/get.py": "import app", "app/__init__.py": "\nfrom json import nothing"},
        "app/__init__.py:2: imports nothing from json, which has no such name",
    ),
    "no such name in the pack": (
        {"packs/get.py": "from app import nothing", "app.py": ""},
        "packs/get.py:1: imports nothing from app, which has no such name",
    ),
    "syntax": ({"packs/get.py": "import app", "app.py": "x = 1\ny = = 2\n"}, "app.py:2: SyntaxError: invalid syntax"),
    "exit": ({"packs/get.py": "import sys\nsys.exit(3)"}, "packs/get.py:2: SystemExit: 3"),
    "exit without a word": ({"packs/get.py": "raise SystemExit"}, "packs/get.py:1: SystemExit"),
    "recursion": (
        {"packs/get.py": "def f():\n    f()\nf()"},
        "packs/get.py:2: RecursionError: maximum recursion depth exceeded",
    ),
    "message that raises": (
        {"packs/get.py": "class E(Exception):\n    def __str__(self): raise E\nraise E"},
        "packs/get.py:3: E: (its message cannot be shown)",
    ),
    "several lines": ({"packs/get.py": "raise ValueError('one\\n\\n  two')"}, "packs/get.py:1: ValueError: one two"),
    "in the standard library": (
        {"packs/get.py": "import app", "app.py": "import json\n\njson.loads('')"},
        "app.py:3: JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    ),
    "keyboard interrupt": ({"packs/get.py": "raise KeyboardInterrupt"}, "packs/get.py:1: KeyboardInterrupt"),
    "import error by hand": ({"packs/get.py": "raise ImportError('wrong moon')"}, "packs/get.py:1: wrong moon"),
}


@pytest.mark.parametrize("case", FAILING)
@each_target
def test_an_import_that_fails_is_one_line_with_its_place(case: str, target: Target, tmp_path: Path) -> None:
    files, expected = FAILING[case]
    failures = verified(tmp_path, files, handler="lambda_handler", target=target)
    assert len(failures) == 1
    assert shown(failures)[0].startswith(expected)
    assert failures[0].kind == "import"
    assert failures[0].missing == ""
    assert "Traceback" in failures[0].output
    assert str(tmp_path) not in failures[0].message


EXPLAINED: dict[str, tuple[Mapping[str, str], str, str]] = {
    "name that does not ship": (
        {"packs/get.py": "from app import strage", "app/__init__.py": ""},
        "packs/get.py:1: imports strage from app, which has no such name",
        "did you mean storage?",
    ),
    "name that is there": (
        {"packs/get.py": "from app import laod", "app.py": "def load(): ..."},
        "packs/get.py:1: imports laod from app, which has no such name",
        "did you mean load?",
    ),
    "circular": (
        {"packs/get.py": "import a", "a.py": "from b import x", "b.py": "from a import y"},
        "b.py:1: cannot import name 'y' from partially initialized module 'a' (most likely due to a circular import) (a.py)",
        "two modules import each other: move one of the imports into the function that needs it",
    ),
    "native for another Python": (
        {"packs/get.py": "from app import fast", "app/__init__.py": "", "app/fast.cpython-37m-x86_64-linux-gnu.so": ""},
        "packs/get.py:1: app/fast.cpython-37m-x86_64-linux-gnu.so is a native module that is not for TARGET",
        "ship one that is built for it, or build the pack with its own: --python python3.7",
    ),
    "native for another system": (
        {"packs/get.py": "import fast", "fast.cp39-win_amd64.pyd": ""},
        "packs/get.py:1: fast.cp39-win_amd64.pyd is a native module that is not for TARGET",
        "ship one that is built for it",
    ),
    "native that does not load": (
        {"packs/get.py": "import fast", "fast.so": ""},
        "packs/get.py:1: fast.so cannot be loaded: file too short",
        "it is a native module: ship one that is built for TARGET",
    ),
}


@pytest.mark.parametrize("case", EXPLAINED)
@each_target
def test_what_is_known_about_an_import_that_fails_is_told(case: str, target: Target, tmp_path: Path) -> None:
    files, said, hint = EXPLAINED[case]
    modules = tuple(name[:-3] for name in files if name.endswith(".py") and "/" not in name)
    (failure,) = verified(tmp_path, files, modules=modules, target=target)
    assert shown((failure,)) == [said.replace("TARGET", str(target))]
    assert failure.hint.startswith(hint.replace("TARGET", str(target)))


def test_a_traceback_has_the_paths_of_the_project_and_nothing_of_the_verifier(tmp_path: Path) -> None:
    files = {"packs/get.py": "import app", "app.py": "import json\n\njson.loads('')\n"}
    (failure,) = verified(tmp_path, files)
    places = [line.strip() for line in failure.output.splitlines() if "File " in line]
    assert places == ['File "packs/get.py", line 1, in <module>', 'File "app.py", line 3, in <module>']
    assert failure.output.endswith("json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)\n")


def test_a_module_that_fails_for_each_importer_is_reported_once(tmp_path: Path) -> None:
    files = {"packs/get.py": "import a", "a.py": "import bad", "b.py": "import bad", "bad.py": "1/0", "c.py": "[][0]"}
    failures = verified(tmp_path, files, modules=("a", "b", "bad", "c"))
    assert shown(failures) == ["bad.py:1: ZeroDivisionError: division by zero", "c.py:1: IndexError: list index out of range"]


@each_target
def test_a_missing_environment_variable_comes_with_the_line_to_add(target: Target, tmp_path: Path) -> None:
    files = {"packs/get.py": "import app", "app.py": "import os\nURL = os.environ['DATABASE_URL']"}
    (failure,) = verified(tmp_path, files, target=target)
    assert shown((failure,)) == [
        "app.py:2: reads the environment variable DATABASE_URL at import, and packs see only variables of their config"
    ]
    assert failure.hint == 'add to monopack.toml: [packs.get.env]  DATABASE_URL = "..."'
    assert verified(tmp_path, files, target=target, environ={"DATABASE_URL": "x"}) == ()


def test_another_key_error_has_no_such_hint(tmp_path: Path) -> None:
    (failure,) = verified(tmp_path, {"packs/get.py": "{}['DATABASE_URL']"})
    assert failure.message == "KeyError: 'DATABASE_URL'"
    assert "DATABASE_URL" not in failure.hint


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("os._exit(0)", "ended with exit code 0 while importing app"),
        ("os._exit(7)", "ended with exit code 7 while importing app"),
        ("os.kill(os.getpid(), 9)", "ended by SIGKILL while importing app"),
        ("import ctypes; ctypes.string_at(0)", "ended by SIGSEGV while importing app"),
    ],
)
def test_an_import_that_ends_the_process(code: str, message: str, tmp_path: Path) -> None:
    files = {"packs/get.py": "", "app.py": f"import os\nprint('before')\n{code}", "bad.py": "import yaml"}
    missing, failure = verified(tmp_path, files, modules=("bad", "app"))
    assert missing.missing == "yaml"
    assert (failure.kind, failure.message) == ("import", message)
    assert failure.output.startswith("before\n")
    if "SIGSEGV" in message:
        assert "app.py" in failure.output  # the fault handler shows the way there


def test_an_import_that_takes_too_long(tmp_path: Path) -> None:
    files = {"packs/get.py": "import yaml", "app.py": "import time\nprint('waiting')\ntime.sleep(999)"}
    for timeout in (0.5, 5, 50, 500):  # seconds: enough for this machine to reach the import that waits
        *before, failure = verified(tmp_path, files, modules=("app",), timeout=timeout)
        assert failure.kind == "timeout"
        if failure.output:
            break
    assert [missing.missing for missing in before] == ["yaml"]
    assert failure.message == f"took longer than {timeout} s while importing app"
    assert failure.output == "waiting\n"


def test_an_interpreter_that_does_not_even_start_the_script(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho out of order\nexit 3\n")
    program.chmod(0o755)
    target = replace(OWN, python=str(program))
    (failure,) = verified(tmp_path, {"packs/get.py": ""}, target=target)
    assert (failure.message, failure.output) == ("ended with exit code 3 before the first import", "out of order\n")


def test_the_end_of_what_the_code_printed_is_kept(tmp_path: Path) -> None:
    files = {"packs/get.py": "import sys\nprint('first')\nprint('x' * 9000)\nprint('último', file=sys.stderr)\nimport yaml"}
    (failure,) = verified(tmp_path, files)
    assert len(failure.output) == 4000
    # Printed twice, since the import is tried again with a stand-in.
    assert failure.output.endswith("x\núltimo\n")


# ---------------------------------------------------------------- handlers


@pytest.mark.parametrize(
    ("code", "handler", "message"),
    [
        ("x = 1", "lambda_handler", "defines no lambda_handler, which is to be its handler"),
        ("lambda_handler = None", "lambda_handler", "its handler lambda_handler is None"),
        ("lambda_handler = {}", "lambda_handler", "its handler lambda_handler is of type dict, which cannot be called"),
        ("class app: handler = 3", "app.handler", "its handler app.handler is of type int, which cannot be called"),
        ("class app: pass", "app.handler", "defines no app.handler, which is to be its handler"),
    ],
)
def test_a_handler_that_cannot_be_called(code: str, handler: str, message: str, tmp_path: Path) -> None:
    (failure,) = verified(tmp_path, {"packs/get.py": code}, handler=handler)
    assert (failure.kind, failure.where, failure.message) == ("handler", "packs/get.py", message)
    assert "[packs.get]" in failure.hint


def test_handlers_that_can(tmp_path: Path) -> None:
    code = "class App:\n    def __call__(self, event): ...\n    def handler(self, event): ...\napp = App()"
    for handler in ("", "app", "app.handler", "App"):
        assert verified(tmp_path, {"packs/get.py": code}, handler=handler) == ()


def test_a_handler_that_is_loaded_late_and_fails_is_an_import_failure(tmp_path: Path) -> None:
    (failure,) = verified(tmp_path, {"packs/get.py": "def __getattr__(name):\n    import yaml"}, handler="lambda_handler")
    assert (failure.kind, failure.missing, failure.where) == ("import", "yaml", "packs/get.py:2")
