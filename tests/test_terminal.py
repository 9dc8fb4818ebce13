"""What a person sees: a live display on a terminal, plain lines elsewhere, colours where they are wanted."""

from __future__ import annotations

import functools
import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import COMMAND, Project
from screens import Screen

from monopack.cli.progress import ENOUGH, Progress, time_in_words
from monopack.model import Step

WAITING = """\
import os, time, unittest
import packs.{name}

class T(unittest.TestCase):
    def test(self):
        while not os.path.exists({gate!r}):
            time.sleep(0.02)
"""


@pytest.fixture
def gated(shop: Project, tmp_path: Path) -> Callable[[], None]:
    """The shop with a test of `users` that waits; the function lets it go on."""
    gate = tmp_path / "gate"
    shop.write({"tests/test_users.py": WAITING.format(name="users", gate=str(gate))})
    return gate.touch


def screen(shop: Project, *arguments: str, columns: int = 100, stdout: Path | None = None, **variables: str) -> Screen:
    return Screen([*COMMAND, *arguments], shop.root, shop.environment(**variables), columns=columns, stdout=stdout)


# ---------------------------------------------------------------- the live display


def test_a_terminal_shows_packs_and_their_steps(shop: Project, gated: Callable[[], None], tmp_path: Path) -> None:
    seen = screen(shop, "--jobs", "2", stdout=tmp_path / "stdout")
    seen.wait_for("orders: built in", "users running its tests", "1 of 2 packs")
    gated()
    assert seen.end() == 0
    assert (tmp_path / "stdout").read_text() == "build/orders\nbuild/users\n"


def test_nothing_of_the_display_stays(shop: Project) -> None:
    seen = screen(shop, "users")
    assert seen.end() == 0
    head, pack, fetched, total, folder = seen.remains()
    assert head.split() == ["pack", "result", "files", "distributions", "unpacked", "zip", "tests", "seconds", "handler"]
    assert pack.split()[:2] == ["users", "built"]
    assert fetched.startswith("fetched 1 of 4 pins (")
    assert total.startswith("1 of 1 packs are ready, in ")
    assert folder == "build/users"
    assert seen.raw.count("\x1b[?25l") == seen.raw.count("\x1b[?25h") == 1  # the cursor, hidden and shown again


def test_what_is_logged_stands_above_the_display(shop: Project, gated: Callable[[], None]) -> None:
    seen = screen(shop, "--jobs", "2")
    seen.wait_for("users running its tests")
    gated()
    assert seen.end() == 0
    assert [line for line in seen.lines() if re.fullmatch(r"(orders|users): built in \d+\.\d s", line.strip())]
    assert f"project {shop.root} (no monopack.toml)" in seen.lines()


@pytest.mark.parametrize(("stop", "code"), [("\x03", 130), ("hang up", 129)])
def test_a_run_that_is_stopped_leaves_the_terminal_as_it_was(
    shop: Project, gated: Callable[[], None], stop: str, code: int
) -> None:
    seen = screen(shop)
    seen.wait_for("users running its tests")
    if stop == "hang up":
        assert seen.hang_up() == code
    else:
        seen.press(stop)
        assert seen.end() == code
        assert seen.remains() == ["stopped by SIGINT"]
        assert seen.raw.count("\x1b[?25l") == seen.raw.count("\x1b[?25h")
    gated()


@pytest.mark.parametrize("variables", [{"CI": "true"}, {"TERM": "dumb"}, {"GITHUB_ACTIONS": "true", "CI": "1"}], ids=str)
def test_where_nobody_watches_a_terminal_has_plain_lines(shop: Project, variables: dict[str, str]) -> None:
    shop.environ |= variables
    seen = screen(shop, "users")
    assert seen.end() == 0
    assert "\x1b[?25l" not in seen.raw
    assert "\x1b[2K" not in seen.raw
    assert [line for line in seen.lines() if line.startswith("users: built in ")]


def test_a_variable_ci_that_says_no(shop: Project) -> None:
    seen = screen(shop, "users", CI="false")
    assert seen.end() == 0
    assert "\x1b[?25l" in seen.raw


def test_quiet_shows_nothing_but_the_answer(shop: Project) -> None:
    seen = screen(shop, "users", "--quiet")
    assert seen.end() == 0
    assert [line for line in seen.lines() if not line.startswith("warning: ")] == ["build/users"]
    assert "\x1b[?25l" not in seen.raw


def test_other_commands_show_what_takes_long_and_then_only_their_answer(shop: Project) -> None:
    seen = screen(shop, "list")
    assert seen.end() == 0
    assert any("looking at 2 packs" in line for line in seen.lines())
    assert [line.split()[0] for line in seen.remains()] == ["pack", "orders", "users"]


def test_the_closing_table_fits_the_terminal(shop: Project) -> None:
    for columns in (50, 70, 200):
        seen = screen(shop, columns=columns)
        assert seen.end() == 0
        head, *packs, _total = seen.remains()[:4]
        assert max(map(len, (head, *packs))) <= columns
        assert [pack.split()[0] for pack in packs] == ["orders", "users"]
    assert "handler" in head


# ---------------------------------------------------------------- downloads


class Gate(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, the wheels only once they may go."""

    opened = threading.Event()

    def do_GET(self) -> None:
        if self.path.endswith(".whl"):
            self.server.opened.wait(60)  # type: ignore[attr-defined]
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def served(shop: Project) -> Iterator[threading.Event]:
    """The shop's index over HTTP; wheels go once the event is set."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Gate, directory=str(shop.index))) as server:
        server.opened = threading.Event()  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        pinned = (shop.root / "requirements.txt").read_text().splitlines()[2:]
        shop.write({"requirements.txt": "\n".join(["--no-index", f"--find-links {address}", *pinned])})
        shop.environ |= {"PIP_NO_CACHE_DIR": "1", "no_proxy": "127.0.0.1"}
        yield server.opened  # type: ignore[attr-defined]
        server.shutdown()


def test_a_terminal_shows_what_is_fetched(shop: Project, served: threading.Event) -> None:
    seen = screen(shop, "users")
    seen.wait_for("fetching 1 distribution")
    served.set()
    seen.wait_for("fetching 1 distribution big_thing-1.0-py3-none-any.whl (")
    assert seen.end() == 0


def test_plain_lines_tell_of_downloads_too(shop: Project, served: threading.Event) -> None:
    served.set()
    lines = shop.build("users").stderr.splitlines()
    at = lines.index("fetching 1 distribution")
    assert re.fullmatch(r"  big_thing-1\.0-py3-none-any\.whl \([\d.]+ \w+\)", lines[at + 1])
    assert "fetching" not in shop.build("users").stderr  # it is in the store now


# ---------------------------------------------------------------- pipes


def test_a_pipe_has_plain_lines_in_the_order_of_what_happened(shop: Project) -> None:
    done = shop.build("--jobs", "1")
    assert "\x1b" not in done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert lines[0] == f"project {shop.root} (no monopack.toml)"
    told = [line.partition(" in ")[0] for line in lines if re.match(r"(orders|users): ", line)]
    assert told == ["orders: built", "users: built"]
    assert [line.split()[0] for line in lines[-5:]] == ["pack", "orders", "users", "fetched", "2"]


def test_escape_sequences_that_a_packs_code_prints_do_not_reach_a_pipe(shop: Project) -> None:
    shop.pack("users", "print('\\x1b[31mloud\\x1b[0m')\nraise SystemExit\n")
    done = shop.run("users")
    assert "    loud\n" in done.stderr
    assert "\x1b" not in done.stderr


# ---------------------------------------------------------------- colours

NO, FORCE = {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}
ON_TERMINAL, IN_PIPE = True, False


@pytest.mark.parametrize(
    ("where", "arguments", "variables", "colored"),
    [
        (IN_PIPE, [], {}, False),
        (ON_TERMINAL, [], {}, True),
        (ON_TERMINAL, [], NO, False),
        (ON_TERMINAL, [], {"NO_COLOR": ""}, True),
        (ON_TERMINAL, [], {"TERM": "dumb"}, False),
        (IN_PIPE, [], FORCE, True),
        (IN_PIPE, [], {**FORCE, **NO}, False),
        (IN_PIPE, ["--color", "always"], {}, True),
        (IN_PIPE, ["--color", "always"], NO, True),
        (ON_TERMINAL, ["--color", "never"], {}, False),
        (IN_PIPE, ["--color", "never"], FORCE, False),
        (ON_TERMINAL, ["--color", "auto"], NO, False),
        (IN_PIPE, [], {"MONOPACK_COLOR": "always", **NO}, True),
        (ON_TERMINAL, [], {"MONOPACK_COLOR": "never"}, False),
        (IN_PIPE, ["--color", "never"], {"MONOPACK_COLOR": "always"}, False),
    ],
    ids=str,
)
def test_when_there_are_colours(
    shop: Project, where: bool, arguments: list[str], variables: dict[str, str], colored: bool
) -> None:
    refused = ["list", "--packs-dir", "nowhere", *arguments]
    shop.environ |= variables
    if where is ON_TERMINAL:
        seen = screen(shop, *refused)
        assert seen.end() == 2
        shown = seen.raw
    else:
        shown = shop.run(*refused).stderr
    assert ("\x1b[" in shown) is colored
    assert "nowhere: " in shown


def test_the_file_says_whether_there_are_colours(shop: Project) -> None:
    shop.write({"monopack.toml": 'color = "always"\n'})
    assert "\x1b[" in shop.run("list", "nothing").stderr
    assert "\x1b[" not in shop.run("list", "nothing", "--color", "never").stderr


def test_wrong_words_are_colored_too(shop: Project) -> None:
    done = shop.run("--nonsense", MONOPACK_COLOR="always")
    assert done.stderr.startswith("\x1b[31m\x1b[1merror:\x1b[0m No such option")


def test_colours_are_where_they_help_and_change_no_word(shop: Project) -> None:
    shop.build("--quiet")  # what is fetched now is not fetched by one of the two runs alone
    shop.pack("broken", "raise RuntimeError('no')\n")
    plain = shop.run("--build-dir", "plain", MONOPACK_JBOS="1")
    colored = shop.run("--build-dir", "color", "--color", "always", MONOPACK_JBOS="1")
    for words in (
        "\x1b[33mwarning:\x1b[0m MONOPACK_JBOS: no such option",
        "\x1b[31m\x1b[1merror:\x1b[0m broken: packs/broken.py:1: RuntimeError: no",
        "users: \x1b[32mbuilt\x1b[0m in ",
        "broken: \x1b[31mfailed\x1b[0m in ",
        "\nbroken  \x1b[31mfailed\x1b[0m ",
        "\nusers   \x1b[32mbuilt\x1b[0m  ",
        "2 of 3 packs are ready, \x1b[31m1 failed\x1b[0m, in ",
    ):
        assert words in colored.stderr
    assert "\x1b" not in plain.stderr
    assert sorted(_words(re.sub(r"\x1b\[\d*m", "", colored.stderr))) == sorted(_words(plain.stderr))


def _words(text: str) -> list[str]:
    """The words, without times and the folders that differ."""
    return [word for word in text.split() if not re.search(r"^\d+\.\d$|/(plain|color)/|monopack-verify", word)]


def test_hints_are_dim(shop: Project) -> None:
    done = shop.run("list", "usres", "--color", "always")
    assert "\n\x1b[2m  hint: the packs are: orders, users\x1b[0m\n" in done.stderr


def test_a_list_is_colored_on_stdout(shop: Project) -> None:
    shop.build("users")
    listed = shop.build("list", "--color", "always").stdout
    assert "orders  \x1b[33mnot built\x1b[0m " in listed
    assert "users   \x1b[32mup to date\x1b[0m " in listed
    assert "\x1b" not in shop.build("list", "--json", "--color", "always").stdout


# ---------------------------------------------------------------- start-up


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [(["--version"], ("rich", "pydantic")), (["--help"], ("rich", "pydantic")), (["--color", "always"], ("rich",))],
    ids=str,
)
def test_what_is_not_needed_is_not_imported(shop: Project, arguments: Sequence[str], unwanted: Sequence[str]) -> None:
    argv = [sys.executable, "-X", "importtime", "-m", "monopack", *arguments]
    done = subprocess.run(argv, cwd=shop.root, env=shop.environment(), capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "monopack" in imported
    assert imported.isdisjoint(unwanted)


@pytest.mark.parametrize("closed", [1, 2])
def test_a_stream_that_was_closed_before_the_start(shop: Project, closed: int) -> None:
    argv = ["sh", "-c", f'"$@" {closed}>&-', "sh", *COMMAND, "list", "--brief"]
    done = subprocess.run(argv, cwd=shop.root, env=shop.environment(), capture_output=True, text=True, check=False)
    if closed == 1:
        assert done.stderr.startswith("error: stdout cannot be written: it is closed\n")
        assert done.returncode == 1
    else:
        assert done.stdout.startswith("pack    handler\n")
        assert done.returncode == 0


def test_a_full_stderr_does_not_stop_a_build(shop: Project) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    argv = [*COMMAND, "users"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(argv, cwd=shop.root, env=shop.environment(), stdout=subprocess.PIPE, stderr=full, check=False)
    assert (done.returncode, done.stdout) == (0, b"build/users\n")


# ---------------------------------------------------------------- time left


def told(*steps: tuple[float, str, str], total: int) -> Progress:
    progress = Progress()
    progress.told(Step(name="plan", detail=str(total)), 0.0)
    for now, pack, name in steps:
        progress.told(Step(name=name, pack=pack), now)
    return progress


def test_the_time_left_is_what_packs_took_so_far() -> None:
    """Three packs took 10 s each, one after another; the fourth has run for 4 s, and a fifth waits."""
    steps = [(10.0 * n + at, f"p{n}", name) for n in range(3) for at, name in ((0.0, "assemble"), (5.0, "test"), (10.0, "built"))]
    progress = told(*steps, (30.0, "p3", "assemble"), total=5)
    assert progress.left(34.0) == pytest.approx(16.0)


def test_two_at_a_time_take_half_the_time() -> None:
    steps = [(0.0, "a", "verify"), (0.0, "b", "verify"), (10.0, "a", "built"), (10.0, "b", "built")]
    steps += [(10.0, "c", "verify"), (10.0, "d", "verify"), (20.0, "c", "built"), (20.0, "e", "verify")]
    progress = told(*steps, total=7)
    assert progress.left(20.0) == pytest.approx((0 + 10 + 20) / 2)


def test_nobody_can_tell_before_enough_packs_were_built() -> None:
    steps = [(0.0, f"u{n}", "unchanged") for n in range(20)] + [(1.0, f"f{n}", "failed") for n in range(20)]
    progress = told(*steps, (1.0, "p", "verify"), total=50)
    assert progress.done == 40
    assert progress.left(2.0) is None


def test_nobody_can_tell_while_one_takes_longer_than_any_before() -> None:
    steps = [(float(n), f"p{n}", name) for n in range(3) for name in ("verify",)] + [(3.0, f"p{n}", "built") for n in range(3)]
    progress = told(*steps, (3.0, "slow", "verify"), total=4)
    assert progress.left(5.0) is not None
    assert progress.left(7.0) is None


def test_a_pack_that_is_mended_is_built_once_more() -> None:
    progress = told((0.0, "p", "verify"), (1.0, "p", "failed"), total=2)
    assert progress.done == 1
    progress.told(Step(name="plan", detail="1"), 1.0)
    progress.told(Step(name="verify", pack="p"), 1.0)
    assert (progress.total, progress.done) == (2, 0)


STEPS = st.tuples(
    st.floats(0, 10),
    st.sampled_from("abcdef"),
    st.sampled_from(["assemble", "verify", "test", "pack", "built", "unchanged", "failed"]),
)


@given(st.lists(STEPS, max_size=40), st.integers(6, 9))
def test_a_guess_is_never_negative_nor_without_ground(steps: list[tuple[float, str, str]], total: int) -> None:
    now, ordered = 0.0, []
    for later, pack, name in steps:
        now += later
        ordered.append((now, pack, name))
    progress = told(*ordered, total=total)
    left = progress.left(now)
    assert left is None or left >= 0
    if sum(name == "built" for _, _, name in ordered) < ENOUGH or not progress.active():
        assert left is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "about 5 s left"), (5.1, "about 10 s left"), (54.0, "about 55 s left"), (56.0, "about 1 min left"),
     (61.0, "about 2 min left"), (600.0, "about 10 min left")],
)  # fmt: skip
def test_time_in_words_is_never_too_small(seconds: float, words: str) -> None:
    assert time_in_words(seconds) == words
