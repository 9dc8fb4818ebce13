"""Only what is needed is fetched: what the index's log shows, and what several runs on one store leave there."""

from __future__ import annotations

import json
import random
from pathlib import Path

from projects import Project
from served import Served, pinned, serve
from wheels import sha256

CROWD = 40
FILLING = {"data.bin": random.Random(0).randbytes(200_000)}  # that cannot be made smaller


def crowd(project: Project, server: Served, *more: Path) -> None:
    """Pin a crowd of wheels and some more."""
    wheels = [server.publish(f"crowd-{n}", {f"crowd_{n}/__init__.py": "", **FILLING}) for n in range(CROWD)]
    project.write({"requirements.txt": "\n".join([f"--index-url {server.url}", *map(pinned, (*wheels, *more))])})


def fetched(project: Project, *arguments: str) -> dict[str, int]:
    found: dict[str, int] = json.loads(project.build(*arguments, "--json").stdout)["fetches"]
    return found


def test_an_import_that_may_fail_and_that_nothing_provides_has_nothing_more_fetched(project: Project, served: Served) -> None:
    wanted = served.publish("wanted", {"wanted.py": ""})
    crowd(project, served, wanted)
    project.pack("main", "import wanted\n\ntry:\n    import nowhere\nexcept ImportError:\n    nowhere = None\n")
    asked = fetched(project)
    assert served.whole == [wanted.name]
    assert (asked["pins"], asked["wheels"], asked["glances"]) == (CROWD + 1, 1, CROWD)
    assert asked["size"] == wanted.stat().st_size


def test_a_second_run_asks_the_index_for_nothing(project: Project, served: Served) -> None:
    crowd(project, served)
    project.pack("main", "try:\n    import nowhere\nexcept ImportError:\n    nowhere = None\n")
    project.build()
    served.asked.clear()
    done = project.build()
    assert served.asked == []
    assert "fetched" not in done.stderr


def test_what_only_a_file_list_can_tell_is_fetched_and_confirmed(project: Project, served: Served) -> None:
    odd = served.publish("oddly-named", {"wholly_other/__init__.py": "x = 1\n"})
    crowd(project, served, odd)
    project.pack("main", "try:\n    import wholly_other\nexcept ImportError:\n    wholly_other = None\n")
    done = project.build()
    assert served.whole == [odd.name]
    assert "wholly_other/__init__.py" in project.shipped("main")
    assert f"fetched 1 of {CROWD + 1} pins ({odd.stat().st_size} B); looked at the file lists of {CROWD + 1} (" in done.stderr


def test_a_file_list_takes_a_part_of_the_wheel(project: Project, served: Served) -> None:
    crowd(project, served)
    project.pack("main", "try:\n    import nowhere\nexcept ImportError:\n    nowhere = None\n")
    whole = sum(file.stat().st_size for file in served.folder.rglob("*.whl"))
    assert 0 < fetched(project)["glanced"] < whole / 5


def test_an_index_that_sends_no_parts_has_its_wheels_fetched(project: Project, served: Served) -> None:
    served.ranges = False
    odd = served.publish("oddly-named", {"wholly_other/__init__.py": "x = 1\n"})
    crowd(project, served, odd)
    project.pack("main", "try:\n    import wholly_other\nexcept ImportError:\n    wholly_other = None\n")
    assert fetched(project)["wheels"] == CROWD + 1
    assert "wholly_other/__init__.py" in project.shipped("main")
    served.asked.clear()
    project.pack("main", "try:\n    import elsewhere\nexcept ImportError:\n    elsewhere = None\n")
    assert fetched(project)["wheels"] == 0
    assert served.asked == []


def test_a_wheel_that_the_lock_names_is_looked_at_where_the_lock_says(project: Project, served: Served) -> None:
    wheels = [served.publish(name, {f"{name}_module.py": ""}) for name in ("first", "second")]
    packages = [
        f'[[package]]\nname = "{wheel.parent.name}"\nversion = "1.0"\nsource = {{ registry = "https://index.example/simple" }}\n'
        f'wheels = [{{ url = "{served.url}/{wheel.parent.name}/{wheel.name}", hash = "sha256:{sha256(wheel)}" }}]\n'
        for wheel in wheels
    ]
    own = (
        '[[package]]\nname = "shop"\nversion = "0"\nsource = { virtual = "." }\n'
        'dependencies = [{ name = "first" }, { name = "second" }]\n'
    )
    project.write({"uv.lock": "\n".join(['version = 1\nrequires-python = ">=3.8"\n', *packages, own])})
    project.pack("main", "import second_module\n\ntry:\n    import nowhere\nexcept ImportError:\n    nowhere = None\n")
    asked = fetched(project)
    assert served.whole == [wheels[1].name]
    assert (asked["glances"], asked["wheels"]) == (2, 1)
    assert {path for path in served.asked if path.endswith("/")} == set()


def test_a_file_that_the_lock_does_not_mean_is_not_looked_at(project: Project, served: Served) -> None:
    odd = served.publish("oddly-named", {"wholly_other.py": ""})
    project.write({"requirements.txt": f"--index-url {served.url}\n{pinned(odd)}\n"})
    served.publish("oddly-named", {"something_else.py": ""})
    page = f'<a href="{odd.name}#sha256={sha256(odd)}">{odd.name}</a>'
    (odd.parent / "index.html").write_text(page)
    project.pack("main", "try:\n    import wholly_other\nexcept ImportError:\n    wholly_other = None\n")
    assert fetched(project)["glances"] == 0
    assert served.whole == [odd.name]


def test_what_the_store_has_is_not_fetched_when_another_lock_asks_another_index_for_it(
    project: Project, served: Served, tmp_path: Path
) -> None:
    wheel = served.publish("one", {"one.py": ""})
    project.write({"requirements.txt": f"--index-url {served.url}\n{pinned(wheel)}\n", "monopack.toml": "skip_tests = true\n"})
    project.pack("main", "import one\n", tested=False)
    assert fetched(project)["wheels"] == 1
    with serve(tmp_path / "other") as other:
        copy = other.publish("one", {"one.py": ""})
        newer = other.publish("one", {"one.py": ""}, build="1")
        source = {"name": "other", "url": other.url, "verify_ssl": True}
        lock = {"_meta": {"hash": {"sha256": ""}, "pipfile-spec": 6, "requires": {}, "sources": [source]}, "develop": {}}
        one = {"version": "==1.0", "index": "other"}
        hashes = [f"sha256:{sha256(file)}" for file in (copy, newer)]
        project.write({"Pipfile.lock": json.dumps({**lock, "default": {"one": {**one, "hashes": hashes}}})})
        (project.root / "requirements.txt").unlink()
        assert (fetched(project)["wheels"], other.whole) == (1, [newer.name]), "which file it is does not depend on the store"
        newer.unlink()
        project.write({"Pipfile.lock": json.dumps({**lock, "default": {"one": {**one, "hashes": hashes[:1]}}})})
        assert (fetched(project)["wheels"], other.whole) == (0, [newer.name])


def test_a_pin_that_is_completed_or_has_several_targets_counts_once(project: Project, served: Served) -> None:
    wheels = [served.publish("one", requires=["two"]), served.publish("two")]
    for wheel in wheels:
        link = f'<a href="{wheel.name}#sha256={sha256(wheel)}">{wheel.name}</a>'
        (wheel.parent / "index.html").write_text(f"<!DOCTYPE html>{link}")
    other = '[packs.other]\ntarget = "aws-lambda-python3.12-arm64"\n'
    project.write({
        "requirements.txt": f"--index-url {served.url}\none==1.0\n", "monopack.toml": f"skip_tests = true\n{other}",
    })  # fmt: skip
    for name in ("main", "other"):
        project.pack(name, "import one\n", tested=False)
    asked = fetched(project)
    assert (asked["pins"], asked["wheels"]) == (2, 2)
    assert asked["size"] == sum(wheel.stat().st_size for wheel in wheels)
