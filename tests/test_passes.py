"""Tests that run without network, and whose passes are kept: they run again when something changes that they could see."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from projects import COMMAND, Project

NO_NETWORK = "[pack]\ntest_network = false\n"
ALONE = ["unshare", "--user", "--map-root-user", "--net"]

pytestmark = pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run([*ALONE, "true"], check=False, capture_output=True).returncode != 0,
    reason="this system lets nobody make a network namespace",
)


@pytest.fixture
def counted(project: Project, tmp_path: Path) -> Path:
    """A project with one pack whose test notes each of its runs in a file outside."""
    runs = tmp_path / "runs"
    project.write({
        "monopack.toml": NO_NETWORK,
        "tests/test_main.py": f"import unittest\nimport packs.main\n\nclass Case(unittest.TestCase):\n    def test(self):\n"
        f"        with open({str(runs)!r}, 'a') as file:\n            file.write('x')\n",
    })  # fmt: skip
    project.pack("main", "WORD = 1\n", tested=False)
    return runs


def test_what_passed_is_not_run_again_until_something_changes_that_it_could_see(project: Project, counted: Path) -> None:
    project.build()
    for words in (("--sha-output", "b64"), ("--compression", "stored")):
        assert "main  built" in project.build(*words).stderr
        assert counted.read_text() == "x"
    assert "tests passed before" in project.build("--sha-output", "hex").stderr
    project.build("--no-cache")
    assert counted.read_text() == "xx"
    project.pack("main", "WORD = 2\n", tested=False)
    project.build()
    project.write({"monopack.toml": f'{NO_NETWORK}test_env = {{ MODE = "fast" }}\n'})
    project.build()
    assert counted.read_text() == "xxxx"


def test_the_number_of_tests_that_passed_is_told_as_when_they_ran(project: Project, counted: Path) -> None:
    first = project.build("--json").stdout
    again = project.build("--json", "--sha-output", "b64").stdout
    assert '"tests": 1' in first
    assert '"tests": 1' in again
    assert counted.read_text() == "x"


def test_with_a_network_tests_run_again(project: Project, counted: Path) -> None:
    project.write({"monopack.toml": ""})
    project.build()
    project.build("--sha-output", "b64")
    assert counted.read_text() == "xx"


def test_what_failed_is_run_again(project: Project, counted: Path) -> None:
    test = project.root / "tests/test_main.py"
    test.write_text(f"{test.read_text()}        raise OSError\n")
    assert project.run().returncode == 1
    again = project.run()
    assert again.returncode == 1
    assert "nothing but the pack and its tests, without network (test_network = false)" in again.stderr
    assert counted.read_text() == "xx"


def test_tests_reach_themselves_and_nobody_else(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        project.write({
            "monopack.toml": NO_NETWORK,
            "tests/test_main.py": f"""import os, socket, unittest
import packs.main

class Case(unittest.TestCase):
    def test_loopback(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), 5).close()

    def test_others(self):
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", {port}), 5)

    def test_who(self):
        self.assertEqual(os.getuid(), {os.getuid()})
""",
        })  # fmt: skip
        project.pack("main", "WORD = 1\n", tested=False)
        assert '"tests": 3' in project.build("--json").stdout


def test_where_the_network_cannot_be_shut_off_the_pack_fails_and_says_how_to_go_on(project: Project, counted: Path) -> None:
    script = 'echo 0 > /proc/sys/user/max_net_namespaces && exec "$@"'
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh", *COMMAND],
        cwd=project.root, env=project.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "error: main: test_network: the network of tests cannot be shut off: No space left on device" in done.stderr
    assert "test_network = true" in done.stderr
    assert not counted.exists()


def test_a_damaged_pass_is_none(project: Project, counted: Path) -> None:
    project.build()
    (passed,) = (file for file in project.cache.glob("passes-*/*/*") if file.read_text() == "1")
    for damage in ("abc", "-3", ""):
        passed.write_text(damage)
        shutil.rmtree(project.root / "build")
        project.build()
    shutil.rmtree(project.root / "build")
    assert '"tests": 1' in project.build("--json").stdout
    assert len(counted.read_text()) == 4


@pytest.mark.usefixtures("counted")
def test_tests_that_change_the_pack_fail_again(project: Project) -> None:
    log = project.root / "build/main/packs/log.txt"
    test = project.root / "tests/test_main.py"
    test.write_text(f"{test.read_text()}        open({str(log)!r}, 'w').close()\n")
    for _ in range(2):
        done = project.run()
        assert done.returncode == 1
        assert "packs/log.txt: changed while the pack's code ran" in done.stderr
