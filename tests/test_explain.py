"""Why something is in a pack, and what there is: the real command on a folder under `cases/explain` for each situation.

`project` is copied, `wheels.toml` lists the wheels of the index and the lines of requirements.txt (`pinned`), and every command
in `expected.txt` is run again: the whole file has to come out as it is.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from projects import Project
from targets_for_tests import host
from wheels import sha256

from monopack.explain import Known, why
from monopack.model import (
    Arrow,
    Distribution,
    Evidence,
    Graph,
    Lock,
    Node,
    Pin,
    Reach,
    Resolution,
    SourceFile,
    Trace,
)
from monopack.report.trace import chart
from monopack.resolve import Wanted, resolve
from monopack.trace import Start
from monopack.trace.findings import Reference
from monopack.trace.sources import Facts, SourceTree
from monopack.trace.walk import walk

CASES = Path(__file__).parent / "cases" / "explain"


def set_up(project: Project, case: Path) -> None:
    """Make the project and the index of a case."""
    shutil.copytree(case / "project", project.root, dirs_exist_ok=True)
    if (case / "wheels.toml").exists():
        described = tomllib.loads((case / "wheels.toml").read_text("utf-8"))
        for name, wheel in described.get("wheels", {}).items():
            project.wheel(name, **wheel)
        project.require(*described["pinned"])


def transcript(project: Project, commands: list[str]) -> str:
    """Commands with what they print (stderr behind `!`) and their exit codes, unless these are 0.

    That the pins have no hashes is true in every case, and left out.
    """
    parts = []
    for command in commands:
        done = project.run(*shlex.split(command)[1:])
        told = (f"! {line}" for line in done.stderr.splitlines() if "has no hashes" not in line)
        lines = [f"$ {command}", *done.stdout.splitlines(), *told]
        parts.append("\n".join([*lines, *([f"exit code {done.returncode}"] if done.returncode else [])]))
    version = ".".join(map(str, sys.version_info[:2]))
    return "\n\n".join(parts).replace(f"Python {version}", "Python 3.X") + "\n"


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_a_situation(project: Project, case: Path) -> None:
    expected = (case / "expected.txt").read_text("utf-8")
    set_up(project, case)
    assert transcript(project, re.findall(r"^\$ (.+)$", expected, re.MULTILINE)) == expected


# ---------------------------------------------------------------- machines


LINK = {"kind": str, "file": str, "line": int, "text": str, "leads_to": str, "reach": str, "rule": str}


def shape(plain: Any) -> Any:
    """A document's shape: its keys, and the types of what they lead to; of a list, that of its items."""
    if isinstance(plain, dict):
        return {key: shape(item) for key, item in plain.items()}
    if isinstance(plain, list):
        shapes = [shape(item) for item in plain]
        assert all(each == shapes[0] for each in shapes)
        return shapes[:1]
    return type(plain)


def asked(project: Project, *arguments: str, code: int = 0) -> Any:
    done = project.run(*arguments, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_the_document_of_what_is_in_the_pack(shop: Project) -> None:
    document = asked(shop, "why", "orders", "Shared_Part")
    chain = {"holder": str, "part": str, "files": int, "links": [LINK], "also": []}
    head = {"version": int, "command": str, "exit_code": int, "pack": str, "name": str, "in_pack": bool}
    assert shape(document) == {**head, "chains": [chain], "reasons": [], "nearest": str}
    assert (document["version"], document["command"], document["in_pack"], document["exit_code"]) == (1, "why", True, 0)
    assert document["chains"][0]["holder"] == "shared-part==1.0"
    assert [(link["kind"], link["file"], link["line"], link["text"]) for link in document["chains"][0]["links"]] == [
        ("code", "packs/orders.py", 1, "import app.orders"),
        ("code", "app/orders.py", 2, "import yaml.loader"),
        ("requirement", "yaml-thing==1.0", 0, "requires shared-part"),
    ]
    leads = [link["leads_to"] for link in document["chains"][0]["links"]]
    assert leads == ["app/orders.py", "yaml-thing==1.0", "shared-part==1.0"]


def test_the_document_of_what_is_not_in_the_pack(shop: Project) -> None:
    document = asked(shop, "why", "orders", "json", code=1)
    assert shape(document["reasons"]) == [{"kind": str, "message": str, "places": [LINK]}]
    assert (document["in_pack"], document["exit_code"], document["chains"]) == (False, 1, [])
    assert document["reasons"][0]["kind"] == "standard-library"
    assert asked(shop, "why", "orders", "app.orderz", code=1)["nearest"] == "app.orders"


def test_the_document_of_a_trace(shop: Project) -> None:
    shop.write({"app/common.py": "import json\ntry:\n    import absent\nexcept ImportError:\n    pass\n"})
    document = asked(shop, "trace", "users")
    place = {"file": str, "line": int}
    kinds = {"name": str, "attribute": str, "kind": str, "provider": str, "reach": str, "optional": bool, "rule": str}
    assert shape(document) == {
        "version": int, "command": str, "exit_code": int, "pack": str, "entrypoint": str,
        "files": [{"path": str, "ships_as": str, "module": str, "reach": str, "because": place}],
        "imports": [{**kinds, **place}],
        "distributions": [{"name": str, "version": str, "because": str, "required_by": []}],
        "left_out": [],
        "edges": [{**place, "path": str, "reach": str, "rule": str}],
            "notes": [],
    }  # fmt: skip
    assert (document["version"], document["command"], document["entrypoint"]) == (1, "trace", "packs/users.py")
    assert [(i["name"], i["kind"], i["provider"], i["reach"], i["optional"]) for i in document["imports"]] == [
        ("big_thing", "third-party", "big-thing==1.0", "lazy", False),
        ("absent", "unresolved", "", "lazy", True),
        ("json", "standard-library", "", "eager", False),
    ]


# ---------------------------------------------------------------- how it is asked


def test_paths_may_be_absolute_or_from_the_current_folder(shop: Project) -> None:
    shop.write({"monopack.toml": ""})
    expected = shop.build("why", "orders", "app/common.py").stdout
    assert expected.startswith("app/common.py is in orders: app/common.py\n")
    assert shop.build("why", "orders", "common.py", cwd=shop.root / "app").stdout == expected
    assert shop.build("why", "orders", str(shop.root / "app" / "common.py")).stdout == expected


def test_questions_write_nothing_and_run_no_code(shop: Project) -> None:
    shop.write({"app/__init__.py": "open('ran', 'w')\n"})
    before = sorted(shop.root.rglob("*"))
    for arguments in ("why orders yaml", "why orders nothing", "trace orders"):
        shop.run(*arguments.split())
    assert sorted(shop.root.rglob("*")) == before


def test_places_in_another_config_file_and_in_variables(shop: Project) -> None:
    shop.write({"other.toml": '[packs.users]\nextra_modules = ["app.unused"]\n'})
    first = "app.unused is in users: app/unused.py\n"
    done = shop.build("why", "users", "app.unused", "--config", "other.toml")
    assert done.stdout == f'{first}  other.toml:2   extra_modules = ["app.unused"]\n  app/unused.py\n'
    done = shop.build("why", "users", "app.unused", MONOPACK_PACKS__USERS__EXTRA_MODULES="app.unused")
    assert done.stdout == (f"{first}  MONOPACK_PACKS__USERS__EXTRA_MODULES  extra_modules: app.unused\n  app/unused.py\n")


def test_a_requirement_without_a_pin_is_an_error(project: Project) -> None:
    project.wheel("one", requires=["absent-thing"])
    digest = sha256(next(project.index.iterdir()))
    project.require(f"one==1.0 --hash=sha256:{digest}")
    project.pack("main", "import one\n")
    for arguments in (("why", "main", "one"), ("trace", "main")):
        done = project.run(*arguments)
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr == (
            "error: requirements.txt: one==1.0 requires absent-thing, which is not pinned for the target\n"
            "  hint: pin absent-thing in requirements.txt, or name it in exclude_distributions if the platform has it\n"
        )


def test_pins_that_cannot_be_read_matter_only_where_a_pack_needs_them(project: Project) -> None:
    project.pack("main", "import json\n")
    project.write({"requirements.txt": "one==1.0 --hash=sha256:short\n"})
    done = project.run("why", "main", "one")
    assert done.returncode == 1
    assert done.stderr.startswith("warning: requirements.txt:1: ")
    assert done.stdout.startswith("one is not in main")


# ---------------------------------------------------------------- laws


names = st.text(min_size=1)
kinds = st.sampled_from(["entrypoint", "file", "distribution", "config"])
LABEL = r'"(#\d+;|[\w./= -])+"'
SHAPE = "|".join((rf"\(\[{LABEL}\]\)", rf"\[{LABEL}\]", rf"\[\({LABEL}\)\]", rf"\{{\{{{LABEL}\}}\}}"))
NODE = re.compile(rf"  n(?P<number>\d+)({SHAPE})")
ARROW = re.compile(r"  n(\d+) (-->|-\.->) n(\d+)")


@given(st.lists(st.tuples(names, kinds), min_size=1), st.lists(st.tuples(st.integers(0), st.integers(0), st.sampled_from(Reach))))
def test_a_flowchart_is_valid_whatever_the_names(nodes: list[tuple[str, str]], arrows: list[tuple[int, int, Reach]]) -> None:
    graph = Graph(
        nodes=tuple(Node(name=name, kind=kind) for name, kind in nodes),
        arrows=tuple(Arrow(start=a % len(nodes), end=b % len(nodes), reach=reach) for a, b, reach in arrows),
    )
    first, *lines = chart(graph)
    assert first == "flowchart LR"
    for number, (line, (name, _)) in enumerate(zip(lines, nodes, strict=False)):
        found = NODE.fullmatch(line)
        assert found, line
        assert found["number"] == str(number)
        label = line.split('"')[1]
        assert re.sub(r"#(\d+);", lambda escaped: chr(int(escaped[1])), label) == name
    assert [ARROW.fullmatch(line) is not None for line in lines[len(nodes) :]] == [True] * len(arrows)
    assert [line.count("-.->") for line in lines[len(nodes) :]] == [int(reach is Reach.LAZY) for _, _, reach in arrows]


modules = st.dictionaries(st.sampled_from("abcdef"), st.lists(st.tuples(st.sampled_from("abcdefxyz"), st.booleans())))


@settings(deadline=None, max_examples=40)
@given(modules, st.dictionaries(st.sampled_from("xyz"), st.lists(st.sampled_from("xyz"))))
def test_every_chain_begins_at_the_entrypoint_and_ends_at_what_it_explains(
    imports: dict[str, list[tuple[str, bool]]], requires: dict[str, list[str]]
) -> None:
    known = known_of(imports, requires)
    entry = "packs/main.py"
    asked_for = [file.source.path for file in known.trace.files] + [s.distribution.name for s in known.resolution.shipped]
    for name in asked_for:
        (chain,) = why(name, known).chains
        at = entry
        for link in chain.links:
            assert link.evidence.file == at
            at = link.leads_to
        assert at == chain.holder
        assert len({link.leads_to for link in chain.links}) == len(chain.links), "a chain goes nowhere twice"
        assert not {(link.evidence, link.leads_to) for link in chain.links} & {(a.evidence, a.leads_to) for a in chain.also}
        if chain.links and name in known.files and known.files[name].reach is Reach.EAGER:
            assert all(link.reach is Reach.EAGER for link in chain.links)
    for name in set("abcdefxyz") - {file.module for file in known.trace.files} - set(asked_for):
        explained = why(name, known)
        assert not explained.chains
        assert explained.reasons


def known_of(imports: dict[str, list[tuple[str, bool]]], requires: dict[str, list[str]]) -> Known:
    """What is known of a pack that imports module `a`, among modules and distributions that need each other."""
    project = {"packs/main.py": [("a", False)], **{f"{name}.py": imports.get(name, []) for name in "abcdef"}}
    tree = SourceTree(root="/nowhere", source_roots=(".",), files=frozenset(project), folders=frozenset())
    start = Start(name="packs.main", because=Evidence(file="packs/main.py", line=0), reach=Reach.EAGER)
    steps = walk("packs.main", (start,), tree, host())
    wanted = next(steps)
    try:
        while True:
            wanted = steps.send({path: facts(path, project[path]) for path in wanted})
    except StopIteration as done:
        traced: Trace = done.value
    pins = {name: Pin(name=name, version="1.0", evidence=Evidence(file="lock", line=1)) for name in "xyz"}
    lock = Lock(dialect="uv", path="lock", pins=pins)
    resolution = resolve(
        Wanted(imports=traced.imports, distributions={}, module_map={}), lock, host().markers,
        {name: distribution(name, requires.get(name, [])) for name in "xyz"},
    )  # fmt: skip
    assert isinstance(resolution, Resolution)
    return Known(
        pack="main", entry="packs/main.py", files={file.source.path: file for file in traced.files}, trace=traced,
        resolution=resolution, dropped=frozenset(), lock=lock, target=host(), project={path: path for path in project},
        included={}, excluded={}, config=(),
    )  # fmt: skip


def facts(path: str, imported: list[tuple[str, bool]]) -> Facts:
    source = SourceFile(path=path, location=path, sha256="", crc=0, size=0, mode=0o644)
    references = tuple(Reference(name=name, line=line, lazy=lazy) for line, (name, lazy) in enumerate(imported, 1))
    return Facts(source=source, references=references)


def distribution(name: str, requires: list[str]) -> Distribution:
    return Distribution(
        name=name, version="1.0", wheel=f"{name}-1.0-py3-none-any.whl", location="", sha256="", members=(),
        provides=frozenset({name}), namespaces=frozenset(), requires=tuple(requires), entry_points=frozenset(),
        imports={name: ()},
    )  # fmt: skip


def test_a_name_that_is_no_text_is_spelled_out(project: Project) -> None:
    project.pack("main", "import importlib\ndef lambda_handler(event, context):\n    importlib.import_module('packs.\\ud800')\n")
    assert "packs.\\ud800" in project.build("trace", "main").stdout
    assert json.loads(project.build("trace", "main", "--json").stdout)["imports"][0]["name"] == "packs.\ud800"
