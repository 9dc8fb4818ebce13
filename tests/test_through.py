"""Through distributions: what their own modules import, what import rules know of them, and whose metadata code reads."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from projects import Project
from targets_for_tests import host
from test_resolve import HERE, Index, distribution, wants
from test_store import new_store, pin
from wheels import make_wheel

from monopack.model import Distribution, Evidence, MetadataUse, Reach, WheelImport
from monopack.resolve import RULES
from monopack.run import Door
from monopack.store import Fetching
from monopack.trace import imports_of

JWT = ("jwt", "jwt.algorithms", "jwt.contrib")


def later(name: str) -> WheelImport:
    return WheelImport(name=name, lazy=True)


def guarded(name: str) -> WheelImport:
    return WheelImport(name=name, lazy=True, optional=True)


def world(*imports: WheelImport) -> Index:
    """`pyjwt`, whose `jwt.algorithms` imports something, and pins that it may be."""
    index = Index(
        distribution("pyjwt", JWT), distribution("cryptography", ["cryptography"], ["cffi"]), distribution("cffi", ["cffi"]),
        distribution("bare", ["bare"]), distribution("liar", ["truth"]),
    )  # fmt: skip
    index.imports["pyjwt"] = {"jwt": (WheelImport(name="jwt", attribute="algorithms"),), "jwt.algorithms": imports}
    return index


def test_an_eager_import_that_no_metadata_declares_ships_with_its_reason() -> None:
    found = world(WheelImport(name="bare", attribute="Thing")).resolve(wants("jwt"))
    assert [(s.distribution.name, str(s.because)) for s in found.shipped] == [
        ("bare", "imported as bare.Thing by jwt.algorithms of pyjwt"),
        ("pyjwt", "imported as jwt (app/x.py:3)"),
    ]
    assert found.left_out == ()


def test_what_is_reached_by_what_ships_so_is_followed_too() -> None:
    index = world(WheelImport(name="bare"))
    index.imports["bare"] = {"bare": (WheelImport(name="cffi"),)}
    assert index.ships(wants("jwt")) == ["bare", "cffi", "pyjwt"]


def test_what_a_module_needs_that_may_fail_to_import_can_be_done_without() -> None:
    index = world(WheelImport(name="bare"))
    index.imports["pyjwt"]["jwt"] = (replace(guarded("jwt"), attribute="algorithms"),)
    found = index.resolve(wants("jwt"))
    assert [shipped.distribution.name for shipped in found.shipped] == ["pyjwt"]
    assert [omitted.name for omitted in found.left_out] == ["bare"]


def test_modules_that_the_pack_does_not_reach_bring_nothing() -> None:
    index = world()
    index.imports["pyjwt"]["jwt.contrib"] = (WheelImport(name="bare"),)
    assert index.ships(wants("jwt")) == ["pyjwt"]
    assert index.ships(wants("jwt:contrib")) == ["bare", "pyjwt"]


@pytest.mark.parametrize("wanted", [later("bare"), guarded("bare")])
def test_what_a_distribution_can_do_without_is_left_out_and_told(wanted: WheelImport) -> None:
    index = world(wanted)
    found = index.resolve(wants("jwt"))
    assert [s.distribution.name for s in found.shipped] == ["pyjwt"]
    assert [(o.name, str(o)) for o in found.left_out] == [
        ("bare", "imported as bare by jwt.algorithms of pyjwt, which can do without it")
    ]
    assert "bare" not in index.asked
    assert index.ships(wants("jwt", optional="ship")) == ["bare", "pyjwt"]


def test_pairs_that_the_rules_know_ship_unless_nothing_optional_is_wanted() -> None:
    index = world(guarded("cryptography"))
    found = index.resolve(wants("jwt", rules=RULES))
    assert [s.distribution.name for s in found.shipped] == ["cffi", "cryptography", "pyjwt"]
    assert str(found.shipped[1].because) == "import rule jwt (pyjwt)"
    skipped = world(guarded("cryptography")).resolve(wants("jwt", rules=RULES, optional="skip"))
    assert [s.distribution.name for s in skipped.shipped] == ["pyjwt"]
    assert [o.name for o in skipped.left_out] == ["cryptography"]


def test_a_pair_counts_also_where_another_distribution_imports_the_first() -> None:
    flask = distribution("flask-jwt", ["flask_jwt"], ["pyjwt"])
    index = Index(flask, *world().all.values())
    index.imports["flask-jwt"] = {"flask_jwt": (WheelImport(name="jwt"),)}
    assert index.ships(wants("flask_jwt", rules=RULES)) == ["cffi", "cryptography", "flask-jwt", "pyjwt"]


def test_a_pin_of_that_name_that_does_not_have_the_module_does_not_ship() -> None:
    assert world(WheelImport(name="liar")).ships(wants("jwt")) == ["pyjwt"]


def test_development_pins_and_excluded_ones_never_ship_so() -> None:
    index = world(WheelImport(name="bare"))
    assert index.ships(wants("jwt", excluded=frozenset({"bare"}), optional="ship")) == ["pyjwt"]
    bare = replace(index.lock.pins["bare"], development=True)
    index.lock = replace(index.lock, pins={**index.lock.pins, "bare": bare})
    assert index.ships(wants("jwt", optional="ship")) == ["pyjwt"]
    assert index.ships(wants("jwt", development=True)) == ["bare", "pyjwt"]


# ---------------------------------------------------------------- import rules


SQL = tuple(distribution(name, [name]) for name in ("sqlalchemy", "psycopg", "pymysql", "asyncpg", "cryptography"))


@pytest.mark.parametrize(
    ("uses", "ships"),
    [
        (["postgresql+psycopg://"], ["psycopg"]),
        (["sqlalchemy.create_engine", "postgresql+psycopg://"], ["psycopg"]),
        (["sqlalchemy.create_engine", "sqlite://"], []),
        (["sqlalchemy.create_engine"], ["psycopg", "pymysql"]),
        (["sqlalchemy.create_engine", "redis://"], ["psycopg", "pymysql"]),
        (["https://"], []),
    ],
)
def test_a_url_tells_the_driver_and_without_one_any_may_be_meant(uses: list[str], ships: list[str]) -> None:
    wanted = wants("sqlalchemy", uses=dict.fromkeys(uses, HERE), rules=RULES, optional="skip")
    assert Index(*SQL).ships(wanted) == [*ships, "sqlalchemy"]


def test_calls_methods_and_names_count_where_their_package_is_imported() -> None:
    names = ("pandas", "openpyxl", "pyarrow", "fastapi", "python-multipart", "pydantic", "email-validator")
    index = Index(*(distribution(name, [name.replace("-", "_")]) for name in names))

    def ships(*imports: str, uses: tuple[str, ...] = ()) -> list[str]:
        return index.ships(wants(*imports, uses=dict.fromkeys(uses, HERE), rules=RULES, optional="skip"))

    assert ships("pandas") == ["pandas"]
    assert ships("pandas", uses=("pandas.read_parquet",)) == ["pandas", "pyarrow"]
    assert ships("pandas", uses=(".to_excel",)) == ["openpyxl", "pandas"]
    assert ships("fastapi", uses=(".to_excel",)) == ["fastapi"]
    assert ships("fastapi:UploadFile") == ["fastapi", "python-multipart"]
    assert ships("pydantic:EmailStr") == ["email-validator", "pydantic"]
    assert ships("pydantic:BaseModel") == ["pydantic"]


def test_a_backend_that_django_settings_name_needs_its_driver() -> None:
    index = Index(distribution("django", ["django", "django.db"]), distribution("psycopg", ["psycopg"]))
    assert index.ships(wants("django.db.backends:postgresql", rules=RULES)) == ["django", "psycopg"]
    assert index.ships(wants("django.db.backends:sqlite3", rules=RULES)) == ["django"]


def test_shipped_rules_are_well_formed() -> None:
    for key, names in RULES.items():
        assert key.removesuffix("?").removesuffix("://").replace("+", "_").replace(".*.", ".").replace(".", "").isidentifier(), (
            key
        )
        assert not [name for name in names if name != name.lower() or "_" in name], key


# ---------------------------------------------------------------- metadata


def consults(**what: str) -> tuple[MetadataUse, ...]:
    return (MetadataUse(**what, evidence=Evidence(file="app/v.py", line=2), reach=Reach.EAGER),)


def test_whose_metadata_is_read_ships() -> None:
    index = Index(distribution("alpha-beta", ["ab"]), distribution("other", ["other"]))
    found = index.resolve(wants(metadata=consults(distribution="Alpha_Beta")))
    assert [(s.distribution.name, str(s.because)) for s in found.shipped] == [
        ("alpha-beta", "metadata of Alpha_Beta (app/v.py:2)")
    ]
    assert index.ships(wants(metadata=consults(distribution="the-project-itself"))) == []


def test_all_that_offer_entry_points_of_a_group_ship() -> None:
    def offering(name: str, *groups: str) -> Distribution:
        return replace(distribution(name, [name]), entry_points=frozenset(groups))

    index = Index(offering("one", "plug"), offering("two", "plug", "other"), offering("three", "other"))
    found = index.resolve(wants(metadata=consults(group="plug")))
    assert [s.distribution.name for s in found.shipped] == ["one", "two"]
    assert str(found.shipped[0].because) == "entry points of group plug (app/v.py:2)"


# ---------------------------------------------------------------- looking into wheels


def test_what_a_module_of_a_wheel_imports() -> None:
    source = b"""
from __future__ import annotations
import json, yaml
from . import near
from ..up import name
if TYPE_CHECKING:
    import never
try:
    import fast
except ImportError:
    fast = None
def f():
    import slow
"""
    assert [(i.dotted, i.lazy, i.optional) for i in imports_of(source, "pkg.sub", host())] == [
        ("yaml", False, False), ("pkg.sub.near", False, False), ("pkg.up.name", False, False), ("fast", True, True),
        ("slow", True, False),
    ]  # fmt: skip
    assert imports_of(b"print 'old'", "pkg", host()) == ()


def test_looking_is_kept_beside_the_wheels_and_heals(tmp_path: Path) -> None:
    settings = Fetching(door=Door(), environ={"PIP_CONFIG_FILE": os.devnull}, root=tmp_path)
    make_wheel(tmp_path / "index", "one", "1.0", {"one/__init__.py": "import a\n", "one/two.py": "from .three import b\n"})
    store = new_store(tmp_path / "store", settings)
    one = store.obtain([pin("one")], ["--no-index", "--find-links", str(tmp_path / "index")], host())["one"]
    expected = {"one": (WheelImport(name="a"),), "one.two": (WheelImport(name="one.three", attribute="b"),)}
    assert store.look_into(one, ["one"]).imports == {"one": expected["one"]}
    assert store.look_into(one, ["one.two"]).imports == expected
    (kept,) = (tmp_path / "store" / "v1" / "imports").iterdir()
    again = new_store(tmp_path / "store", settings)
    assert again.look_into(replace(one, location="/gone"), ["one", "one.two"]).imports == expected, "read anew"
    kept.write_text(kept.read_text().replace('"a"', '"b"'))
    healed = new_store(tmp_path / "store", settings)
    assert healed.look_into(one, ["one", "one.two"]).imports == expected


# ---------------------------------------------------------------- the real command


JWT_FILES = {
    "jwt/__init__.py": "from . import algorithms\n",
    "jwt/algorithms.py": "import undeclared\ntry:\n    import cryptography\nexcept ImportError:\n    cryptography = None\n"
    "try:\n    import spare\nexcept ImportError:\n    spare = None\n",
}


def test_a_pack_gets_what_its_distributions_quietly_need(project: Project) -> None:
    project.wheel("pyjwt", files=JWT_FILES)
    for name in ("cryptography", "undeclared", "spare", "acme-driver", "acme"):
        project.wheel(name)
    project.wheel("plugin", entry_points="[the.group]\nx = plugin:version\n")
    pins = ("pyjwt", "cryptography", "undeclared", "spare", "plugin", "acme", "acme-driver")
    project.require(*(f"{name}==1.0" for name in pins))
    project.write({"monopack.toml": '[import_rules]\n"acme.connect" = ["acme-driver"]\n'})
    project.pack("main", "import jwt\n", tested=False)
    project.pack("meta", "from importlib.metadata import entry_points\n\nentry_points(group='the.group')\n", tested=False)
    project.pack("ours", "import acme\n\n\ndef go():\n    acme.connect()\n", tested=False)
    project.build("--skip-tests")
    tops = {name: {path.partition("/")[0] for path in project.shipped(name)} for name in ("main", "meta", "ours")}
    modules = {"jwt", "cryptography", "undeclared", "spare", "plugin", "acme", "acme_driver"}
    assert tops["main"] & modules == {"jwt", "cryptography", "undeclared"}
    assert tops["meta"] & modules == {"plugin"}
    assert tops["ours"] & modules == {"acme", "acme_driver"}

    trace = project.build("trace", "main").stdout
    assert "left out: 1\n  spare  imported as spare by jwt.algorithms of pyjwt, which can do without it" in trace
    assert "imported as undeclared by jwt.algorithms of pyjwt" in trace
    why = project.run("why", "main", "spare").stdout
    assert "would import spare in jwt.algorithms" in why
    assert "pyjwt==1.0" in why
    assert "imports undeclared in jwt.algorithms" in project.build("why", "main", "undeclared").stdout
    project.write({"monopack.toml": '[packs.main]\noptional = "ship"\n'})
    told = project.build("main", "--skip-tests").stderr
    assert "left out" not in told
    assert any(path.startswith("spare/") for path in project.shipped("main"))
    project.write({"monopack.toml": '[packs.main]\noptional = "skip"\n'})
    told = project.build("main", "--skip-tests").stderr
    assert "left out, since what would import it can do without: cryptography, spare (see monopack trace" in told
