"""Auto-fix as a user meets it: the real command on packs whose imports cannot be seen, and what it leaves in their files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from codecs import BOM_UTF8
from pathlib import Path

import pytest
from projects import HANDLER, Project

LOAD = "load = getattr(__import__('importlib'), 'import_module')\n\n"
DYNAMIC = "import app\n\n\ndef lambda_handler(event, context):\n    load = getattr(__import__('importlib'), 'import_module')\n\n"
CALLED = "import unittest, packs.p\nclass T(unittest.TestCase):\n    def test(self):\n        packs.p.lambda_handler(0, 0)\n"


@pytest.fixture
def hidden(project: Project) -> Project:
    """Modules and distributions that no import shows; the project pins them, and a pack loads them by computed names."""
    project.wheel("py-yaml", files={"yaml/__init__.py": "", "yaml/loader.py": ""})
    project.wheel("deep-thing")
    project.require("py-yaml==1.0", "deep-thing==1.0")
    project.write({
        "app/__init__.py": "",
        "app/a.py": "load = getattr(__import__('importlib'), 'import_module')\nload('app.' + 'b')\n",
        "app/b.py": "load = getattr(__import__('importlib'), 'import_module')\nload('app.' + 'c')\n",
        "app/c.py": "load = getattr(__import__('importlib'), 'import_module')\nload('app.' + 'd')\n",
        "app/d.py": "",
        "app/plain.py": "",
    })  # fmt: skip
    return project


def load(*names: str) -> str:
    """Code that imports modules whose names no tracing can see."""
    return LOAD + "".join(f"load('{name[:2]}' + '{name[2:]}')\n" for name in names)


def file(project: Project, name: str = "p") -> bytes:
    return (project.root / "packs" / f"{name}.py").read_bytes()


def block(*lines: str) -> str:
    return "".join(f"# {line}\n" for line in ("monopack-start", *lines, "monopack-end"))


def edited(project: Project) -> list[str]:
    """The lines of a pack's managed block."""
    lines = file(project).decode().splitlines()
    if "# monopack-start" not in lines:
        return []
    return [line[2:] for line in lines[lines.index("# monopack-start") + 1 : lines.index("# monopack-end")]]


# ---------------------------------------------------------------- what is missing, and what becomes of it


def test_a_missing_first_party_module_becomes_an_extra_module(hidden: Project) -> None:
    hidden.pack("p", load("app.plain"))
    assert hidden.run().returncode == 1
    done = hidden.build("--auto-fix")
    assert "p: auto-fix adds app.plain to packs/p.py" in done.stderr
    assert done.stdout == "build/p\n"
    assert file(hidden).decode() == block('extra_modules = ["app.plain"]') + "\n" + load("app.plain") + HANDLER
    assert "app/plain.py" in hidden.shipped("p")


def test_a_missing_third_party_module_becomes_the_distribution_that_provides_it(hidden: Project) -> None:
    hidden.pack("p", load("yaml.loader"))
    hidden.build("--auto-fix")
    assert edited(hidden) == ['extra_distributions = ["py-yaml"]']
    assert "yaml/loader.py" in hidden.shipped("p")
    assert not any(path.startswith("deep_thing") for path in hidden.shipped("p"))


def test_what_tests_miss_is_fixed_too(hidden: Project) -> None:
    lines = "".join(f"    load('{name[:2]}' + '{name[2:]}')\n" for name in ("app.plain", "yaml"))
    hidden.write({"packs/p.py": DYNAMIC + lines, "tests/test_p.py": CALLED})
    assert hidden.run("--skip-tests").returncode == 0
    hidden.build("--auto-fix")
    assert edited(hidden) == ['extra_modules = ["app.plain"]', 'extra_distributions = ["py-yaml"]']
    assert {"app/plain.py", "yaml/__init__.py"} <= hidden.shipped("p")


def test_one_attempt_fixes_all_that_a_run_reports(hidden: Project) -> None:
    hidden.pack("p", load("app.plain", "app.d", "yaml", "deep_thing"))
    done = hidden.build("--auto-fix")
    assert done.stderr.count("auto-fix adds") == 1
    assert "p: auto-fix adds app.d, app.plain, deep-thing, py-yaml to packs/p.py" in done.stderr


def test_a_fix_that_uncovers_another_missing_module_is_followed_by_its_fix(hidden: Project) -> None:
    hidden.pack("p", load("app.b"))
    hidden.write({"app/c.py": ""})
    done = hidden.build("--auto-fix")
    assert [line for line in done.stderr.splitlines() if "auto-fix adds" in line] == [
        "p: auto-fix adds app.b to packs/p.py",
        "p: auto-fix adds app.c to packs/p.py",
    ]
    assert edited(hidden) == ['extra_modules = ["app.b", "app.c"]']


def test_three_attempts_are_made_and_what_helped_stays(hidden: Project) -> None:
    hidden.pack("p", load("app.a"))
    done = hidden.run("--auto-fix")
    assert done.returncode == 1
    assert "No module named 'app.d'" in done.stderr
    assert edited(hidden) == ['extra_modules = ["app.a", "app.b", "app.c"]']
    hidden.build("--auto-fix")
    assert edited(hidden) == ['extra_modules = ["app.a", "app.b", "app.c", "app.d"]']


def test_a_second_run_changes_nothing(hidden: Project) -> None:
    hidden.pack("p", '"""A pack."""\n' + load("app.plain", "yaml"))
    hidden.build("--auto-fix")
    after, outputs = file(hidden), hidden.outputs()
    assert "p: unchanged" in hidden.build("--auto-fix").stderr
    assert (file(hidden), hidden.outputs()) == (after, outputs)


def test_packs_are_mended_one_after_another(hidden: Project) -> None:
    for name in ("p", "q"):
        hidden.pack(name, load("app.plain"))
    done = hidden.build("--auto-fix", "--jobs", "4")
    assert "auto-fix builds one pack after another" in done.stderr
    assert done.stdout == "build/p\nbuild/q\n"
    assert "auto-fix builds one pack after another" not in hidden.build("--auto-fix", "--jobs", "1").stderr


def test_a_pack_that_another_pack_imports_is_mended_before_it(hidden: Project) -> None:
    hidden.pack("p", load("app.plain"))
    hidden.pack("q", "import packs.p\n" + load("app.plain"))
    hidden.build("--auto-fix")
    assert hidden.build().stdout == "build/p\nbuild/q\n"
    with_block = file(hidden)
    assert (hidden.root / "build" / "q" / "packs" / "p.py").read_bytes() == with_block


# ---------------------------------------------------------------- what does not help


@pytest.mark.parametrize(
    "before",
    [
        load("yaml.nowhere").encode(),
        BOM_UTF8 + ("#!/usr/bin/env python\r\n" + load("yaml.nowhere").replace("\n", "\r\n")).encode() + b"\r\n# the end",
        (block("# why", "extra_modules: app.plain", "extra_distributions = [ 'deep.thing', ]") + load("yaml.nowhere")).encode(),
    ],
    ids=["no block", "byte order mark, CRLF, no final newline", "a person's block"],
)
def test_a_fix_that_does_not_help_is_rolled_back_byte_for_byte(hidden: Project, before: bytes) -> None:
    hidden.write({"packs/p.py": before})
    (hidden.root / "packs" / "p.py").chmod(0o755)
    done = hidden.run("--auto-fix")
    assert done.returncode == 1
    assert "p: auto-fix takes back py-yaml, which did not help" in done.stderr
    assert "No module named 'yaml.nowhere'" in done.stderr
    assert done.stderr.count("auto-fix adds") == 1
    assert file(hidden) == before
    assert (hidden.root / "packs" / "p.py").stat().st_mode & 0o777 == 0o755
    assert [path.name for path in (hidden.root / "packs").iterdir()] == ["p.py"]


def test_what_helped_stays_when_something_else_did_not(hidden: Project) -> None:
    hidden.pack("p", load("app.plain", "yaml.nowhere", "nothing_has_this"))
    done = hidden.run("--auto-fix")
    assert done.returncode == 1
    assert "p: auto-fix takes back py-yaml, which did not help" in done.stderr
    assert edited(hidden) == ['extra_modules = ["app.plain"]']


def test_an_entry_that_helped_one_import_stays_when_it_could_not_help_another(hidden: Project) -> None:
    hidden.pack("p", load("yaml", "yaml.nowhere"))
    hidden.pack("p", load("yaml.loader") + "import app.more\n")
    hidden.write({"app/more.py": load("yaml.absent") + "import app.last\n", "app/last.py": load("yaml.nowhere")})
    done = hidden.run("--auto-fix")
    assert done.returncode == 1
    assert "takes back" not in done.stderr
    assert edited(hidden) == ['extra_distributions = ["py-yaml"]']


def test_an_entry_of_a_person_is_never_taken_back(hidden: Project) -> None:
    own = block("extra_distributions = ['Py.Yaml']  # mine")
    hidden.pack("p", own + load("yaml.nowhere", "app.plain"))
    done = hidden.run("--auto-fix")
    assert done.returncode == 1
    assert "takes back" not in done.stderr
    assert edited(hidden) == ["extra_distributions = ['Py.Yaml']  # mine", 'extra_modules = ["app.plain"]']


def test_an_entry_that_is_there_already_is_not_tried_again(hidden: Project) -> None:
    raising = "raise ModuleNotFoundError('No module named app.plain', name='app.plain')\n"
    hidden.pack("p", raising)
    before = file(hidden)
    assert "p: auto-fix takes back app.plain, which did not help" in hidden.run("--auto-fix").stderr
    assert file(hidden) == before
    hidden.pack("p", block("extra_modules = ['app.plain']") + raising)
    before = file(hidden)
    done = hidden.run("--auto-fix")
    assert done.returncode == 1
    assert "auto-fix adds" not in done.stderr
    assert file(hidden) == before


def test_what_the_lock_does_not_have_is_not_proposed(hidden: Project) -> None:
    hidden.wheel("boto3")
    hidden.pack("p", load("boto3"))
    before = file(hidden)
    done = hidden.run("--auto-fix")
    assert done.returncode == 1
    assert "auto-fix adds" not in done.stderr
    assert file(hidden) == before
    assert "hint: add boto3 to requirements.txt" in done.stderr


def test_a_distribution_that_the_pack_excludes_is_not_proposed(hidden: Project) -> None:
    hidden.pack("p", block("exclude_distributions = ['py-yaml']") + load("yaml"))
    before = file(hidden)
    done = hidden.run("--auto-fix")
    assert done.returncode == 1
    assert "auto-fix adds" not in done.stderr
    assert file(hidden) == before


def test_a_module_that_the_pack_excludes_is_not_proposed(hidden: Project) -> None:
    hidden.pack("p", block("exclude = ['app/plain.py']") + load("app.plain"))
    before = file(hidden)
    done = hidden.run("--auto-fix")
    assert done.returncode == 1
    assert "auto-fix adds" not in done.stderr
    assert file(hidden) == before


def test_a_module_that_cannot_ship_is_not_proposed_and_the_reason_is_said(hidden: Project) -> None:
    hidden.write({"app/broken.py": "print 'two'\n"})
    hidden.pack("p", load("app.broken", "app.plain"))
    done = hidden.run("--auto-fix")
    assert done.returncode == 1
    assert "p: auto-fix cannot add app.broken: app/broken.py:1: syntax error" in done.stderr
    assert edited(hidden) == ['extra_modules = ["app.plain"]']
    assert "No module named 'app.broken'" in done.stderr


def test_a_distribution_that_cannot_ship_beside_the_others_is_not_proposed(hidden: Project) -> None:
    hidden.wheel("one-thing", files={"one/__init__.py": "", "one/data.txt": "1"})
    hidden.wheel("two-thing", files={"two/__init__.py": "", "one/data.txt": "2"})
    hidden.require("one-thing==1.0", "two-thing==1.0")
    hidden.pack("p", "import one\n" + load("two", "app.plain"))
    done = hidden.run("--auto-fix")
    assert done.returncode == 1
    assert "p: auto-fix cannot add two-thing: one/data.txt: " in done.stderr
    assert edited(hidden) == ['extra_modules = ["app.plain"]']


def test_entries_that_cannot_ship_together_are_not_proposed_together(hidden: Project) -> None:
    hidden.wheel("one-thing", files={"one/__init__.py": "", "one/data.txt": "1"})
    hidden.wheel("two-thing", files={"two/__init__.py": "", "one/data.txt": "2"})
    hidden.require("one-thing==1.0", "two-thing==1.0")
    hidden.write({"app/plain.py": "import one\n"})
    hidden.pack("p", load("two", "app.plain"))
    done = hidden.run("--auto-fix")
    assert done.returncode == 1
    assert "p: auto-fix cannot add two-thing: one/data.txt: " in done.stderr
    assert edited(hidden) == ['extra_modules = ["app.plain"]']


def test_what_helped_stays_when_the_artifact_cannot_be_written(hidden: Project) -> None:
    hidden.pack("p", load("app.plain"))
    hidden.write({"build/p.zip": "mine"})
    done = hidden.run("--auto-fix")
    assert done.returncode == 1
    assert "p.zip: exists and was not written by monopack" in done.stderr
    assert edited(hidden) == ['extra_modules = ["app.plain"]']


def test_two_distributions_that_provide_a_module_are_a_question_for_a_person(hidden: Project) -> None:
    for name in ("one-thing", "two-thing"):
        hidden.wheel(name, files={"same/__init__.py": ""})
    hidden.require("one-thing==1.0", "two-thing==1.0")
    hidden.pack("p", load("same"))
    done = hidden.run("--auto-fix")
    said = "one-thing==1.0 and two-thing==1.0 both provide same; say which one in monopack.toml: [module_map] same = "
    assert f"p: auto-fix cannot tell what provides same: {said}" in done.stderr
    assert edited(hidden) == []
    hidden.write({"monopack.toml": "[module_map]\nsame = 'two-thing'\n"})
    hidden.build("--auto-fix")
    assert edited(hidden) == ['extra_distributions = ["two-thing"]']


def test_the_pins_are_read_once(hidden: Project) -> None:
    hidden.pack("p", load("yaml", "deep_thing", "app.plain"), tested=False)
    done = hidden.build("--auto-fix", "--skip-tests")
    assert done.stderr.count("pins: requirements.txt") == 1
    assert done.stderr.count("warning: ") == 1


def test_a_distribution_whose_requirement_is_not_pinned_is_pinned_as_in_a_build(project: Project) -> None:
    project.wheel("py-yaml", files={"yaml/__init__.py": "import shared_part\n"}, requires=["shared-part"])
    project.wheel("shared-part")
    project.require("py-yaml==1.0")
    project.pack("p", load("yaml"))
    project.build("--auto-fix")
    assert edited(project) == ['extra_distributions = ["py-yaml"]']
    assert "shared_part/__init__.py" in project.shipped("p")


# ---------------------------------------------------------------- a person's file


def test_a_persons_block_keeps_comments_quotes_order_and_spacing(hidden: Project) -> None:
    top = "# the loader needs it", "handler   =  'lambda_handler'", "extra_modules = [ 'app.d', # first"
    end = "  # the last", "  ]", "", "require_tests =true  # ours", "[env]", "MODE = 'fast'"
    hidden.pack("p", "import json\n" + block(*top, "  'app.c' ,", *end) + load("app.plain", "yaml"))
    hidden.build("--auto-fix")
    added = '  "app.plain"', 'extra_distributions = ["py-yaml"]'
    assert edited(hidden) == [*top, "  'app.c' ,", end[0], added[0], *end[1:4], added[1], "", *end[4:]]


def test_a_comment_behind_the_last_entry_is_kept(hidden: Project) -> None:
    hidden.pack("p", block("extra_modules = [ 'app.d' ,  # first", "  ]") + load("app.plain"))
    hidden.build("--auto-fix")
    assert edited(hidden) == ["extra_modules = [ \"app.plain\", 'app.d' ,  # first", "  ]"]


def test_lines_of_the_older_form_become_toml(hidden: Project) -> None:
    hidden.pack("p", block("# why", "extra_modules: app.d", "extra_distributions: deep-thing") + load("app.plain"))
    hidden.build("--auto-fix")
    assert edited(hidden) == ["# why", 'extra_modules = ["app.d", "app.plain"]', 'extra_distributions = ["deep-thing"]']


def test_a_new_block_stands_below_shebang_cookie_docstring_and_future(hidden: Project) -> None:
    head = '#!/usr/bin/env python\n# coding: utf-8\n"""A pack.\n\n# monopack-start\n"""\nfrom __future__ import annotations\n'
    hidden.pack("p", head + load("app.plain"))
    hidden.build("--auto-fix")
    made = block('extra_modules = ["app.plain"]')
    assert file(hidden).decode() == f"{head}\n{made}\n{load('app.plain')}{HANDLER}"


def test_a_read_only_file_is_not_edited(hidden: Project) -> None:
    hidden.pack("p", load("app.plain"))
    before = file(hidden)
    (hidden.root / "packs" / "p.py").chmod(0o444)
    done = hidden.run("--auto-fix")
    assert done.returncode == 1
    assert "error: p: packs/p.py: is read-only, so it is not edited" in done.stderr
    assert "No module named 'app.plain'" in done.stderr
    assert file(hidden) == before


def test_a_file_that_cannot_be_edited_in_its_encoding_is_not_edited(hidden: Project) -> None:
    code = (
        "# coding: utf-7\n"
        "load = getattr(__import__('importlib'), 'import_module')\nload(''.join(('app', '.plain')))\nx = '+AGE-'\n"
    )
    hidden.pack("p", code)
    hidden.pack("q")
    done = hidden.run("--auto-fix")
    assert done.returncode == 1
    assert "error: p: packs/p.py: cannot be edited in its encoding, utf-7" in done.stderr
    assert file(hidden).decode() == code + HANDLER
    assert done.stdout == "build/q\n"


def test_a_file_that_changed_while_the_pack_was_built_is_not_edited(hidden: Project) -> None:
    path = hidden.root / "packs" / "p.py"
    hidden.pack("p", f"with open({str(path)!r}, 'a') as source:\n    source.write('# a person saved this')\n" + load("app.plain"))
    done = hidden.run("--auto-fix")
    assert done.returncode == 1
    assert "error: p: packs/p.py: changed since it was read, so it is not edited" in done.stderr
    assert "monopack-start" not in file(hidden).decode()
    assert file(hidden).endswith(b"# a person saved this")


def test_a_file_that_lies_outside_the_project_is_not_edited(hidden: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text(load("app.plain") + HANDLER)
    (hidden.root / "packs").mkdir()
    (hidden.root / "packs" / "p.py").symlink_to(outside)
    assert hidden.run("--auto-fix").returncode in (1, 2)
    assert outside.read_text() == load("app.plain") + HANDLER


def test_a_run_that_is_stopped_leaves_the_file_as_it_was(hidden: Project) -> None:
    hidden.write({"app/plain.py": "import time\ntime.sleep(600)\n"})
    hidden.pack("p", load("app.plain"))
    before = file(hidden)
    environ = {**os.environ, "MONOPACK_CACHE_DIR": str(hidden.cache)}
    argv = [sys.executable, "-m", "monopack", "--auto-fix"]
    run = subprocess.Popen(argv, cwd=hidden.root, env=environ, stderr=subprocess.PIPE, text=True)
    while file(hidden) == before and run.poll() is None:
        time.sleep(0.02)
    assert edited(hidden) == ['extra_modules = ["app.plain"]']
    run.send_signal(signal.SIGTERM)
    _, said = run.communicate()
    assert run.returncode == 143, said
    assert file(hidden) == before
    assert [path.name for path in (hidden.root / "packs").iterdir()] == ["p.py"]


def test_debug_shows_the_change(hidden: Project) -> None:
    hidden.pack("p", load("app.plain"))
    done = hidden.build("--auto-fix", "--debug")
    made = '+# monopack-start\n+# extra_modules = ["app.plain"]\n+# monopack-end\n+\n'
    shown = f"--- packs/p.py\n+++ packs/p.py\n@@ -1,3 +1,7 @@\n{made}"
    assert shown in done.stderr
    assert "+# monopack-start" not in hidden.build("--auto-fix").stderr


# ---------------------------------------------------------------- how it is asked for


@pytest.mark.parametrize(
    ("arguments", "variable", "line", "fixes"),
    [
        ((), "", "", False),
        (("--auto-fix",), "", "", True),
        ((), "1", "", True),
        ((), "", "auto_fix = true\n", True),
        (("--no-auto-fix",), "1", "", False),
        (("--no-auto-fix",), "", "auto_fix = true\n", False),
        ((), "false", "auto_fix = true\n", False),
        (("--auto-fix",), "0", "auto_fix = false\n", True),
    ],
)
def test_flag_variable_and_file(hidden: Project, arguments: tuple[str, ...], variable: str, line: str, fixes: bool) -> None:
    hidden.pack("p", load("app.plain"))
    hidden.write({"monopack.toml": line})
    done = hidden.run(*arguments, MONOPACK_AUTO_FIX=variable)
    assert done.returncode == (0 if fixes else 1), done.stderr
    assert edited(hidden) == (['extra_modules = ["app.plain"]'] if fixes else [])


OFF = "verify is off, and --auto-fix needs it"


@pytest.mark.parametrize(
    ("arguments", "variables", "file_says", "error"),
    [
        ("--auto-fix --no-verify", "", "", f"--no-verify: {OFF}"),
        ("--auto-fix", "MONOPACK_VERIFY=0", "", f"MONOPACK_VERIFY: {OFF}"),
        ("--no-verify", "MONOPACK_AUTO_FIX=1", "", "--no-verify: verify is off, and MONOPACK_AUTO_FIX needs it"),
        (
            "", "", "auto_fix = true\nverify = false\n",
            "monopack.toml: verify: verify is off, and monopack.toml: auto_fix needs it",
        ),
        ("--auto-fix", "", "[pack]\nverify = false\n", f"monopack.toml: pack.verify: {OFF}"),
        ("--auto-fix", "", "[packs.p]\nverify = false\n", f"monopack.toml: packs.p.verify: {OFF}"),
        ("--auto-fix", "MONOPACK_PACKS__P__VERIFY=false", "", f"MONOPACK_PACKS__P__VERIFY: {OFF}"),
    ],
    ids=["flag", "variable", "flag against variable", "file", "table of all packs", "table", "variable of a pack"],
)  # fmt: skip
def test_verifying_must_not_be_off(hidden: Project, arguments: str, variables: str, file_says: str, error: str) -> None:
    hidden.pack("p", load("app.plain"))
    hidden.write({"monopack.toml": file_says})
    hidden.environ |= dict([variables.split("=")] if variables else [])
    refused(hidden, *arguments.split(), error=error)


def test_verifying_must_not_be_off_in_the_block(hidden: Project) -> None:
    hidden.pack("p", "import json\n" + block("verify = false") + load("app.plain"))
    refused(hidden, "--auto-fix", error=f"packs/p.py:2: {OFF}")


def refused(project: Project, *arguments: str, error: str) -> None:
    before = file(project)
    done = project.run(*arguments)
    assert (done.returncode, done.stderr) == (2, f"error: {error}\n  hint: leave out one of them\n")
    assert file(project) == before
    assert not (project.root / "build").exists()


def test_a_flag_for_verifying_beats_a_pack_that_is_not_verified(hidden: Project) -> None:
    hidden.pack("p", load("app.plain"))
    hidden.write({"monopack.toml": "[packs.p]\nverify = false\n"})
    hidden.build("--auto-fix", "--verify")
    assert edited(hidden) == ['extra_modules = ["app.plain"]']


def test_tests_need_not_run(hidden: Project) -> None:
    hidden.pack("p", load("app.plain"), tested=False)
    hidden.build("--auto-fix", "--skip-tests")
    assert edited(hidden) == ['extra_modules = ["app.plain"]']
    assert os.path.lexists(hidden.root / "build" / "p.zip")
