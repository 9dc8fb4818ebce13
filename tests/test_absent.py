"""What an index says that it does not have is not asked for again for a day; all that may be otherwise in a minute is."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from projects import Project
from served import Served, pinned
from test_store import make_sdist
from wheels import make_wheel, sha256


def folder(served: Served, name: str = "one") -> Path:
    made = served.folder / "simple" / name
    made.mkdir(parents=True, exist_ok=True)
    return made


def another_version(served: Served) -> None:
    make_wheel(folder(served), "one", "2.0", {"one.py": ""})


def another_target(served: Served) -> None:
    make_wheel(folder(served), "one", "1.0", {"one.py": ""}, tag="cp36-cp36m-win32")


def another_python(served: Served) -> None:
    make_wheel(folder(served), "one", "1.0", {"one.py": ""}, requires_python="<3")


def another_python_on_its_page(served: Served) -> None:
    wheel = make_wheel(folder(served), "one", "1.0", {"one.py": ""}, requires_python="<3")
    page = f'<a href="{wheel.name}" data-requires-python="&lt;3">{wheel.name}</a>'
    (folder(served) / "index.html").write_text(page)


ABSENCES = {
    another_version: "one==1.0 was not found",
    another_target: "one==1.0 has no wheel for Python",
    another_python: "one==1.0 requires Python <3",
    another_python_on_its_page: "one==1.0 requires Python <3",
}


def wants_one(project: Project, served: Served, line: str = "one==1.0") -> None:
    project.write({"requirements.txt": f"--index-url {served.url}\n{line}\n"})
    project.pack("main", "import one\n")


def refused(project: Project, served: Served, *arguments: str) -> tuple[list[str], list[str]]:
    """The lines of a refusal, and what the index was asked for."""
    served.asked.clear()
    done = project.run(*arguments)
    assert done.returncode == 3, done.stderr
    lines = done.stderr.splitlines()
    start = next(number for number, line in enumerate(lines) if "error" in line)
    return lines[start : start + 2], list(served.asked)


@pytest.mark.parametrize(("absence", "said"), ABSENCES.items(), ids=[each.__name__ for each in ABSENCES])
def test_what_an_index_does_not_have_is_not_asked_for_again(
    project: Project, served: Served, absence: Callable[[Served], None], said: str
) -> None:
    absence(served)
    wants_one(project, served)
    first, asked = refused(project, served)
    assert said in first[0]
    assert asked != []
    assert refused(project, served) == (first, [])
    assert "not asked for again: 1 pin that could not be had" in project.run().stderr


def test_what_may_not_be_built_is_not_asked_for_again_but_once_it_may(project: Project, served: Served, tmp_path: Path) -> None:
    sdist = make_sdist(folder(served, "src-only"), tmp_path)
    project.write({"requirements.txt": f"--index-url {served.url}\nsrc-only==1.0 --hash=sha256:{sha256(sdist)}\n"})
    project.pack("main", "import src_only\n")
    project.environ["MONOPACK_SDISTS"] = "forbid"
    first, asked = refused(project, served)
    assert "src-only==1.0 has no wheel for the target and may not be built from its source" in first[0]
    assert asked != []
    assert refused(project, served) == (first, [])
    del project.environ["MONOPACK_SDISTS"]
    project.build()
    assert "src_only.py" in project.shipped("main")


def test_what_nobody_gets_to_see_is_not_looked_at_again(project: Project, served: Served) -> None:
    another_target(served)
    wants_one(project, served)
    project.pack("main", "try:\n    import nowhere\nexcept ImportError:\n    nowhere = None\n")
    project.build()
    assert served.asked != []
    served.asked.clear()
    project.pack("main", "try:\n    import nowhere.else_\nexcept ImportError:\n    nowhere = None\n")
    project.build()
    assert served.asked == []


def moved(project: Project) -> None:
    """The same wheels at another address."""
    text = (project.root / "requirements.txt").read_text().replace("127.0.0.1", "localhost")
    project.write({"requirements.txt": text})
    project.environ |= {"NO_PROXY": "localhost", "no_proxy": "localhost"}


def told_by_pip(project: Project) -> None:
    """Another setting of pip's own."""
    project.environ["PIP_PRE"] = "1"


def cleaned(project: Project) -> None:
    project.build("cache", "clean", "--unused", "300")


def aged(project: Project) -> None:
    """A day goes by."""
    (note,) = project.cache.rglob("absent/*.json")
    fact = json.loads(note.read_text().partition("\n")[2])
    text = json.dumps({**fact, "at": time.time() - 24 * 60 * 60})
    note.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")


def damaged(project: Project) -> None:
    (note,) = project.cache.rglob("absent/*.json")
    note.write_bytes(note.read_bytes()[:-9])


@pytest.mark.parametrize("change", [moved, told_by_pip, cleaned, aged, damaged])
def test_it_is_asked_for_again_once_anything_has_changed(
    project: Project, served: Served, change: Callable[[Project], None]
) -> None:
    another_version(served)
    wants_one(project, served)
    refused(project, served)
    served.publish("one")
    assert refused(project, served)[1] == [], "this is what has to be forgotten"
    change(project)
    project.build()
    assert "one/__init__.py" in project.shipped("main")


def test_another_hash_is_another_pin(project: Project, served: Served) -> None:
    another_version(served)
    wants_one(project, served)
    refused(project, served)
    wants_one(project, served, pinned(served.publish("one")))
    project.build()


def test_a_wheel_that_comes_into_a_folder_is_found(project: Project) -> None:
    project.wheel("one", "2.0")
    project.require("one==1.0")
    project.pack("main", "import one\n")
    assert "one==1.0 was not found" in project.run().stderr
    project.wheel("one", "1.0")
    project.build()


def test_offline_says_what_it_said(project: Project, served: Served) -> None:
    another_version(served)
    wants_one(project, served)
    first = refused(project, served, "--offline")[0]
    refused(project, served)
    assert refused(project, served, "--offline")[0] == first


# ---------------------------------------------------------------- what may be otherwise in a minute


def test_a_name_that_the_index_has_no_page_for_is_asked_for_again(project: Project, served: Served) -> None:
    wants_one(project, served)
    assert "one==1.0 was not found" in refused(project, served)[0][0]
    served.publish("one")
    project.build()


def test_an_index_without_a_page_beside_one_that_has_other_versions_is_asked_again(project: Project, served: Served) -> None:
    another_version(served)
    wants_one(project, served)
    more = f"--extra-index-url {served.url.replace('/simple', '/other')}\n"
    project.write({"requirements.txt": (project.root / "requirements.txt").read_text() + more})
    assert "one==1.0 was not found" in refused(project, served)[0][0]
    make_wheel(served.folder / "other" / "one", "one", "1.0", {"one.py": ""})
    project.build()


def test_other_bytes_are_fetched_again(project: Project, served: Served) -> None:
    wheel = served.publish("one")
    right = wheel.read_bytes()
    wants_one(project, served, pinned(wheel))
    served.publish("one", {"one.py": "wrong = True\n"})
    assert "does not match the hashes" in refused(project, served)[0][0]
    wheel.write_bytes(right)
    project.build()


def test_an_index_that_was_not_there_is_asked_again(project: Project, served: Served) -> None:
    wants_one(project, served)
    served.publish("one")
    right = (project.root / "requirements.txt").read_text()
    project.write({"requirements.txt": right.replace(f":{served.server_port}/", ":1/")})
    project.environ["PIP_RETRIES"] = "0"
    assert "could not be fetched" in refused(project, served)[0][0]
    assert list(project.cache.rglob("absent/*")) == []


def test_what_did_not_build_is_built_again(project: Project, tmp_path: Path) -> None:
    sdist = make_sdist(project.index, tmp_path)
    right = sdist.read_bytes()
    project.require("src-only==1.0")
    project.pack("main", "import src_only\n")
    sdist.write_bytes(b"no sdist")
    assert project.run().returncode == 3
    assert list(project.cache.rglob("absent/*")) == []
    sdist.write_bytes(right)
    project.build()
