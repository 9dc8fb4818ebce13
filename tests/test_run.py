"""The door to other programs: nothing outlives its time, nothing floods memory, nothing leaks in."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from monopack.run import OUTPUT_LIMIT, CancelledError, Completed, Door, clean_environment


def python(code: str, *, cwd: Path, timeout: float | None = None, door: Door | None = None) -> Completed:
    return (door or Door()).run([sys.executable, "-c", code], cwd=cwd, env={"PATH": os.defpath}, timeout=timeout)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc").is_dir() else _signalled(pid)
    except OSError:
        return False


def _signalled(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_exit_code_and_output_of_both_streams(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), flush=True); print('é', file=sys.stderr); sys.stderr.flush(); sys.exit(3)"
    done = python(code, cwd=tmp_path)
    assert (done.code, done.timed_out) == (3, False)
    assert done.output.splitlines()[0] == str(tmp_path)


def test_there_is_no_standard_input(tmp_path: Path) -> None:
    assert python("print(repr(input()))", cwd=tmp_path).output.rstrip().endswith("EOFError: EOF when reading a line")


def test_a_flood_of_output_is_cut_at_its_beginning(tmp_path: Path) -> None:
    done = python("for n in range(60): print('x' * 100_000)\nprint('the end')", cwd=tmp_path)
    assert len(done.output) <= OUTPUT_LIMIT
    assert done.output.endswith("the end\n")


def test_a_signal_is_a_negative_exit_code(tmp_path: Path) -> None:
    assert python("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", cwd=tmp_path).code == -15


@pytest.mark.parametrize("session", [False, True] if Path("/proc").is_dir() else [False])
@pytest.mark.parametrize("ends", ["sys.exit()", "time.sleep(600)"])
def test_what_a_child_started_dies_with_it(tmp_path: Path, ends: str, session: bool) -> None:
    sleep = f"[sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session={session}"
    code = f"import subprocess, sys, time; p = subprocess.Popen({sleep})"
    done = python(f"{code}; print(p.pid, flush=True); {ends}", cwd=tmp_path, timeout=1.5)
    assert done.timed_out is (ends != "sys.exit()")
    for _ in range(100):
        if not alive(int(done.output)):
            break
        time.sleep(0.02)
    assert not alive(int(done.output))


def test_cancelling_ends_a_running_child(tmp_path: Path) -> None:
    door = Door()
    threading.Timer(0.3, door.cancelled.set).start()
    with pytest.raises(CancelledError):
        python("import time; time.sleep(600)", cwd=tmp_path, door=door)


def test_lines_are_heard_as_they_come(tmp_path: Path) -> None:
    """The child ends only once its first line was heard."""
    heard: list[str] = []
    gate = tmp_path / "gate"

    def hear(line: str) -> None:
        heard.append(line)
        gate.touch()

    code = "import os, sys, time; sys.stdout.reconfigure(encoding='utf-8'); print('one', flush=True)\n"
    code += "while not os.path.exists('gate'): time.sleep(0.01)\nprint('zwö\\nrest', end='')"
    done = python(code, cwd=tmp_path, door=Door(heard=hear), timeout=60)
    assert (done.timed_out, heard) == (False, ["one", "zwö"])
    assert done.output.splitlines() == ["one", "zwö", "rest"]


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no-such-program"):
        Door().run(["no-such-program"], cwd=tmp_path, env={})


def test_the_environment_for_foreign_code_is_an_allowlist(tmp_path: Path) -> None:
    caller = {"PATH": "/bin", "TZ": "UTC", "AWS_SECRET_ACCESS_KEY": "s", "HOME": "/home/me", "PYTHONPATH": "/x", "CI_TOKEN": "t"}
    given = clean_environment(caller, home=tmp_path, passthrough=["CI_TOKEN", "UNSET"], extra={"STAGE": "dev"})
    home = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TMP", "TEMP"), str(tmp_path))
    assert given == {**home, "PATH": "/bin", "TZ": "UTC", "CI_TOKEN": "t", "STAGE": "dev"}
