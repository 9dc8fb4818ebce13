"""Resolving: from imports to a closed set of distributions, by what wheels say of themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from targets_for_tests import host

from monopack.errors import LockError, UnpinnedError
from monopack.model import Distribution, Evidence, Failure, Import, Lock, Needs, Pin, Reach, Resolution, WheelImport
from monopack.resolve import Wanted, judge, not_there, resolve, unused_exclusions, way_out
from monopack.resolve.candidates import likely_distribution, tiers
from monopack.resolve.reach import reached, unread_modules

HERE = Evidence(file="app/x.py", line=3)


def distribution(name: str, provides: Iterable[str] = (), requires: Iterable[str] = ()) -> Distribution:
    return Distribution(
        name=name, version="1.0", wheel=f"{name}-1.0-py3-none-any.whl", location="", sha256="", members=(),
        provides=frozenset(provides), namespaces=frozenset(), requires=tuple(requires), entry_points=frozenset(),
    )  # fmt: skip


def wants(*names: str, **options: object) -> Wanted:
    imports = []
    for name in names:
        base, _, attribute = name.partition(":")
        imports.append(Import(name=base, attribute=attribute, evidence=HERE, reach=Reach.EAGER))
    return Wanted(imports=tuple(imports), **{"distributions": {}, "module_map": {}, **options})  # type: ignore[arg-type]


class Index:
    """Pins and what is behind them; answers like the store, and remembers what it was asked for."""

    def __init__(self, *distributions: Distribution, extras: Mapping[str, set[str]] | None = None) -> None:
        self.all = {d.name: d for d in distributions}
        self.asked: list[str] = []
        self.imports: dict[str, dict[str, tuple[WheelImport, ...]]] = {}
        asked_for = extras or {}
        pins = {
            d.name: Pin(name=d.name, version=d.version, evidence=HERE, extras=frozenset(asked_for.get(d.name, ())))
            for d in distributions
        }
        self.lock = Lock(dialect="requirements", path="requirements.txt", pins=pins)

    def resolve(self, wanted: Wanted) -> Resolution:
        known: dict[str, Distribution] = {}
        lock = self.lock
        while isinstance(answer := resolve(wanted, lock, host().markers, known), Needs):
            assert not set(answer.pins) & known.keys(), "asked twice for one distribution"
            assert not set(answer.glances) & lock.glanced.keys(), "glanced twice at one distribution"
            self.asked.extend(answer.pins)
            known |= {name: self.all[name] for name in answer.pins}
            for name, modules in answer.modules.items():
                unread = unread_modules(known[name], reached(known[name], modules))
                assert unread, "asked twice for one module"
                known[name] = replace(known[name], imports=dict.fromkeys(known[name].provides, ()) | self.imports.get(name, {}))
            seen = {name: self.all[name] for name in answer.glances}
            lock = replace(lock, glanced={**lock.glanced, **{name: d.provides | d.namespaces for name, d in seen.items()}})
        return answer

    def ships(self, wanted: Wanted) -> list[str]:
        return [s.distribution.name for s in self.resolve(wanted).shipped]


GOOGLE = (
    distribution("google-api-core", ["google.api_core", "google.api_core.retry"]),
    distribution("google-auth", ["google.auth", "google.oauth2"]),
    distribution("google-cloud-bigquery", ["google.cloud.bigquery", "google.cloud.bigquery.client"]),
    distribution("google-cloud-storage", ["google.cloud.storage", "google.cloud.storage.blob"], ["google-auth"]),
    distribution("azure-core", ["azure.core"]),
    distribution("azure-storage-blob", ["azure.storage.blob"], ["azure-core"]),
    distribution("azure-storage-queue", ["azure.storage.queue"]),
)


@pytest.mark.parametrize(
    ("wanted", "ships"),
    [
        ("google.cloud.storage", ["google-auth", "google-cloud-storage"]),
        ("google.cloud:storage", ["google-auth", "google-cloud-storage"]),
        ("google.cloud.storage:Client", ["google-auth", "google-cloud-storage"]),
        ("google.oauth2:service_account", ["google-auth"]),
        ("azure.storage.blob", ["azure-core", "azure-storage-blob"]),
        ("azure.storage:queue", ["azure-storage-queue"]),
    ],
)
def test_the_longest_dotted_prefix_decides(wanted: str, ships: list[str]) -> None:
    assert Index(*GOOGLE).ships(wants(wanted)) == ships


def test_only_likely_pins_are_looked_at() -> None:
    crowd = [distribution(f"thing-{n}", [f"thing_{n}"]) for n in range(300)]
    index = Index(*crowd, distribution("pyyaml", ["yaml"]), distribution("pillow", ["PIL"]))
    assert index.ships(wants("yaml", "PIL.Image")) == ["pillow", "pyyaml"]
    assert sorted(index.asked) == ["pillow", "pyyaml"]


def test_pins_that_are_only_glanced_at_are_fetched_when_they_may_have_the_import() -> None:
    crowd = [distribution(f"thing-{n}", [f"thing_{n}"]) for n in range(300)]
    index = Index(*crowd, distribution("acme", ["wholly_other"]), distribution("other-things", ["else_"]))
    assert index.ships(wants("wholly_other.part")) == ["acme"]
    assert index.asked == ["acme"]


def test_an_import_that_nothing_provides_has_nothing_fetched() -> None:
    index = Index(*(distribution(f"thing-{n}", [f"thing_{n}"]) for n in range(300)), distribution("ujson2x", ["ujson2x"]))
    assert [each.dotted for each in index.resolve(wants("ujson")).unresolved] == ["ujson"]
    assert index.asked == []


def test_a_glance_that_is_not_confirmed_ships_nothing() -> None:
    shared = replace(distribution("first", ["first_own"]), namespaces=frozenset({"common"}))
    index = Index(shared, distribution("second", ["common.part"]))
    assert index.ships(wants("common.part")) == ["second"]
    assert [each.dotted for each in index.resolve(wants("common")).unresolved] == ["common"]
    assert index.asked == ["second", "first"]


def test_an_import_named_after_nothing_is_found_all_the_same() -> None:
    assert Index(distribution("acme", ["wholly_other"]), distribution("b", ["b"])).ships(wants("wholly_other.part")) == ["acme"]


def test_a_likely_name_that_does_not_provide_the_import_does_not_ship() -> None:
    assert Index(distribution("yaml", ["not_yaml"]), distribution("fork", ["yaml"])).ships(wants("yaml")) == ["fork"]


def test_a_similarly_named_pin_that_holds_the_module_itself_outdoes_one_that_holds_its_parent() -> None:
    airflow = distribution("apache-airflow", ["airflow", "airflow.models"])
    amazon = distribution("apache-airflow-providers-amazon", ["airflow.providers.amazon", "airflow.providers.amazon.hooks"])
    assert Index(airflow, amazon).ships(wants("airflow.providers.amazon:hooks")) == ["apache-airflow-providers-amazon"]
    assert Index(airflow, amazon).ships(wants("airflow:models")) == ["apache-airflow"]


def test_two_owners_of_one_module_are_a_question_for_the_user() -> None:
    index = Index(distribution("opencv-python", ["cv2"]), distribution("opencv-python-headless", ["cv2"]))
    with pytest.raises(LockError) as refused:
        index.ships(wants("cv2"))
    assert str(refused.value) == "app/x.py:3: opencv-python==1.0 and opencv-python-headless==1.0 both provide cv2"
    assert refused.value.hint == 'say which one in monopack.toml: [module_map] cv2 = "opencv-python"'
    mapped = wants("cv2", module_map={"cv2": "OpenCV_Python-headless"})
    assert index.ships(mapped) == ["opencv-python-headless"]


def test_config_that_names_what_is_not_pinned_is_refused() -> None:
    index = Index(distribution("pyyaml", ["yaml"]))
    with pytest.raises(LockError, match=r"module_map\.yaml: ruamel: requirements.txt pins no such distribution"):
        index.ships(wants("yaml", module_map={"yaml": "ruamel"}))
    with pytest.raises(LockError, match="extra_distributions: boto: "):
        index.ships(wants(distributions={"boto": "extra_distributions"}))


def test_extras_that_the_project_asks_for_count() -> None:
    requests = distribution("requests", ["requests"], ["idna", "pysocks ; extra == 'socks'"])
    rest = (distribution("idna"), distribution("pysocks"))
    assert Index(requests, *rest).ships(wants("requests")) == ["idna", "requests"]
    assert Index(requests, *rest, extras={"requests": {"socks"}}).ships(wants("requests")) == ["idna", "pysocks", "requests"]


def test_extras_that_development_groups_ask_for_count_for_tests_alone() -> None:
    index = Index(
        distribution("sql", ["sql"], ["driver; extra == 'db'", "log; extra == 'x'"]), distribution("driver"), distribution("log")
    )
    sql = replace(index.lock.pins["sql"], extras=frozenset({"x"}), test_extras=frozenset({"db"}))
    index.lock = replace(index.lock, pins={**index.lock.pins, "sql": sql})
    assert index.ships(wants("sql")) == ["log", "sql"]
    assert index.ships(wants("sql", development=True)) == ["driver", "log", "sql"]


def test_extras_that_a_requirement_asks_for_count_even_later() -> None:
    index = Index(
        distribution("a", ["a"], ["c", "b"]),
        distribution("b", [], ["c[all]"]),
        distribution("c", [], ["d ; extra == 'all'", "c[more] ; extra == 'all'", "e ; extra == 'more'"]),
        distribution("d"), distribution("e"),
    )  # fmt: skip
    assert index.ships(wants("a")) == ["a", "b", "c", "d", "e"]


def test_markers_are_the_targets() -> None:
    index = Index(
        distribution("a", ["a"], ["w ; sys_platform == 'no-such-system'", "x ; python_version >= '3'"]), distribution("x")
    )
    assert index.ships(wants("a")) == ["a", "x"]


def test_a_requirement_without_a_pin_is_named() -> None:
    with pytest.raises(UnpinnedError) as refused:
        Index(distribution("a", ["a"], ["Missing-Thing>1"])).ships(wants("a"))
    said = "requirements.txt: a==1.0 requires Missing-Thing, which is not pinned for the target"
    assert str(refused.value) == said


def test_what_the_platform_has_does_not_ship_nor_what_it_requires() -> None:
    index = Index(
        distribution("boto3", ["boto3"], ["botocore"]),
        distribution("botocore", ["botocore"]),
        distribution("z", ["z"], ["boto3"]),
    )
    found = index.resolve(wants("boto3", "z", excluded=frozenset({"boto3"})))
    assert [s.distribution.name for s in found.shipped] == ["z"]
    assert found.platform == ("boto3",)


def test_development_pins_are_for_tests_only() -> None:
    index = Index(distribution("pytest", ["pytest"]))
    index.lock = Lock(
        dialect="uv", path="uv.lock",
        pins={"pytest": Pin(name="pytest", version="1.0", evidence=HERE, development=True)},
    )  # fmt: skip
    assert [i.dotted for i in index.resolve(wants("pytest")).unresolved] == ["pytest"]
    assert index.ships(wants("pytest", development=True)) == ["pytest"]


def test_every_distribution_says_why_it_ships() -> None:
    index = Index(*GOOGLE)
    because = {s.distribution.name: str(s.because) for s in index.resolve(wants("google.cloud.storage")).shipped}
    assert because == {
        "google-auth": "required by google-cloud-storage",
        "google-cloud-storage": "imported as google.cloud.storage (app/x.py:3)",
    }


NAMES = st.sampled_from([f"d{n}" for n in range(8)])


@given(st.dictionaries(NAMES, st.sets(NAMES)), st.sets(NAMES))
def test_the_closure_is_exactly_what_can_be_reached(edges: dict[str, set[str]], roots: set[str]) -> None:
    index = Index(*(distribution(f"d{n}", [f"d{n}"], sorted(edges.get(f"d{n}", ()))) for n in range(8)))
    expected, waiting = set[str](), list(roots)
    while waiting:
        name = waiting.pop()
        if name not in expected:
            expected.add(name)
            waiting.extend(edges.get(name, ()))
    assert index.ships(wants(*sorted(roots))) == sorted(expected)
    assert set(index.asked) == expected, "only what ships was looked at"


@given(st.lists(NAMES, unique=True), st.from_regex(r"[a-z]{1,4}(\.[a-z]{1,4}){0,2}", fullmatch=True))
def test_tiers_are_a_partition_of_the_pins(pins: list[str], name: str) -> None:
    assert sorted(pin for tier in tiers(name, pins) for pin in tier) == sorted(pins)


@pytest.mark.parametrize(
    ("name", "distribution"),
    [("yaml", "pyyaml"), ("PIL.Image", "pillow"), ("google.protobuf.message", "protobuf"), ("some_thing.part", "some-thing")],
)
def test_hints_name_the_likely_distribution(name: str, distribution: str) -> None:
    assert likely_distribution(name) == distribution


@pytest.mark.parametrize(
    ("name", "attribute", "distribution"),
    [
        ("google.cloud", "bigquery", "google-cloud-bigquery"),
        ("google.cloud.bigquery", "Client", "google-cloud-bigquery"),
        ("google.cloud.firestore_v1.types", "", "google-cloud-firestore"),
        ("google.auth.transport", "requests", "google-auth"),
        ("google.oauth2", "service_account", "google-auth"),
        ("google", "", "google-NAME"),
        ("google.cloud", "", "google-cloud-NAME"),
        ("azure.identity", "DefaultAzureCredential", "azure-identity"),
        ("azure.storage.blob.aio", "BlobClient", "azure-storage-blob"),
        ("opentelemetry", "trace", "opentelemetry-api"),
        ("opentelemetry.sdk.trace", "", "opentelemetry-sdk"),
        ("opentelemetry.exporter.otlp.proto.grpc.trace_exporter", "", "opentelemetry-exporter-otlp-proto-grpc"),
        ("zope.interface", "Interface", "zope-interface"),
        ("ruamel.yaml", "YAML", "ruamel-yaml"),
        ("acme.data_api.client", "Client", "acme-data-api"),
        ("acme", "billing", "acme"),
        ("flask.views", "View", "flask"),
        ("flasky.views", "", "flasky"),
    ],
)
def test_hints_name_what_a_shared_package_holds(name: str, attribute: str, distribution: str) -> None:
    assert likely_distribution(name, attribute, ["acme-core", "flask", "flask-cors"]) == distribution


def missing(name: str, reach: Reach, *, attribute: str = "", optional: bool = False) -> Import:
    return Import(name=name, attribute=attribute, evidence=HERE, reach=reach, optional=optional)


def test_each_part_of_a_shared_package_that_is_missing_gets_its_hint() -> None:
    imports = [missing("google.cloud", Reach.EAGER, attribute=name) for name in ("bigquery", "storage")]
    imports += [missing("yaml", Reach.EAGER, attribute="x"), missing("yaml", Reach.LAZY)]
    lock = Index().lock
    failures, _ = judge(imports, lock, list, strict=False)
    assert [f.hint.partition(",")[0] for f in failures] == [
        f"add {name} to requirements.txt" for name in ("google-cloud-bigquery", "google-cloud-storage", "pyyaml")
    ]
    failure = Failure(kind="import", message="No module named 'google.cloud'", missing="google.cloud")
    assert way_out(failure, "p", lock, ours=False) == "add google-cloud-NAME to requirements.txt"


def test_eager_imports_that_nothing_provides_fail_lazy_ones_warn_guarded_ones_do_neither() -> None:
    imports = [missing("yaml", Reach.EAGER), missing("lazy", Reach.LAZY), missing("fast", Reach.LAZY, optional=True)]
    failures, warnings = judge(imports, Index().lock, list, strict=False)
    assert [(f.where, f.missing, f.message, f.hint) for f in failures] == [
        (
            "app/x.py:3",
            "yaml",
            "imports yaml, which no first-party file and no distribution of requirements.txt provides",
            'add pyyaml to requirements.txt, or say what provides it in monopack.toml: [module_map]  yaml = "..."',
        )
    ]
    assert len(warnings) == 1
    assert "imports lazy" in warnings[0]
    failures, warnings = judge(imports, Index().lock, list, strict=True)
    assert [f.missing for f in failures] == ["yaml", "lazy"]
    assert warnings == ()


def test_first_party_modules_that_do_not_exist_are_treated_alike() -> None:
    imports = [missing("app.a", Reach.EAGER), missing("app.b", Reach.LAZY)]
    failures, warnings = not_there(imports, lambda: ["app", "app.aa"], strict=False)
    assert [f.message for f in failures] == ["imports app.a, but there is no such module in its package"]
    assert [f.hint for f in failures] == ["did you mean app.aa?"]
    assert warnings == ("app/x.py:3: imports app.b, but there is no such module in its package",)


def test_only_a_module_can_be_added_where_first_party_code_is_missing() -> None:
    imports = [missing("app.aaa", Reach.EAGER), missing("app", Reach.EAGER, attribute="b"), missing("..up", Reach.EAGER)]
    failures, _ = not_there(imports, lambda: ["app"], strict=False)
    assert [(f.missing, f.message, f.hint) for f in failures] == [
        ("app.aaa", "imports app.aaa, but there is no such module in its package", "check the spelling"),
        ("", "imports b from app, which has no such name", "check the spelling"),
        ("", "imports ..up, which is above the top of its package", "use fewer dots, or an absolute import"),
    ]


@pytest.mark.parametrize(
    ("near", "message", "hint"),
    [
        ("", "imports laod from app.io, which has no such name", "check the spelling"),
        ("load", "imports laod from app.io, which has no such name", "did you mean load?"),
        (
            "app/io/laod.cpython-38-darwin.so",
            "imports laod from app.io, and app/io/laod.cpython-38-darwin.so is not for the pack's Python",
            "build it for that Python, or build the pack with its own: --python PYTHON",
        ),
    ],
)
def test_what_is_there_instead_of_a_name_is_told(near: str, message: str, hint: str) -> None:
    wanted = Import(name="app.io", attribute="laod", evidence=HERE, reach=Reach.EAGER, near=near)
    ((failure,), _) = not_there([wanted], list, strict=False)
    assert (failure.where, failure.message, failure.hint, failure.missing) == ("app/x.py:3", message, hint, "")


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("shopcfgg", "did you mean shopcfg?"),
        ("corp.mony", "did you mean corp.money?"),
        ("corp.elsewhere", "corp is the project's own: check the spelling, or add the folder that holds it to source_roots"),
        ("imp", "imp is in the standard library of Python 3.0 to 3.11 only"),
        ("yaml", "pyyaml is pinned for development only: make it a dependency of the project"),
        ("requests", 'uv add requests, or say what provides it in monopack.toml: [module_map]  requests = "..."'),
        ("pyymal", "did you mean pyyaml? If not, uv add pyymal"),
        ("yamll", "did you mean yaml? If not, uv add yamll"),
        ("dattime", "did you mean datetime? If not, uv add dattime"),
    ],
)
def test_the_hint_is_the_likeliest_way_out(wanted: str, hint: str) -> None:
    pins = {"pyyaml": Pin(name="pyyaml", version="1", evidence=HERE, development=True)}
    lock = Lock(dialect="uv", path="uv.lock", pins=pins)
    failures, _ = judge([missing(wanted, Reach.EAGER)], lock, lambda: ["shopcfg", "corp.money"], strict=False)
    assert [failure.hint for failure in failures] == [hint]


def test_excluded_names_that_are_neither_pinned_nor_imported_are_told() -> None:
    index = Index(distribution("pinned"))
    wanted = wants("boto3", excluded=frozenset({"boto3", "pinned", "botoo3", "something-else"}))
    said = "exclude_distributions names botoo3, which is neither pinned nor imported, did you mean boto3?"
    assert unused_exclusions(wanted, index.lock) == (said,)


def test_a_guess_never_beats_a_pin() -> None:
    index = Index(distribution("psycopg", ["psycopg"]), distribution("google-cloud-storage", ["google.cloud.storage"]))
    excluded = frozenset({"psycopg2", "google"})
    assert index.ships(wants("psycopg", "google.cloud.storage", excluded=excluded)) == ["google-cloud-storage", "psycopg"]


def test_what_an_excluded_pin_provides_is_known_and_not_guessed() -> None:
    index = Index(distribution("serial", ["other"]), distribution("zzz", ["serial"]))
    assert index.ships(wants("serial", excluded=frozenset({"serial"}))) == ["zzz"]


def test_what_the_platform_has_may_be_unpinned() -> None:
    found = Index(distribution("z", ["z"])).resolve(wants("boto3.session", "z", excluded=frozenset({"boto3"})))
    assert [s.distribution.name for s in found.shipped] == ["z"]
    assert found.platform == ("boto3",)


def test_what_a_shipped_distribution_needs_of_the_platform_is_told() -> None:
    index = Index(distribution("bo3", ["bo3"], ["bo-core", "un-pinned"]), distribution("bo-core", ["botocore", "botocore.x"]))
    found = index.resolve(wants("bo3", excluded=frozenset({"bo-core", "un-pinned"})))
    assert [s.distribution.name for s in found.shipped] == ["bo3"]
    assert found.platform == ("botocore", "un_pinned")


def test_metadata_that_cannot_be_read_names_the_distribution() -> None:
    with pytest.raises(LockError, match=r"a==1.0 has a requirement that cannot be read: 'b \(>=1.\*\)'"):
        Index(distribution("a", ["a"], ["b (>=1.*)"])).ships(wants("a"))


def test_what_is_at_hand_is_asked_for_its_imports_while_the_rest_is_fetched() -> None:
    index = Index(distribution("aa", ["aa", "aa.b"], ["bb"]), distribution("bb", ["bb"]))
    answer = resolve(wants("aa.b"), index.lock, host().markers, {"aa": index.all["aa"]})
    assert answer == Needs(pins=("bb",), modules={"aa": ("aa.b",)})
