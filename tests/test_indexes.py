"""Only what the lock names ships, from where the lock says: the real command against real indexes on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from indexes import HERE, Index, serving
from projects import Project
from wheels import sha256

from monopack.store.credentials import credentials, with_credentials

LOGIN = "someone:s3cr%40t"
DIALECTS = ("requirements", "uv", "poetry", "pipenv", "pdm", "pylock")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    environ = {**HERE, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", "HOME": str(tmp_path / "home")}
    project = Project(root=tmp_path / "shop", index=tmp_path / "index", cache=tmp_path / "cache", environ=environ)
    for folder in (project.root, project.index, tmp_path / "home"):
        folder.mkdir()
    return project


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Index]:
    with serving(Index(folder=tmp_path / "ours")) as index:
        yield index


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Index]:
    """An index that offers the same names: other bytes at the same version, and a higher version."""
    with serving(Index(folder=tmp_path / "theirs")) as index:
        yield index


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Index]:
    with serving(Index(folder=tmp_path / "private", login=LOGIN.replace("%40", "@"))) as index:
        yield index


Pinned = Mapping[str, tuple[Index, str, str]]  # by name: the index, the digest that is locked, the file's name


def pins(*wheels: tuple[Index, Path]) -> Pinned:
    return {path.parent.name: (index, sha256(path), path.name) for index, path in wheels}


def lock(project: Project, dialect: str, pinned: Pinned) -> None:
    """Write a lock of version 1.0 of all that is pinned, as the manager does."""
    writers[dialect](project, pinned)
    project.pack("main", "".join(f"import {name}\n" for name in pinned))


def requirements(project: Project, pinned: Pinned) -> None:
    (first, *_), *_ = pinned.values()
    lines = [f"{name}==1.0 --hash=sha256:{digest}" for name, (_, digest, _) in pinned.items()]
    project.write({"requirements.txt": "\n".join([f"--index-url {first.url}", *lines, ""])})


def uv(project: Project, pinned: Pinned) -> None:
    packages, edges = [], []
    for name, (index, digest, file) in pinned.items():
        edges.append(f'{{ name = "{name}" }}')
        packages.append(
            f'[[package]]\nname = "{name}"\nversion = "1.0"\nsource = {{ registry = "{index.url}" }}\nwheels = [\n'
            f'    {{ url = "{index.url}/{name}/{file}", hash = "sha256:{digest}" }},\n]\n'
        )
    packages.append(
        f'[[package]]\nname = "shop"\nsource = {{ virtual = "." }}\ndependencies = [{", ".join(edges)}]\n'
        f"[package.metadata]\nrequires-dist = [{', '.join(edges)}]\n"
    )
    project.write({"uv.lock": 'version = 1\nrequires-python = ">=3.8"\n\n' + "\n".join(packages)})
    asks = f'[project]\nname = "shop"\nrequires-python = ">=3.8"\ndependencies = {[*pinned]}\n'
    indexes = (f'[[tool.uv.index]]\nname = "our-own"\nurl = "{url}"\n' for url in urls(pinned))
    project.write({"pyproject.toml": asks + "".join(indexes)})


def poetry(project: Project, pinned: Pinned) -> None:
    packages = [
        f'[[package]]\nname = "{name}"\nversion = "1.0"\ngroups = ["main"]\npython-versions = "*"\n'
        f'files = [{{ file = "{file}", hash = "sha256:{digest}" }}]\n'
        f'[package.source]\ntype = "legacy"\nurl = "{index.url}"\nreference = "our-own"\n'
        for name, (index, digest, file) in pinned.items()
    ]
    project.write({"poetry.lock": "\n".join(packages) + '\n[metadata]\nlock-version = "2.1"\npython-versions = "*"\n'})
    needs = "".join(f'{name} = "*"\n' for name in pinned)
    project.write({"pyproject.toml": f"[tool.poetry.dependencies]\n{needs}"})


def pipenv(project: Project, pinned: Pinned, url: Callable[[str], str] = str) -> None:
    named = {each: f"index-{number}" for number, each in enumerate(urls(pinned))}
    sources = [{"name": name, "url": url(each), "verify_ssl": True} for each, name in named.items()]
    entries = {
        name: {"version": "==1.0", "hashes": [f"sha256:{digest}"], "index": named[index.url]}
        for name, (index, digest, _) in pinned.items()
    }
    content = {"_meta": {"pipfile-spec": 6, "sources": sources}, "default": entries, "develop": {}}
    project.write({"Pipfile.lock": json.dumps(content, indent=4), "Pipfile": ""})


def pdm(project: Project, pinned: Pinned) -> None:
    packages = [
        f'[[package]]\nname = "{name}"\nversion = "1.0"\ngroups = ["default"]\n'
        f'files = [{{ file = "{file}", hash = "sha256:{digest}" }}]\n'
        for name, (_, digest, file) in pinned.items()
    ]
    head = '[metadata]\nlock_version = "4.5.0"\nstrategy = ["inherit_metadata"]\ngroups = ["default"]\n'
    project.write({"pdm.lock": "\n".join([head, *packages])})
    sources = [
        f'[[tool.pdm.source]]\nname = "our-{number}"\nurl = "{url}"\n'
        f"include_packages = {[name for name, (index, _, _) in pinned.items() if index.url == url]}\n"
        for number, url in enumerate(urls(pinned))
    ]
    project.write({"pyproject.toml": "".join(sources)})


def pylock(project: Project, pinned: Pinned) -> None:
    packages = [
        f'[[packages]]\nname = "{name}"\nversion = "1.0"\nindex = "{index.url}"\n'
        f'wheels = [{{ url = "{index.url}/{name}/{file}", hashes = {{ sha256 = "{digest}" }} }}]\n'
        for name, (index, digest, file) in pinned.items()
    ]
    project.write({"pylock.toml": "\n".join(['lock-version = "1.0"\ncreated-by = "a test"\n', *packages])})


def urls(pinned: Pinned) -> list[str]:
    return list(dict.fromkeys(index.url for index, _, _ in pinned.values()))


writers: Mapping[str, Callable[[Project, Pinned], None]] = {
    "requirements": requirements, "uv": uv, "poetry": poetry, "pipenv": pipenv, "pdm": pdm, "pylock": pylock,
}  # fmt: skip


def text(project: Project, name: str = "one.py") -> bytes:
    """What a file in the built folder holds."""
    return (project.root / "build" / "main" / name).read_bytes()


# ---------------------------------------------------------------- bytes


@pytest.mark.parametrize("dialect", DIALECTS)
def test_wrong_bytes_under_the_right_name_never_ship(project: Project, ours: Index, dialect: str) -> None:
    pinned = pins((ours, ours.wheel("one", text="honest = True\n")))
    ours.wheel("one", text="honest = False\n")
    lock(project, dialect, pinned)
    done = project.run()
    assert done.returncode == 3
    assert "one==1.0 does not match the hashes in the lock" in done.stderr
    assert not (project.root / "build" / "main.zip").exists()
    ours.wheel("one", text="honest = True\n")
    project.build()
    assert text(project) == b"honest = True\n"


@pytest.mark.parametrize("dialect", ["uv", "poetry", "pipenv", "pdm", "pylock"])
@pytest.mark.parametrize("configured", ["variable", "file", "folder"])
def test_an_index_that_the_lock_does_not_name_is_not_even_asked(
    project: Project, ours: Index, theirs: Index, dialect: str, configured: str
) -> None:
    pinned = pins((ours, ours.wheel("one", text="ours = True\n")))
    theirs.wheel("one", text="ours = False\n")
    theirs.wheel("one", version="2.0")
    lock(project, dialect, pinned)
    if configured == "variable":
        project.environ |= {"PIP_INDEX_URL": theirs.url, "PIP_EXTRA_INDEX_URL": theirs.url, "UV_INDEX_URL": theirs.url}
    else:
        key = "extra-index-url" if configured == "file" else "find-links"
        file = project.root.parent / "pip.conf"
        file.write_text(f"[global]\nindex-url = {theirs.url}\n{key} = {theirs.url}/one/\n")
        project.environ["PIP_CONFIG_FILE"] = str(file)
    project.build()
    assert text(project) == b"ours = True\n"
    assert theirs.asked == []
    assert ours.asked != []


@pytest.mark.parametrize("dialect", ["uv", "poetry", "pipenv", "pdm", "pylock"])
def test_each_index_is_asked_for_its_own_pins_alone(project: Project, ours: Index, theirs: Index, dialect: str) -> None:
    one, two = ours.wheel("one", text="at = 'ours'\n"), theirs.wheel("two", text="at = 'theirs'\n")
    ours.wheel("two", version="9.0")
    theirs.wheel("one", version="9.0")
    lock(project, dialect, pins((ours, one), (theirs, two)))
    project.build()
    assert (text(project), text(project, "two.py")) == (b"at = 'ours'\n", b"at = 'theirs'\n")
    assert [path for path in ours.asked if "/two/" in path] == []
    assert [path for path in theirs.asked if "/one/" in path] == []


GUARDED = "try:\n    import nowhere\nexcept ImportError:\n    nowhere = None\n"


@pytest.mark.parametrize("dialect", ["uv", "poetry", "pipenv"])
def test_each_index_is_looked_at_for_its_own_pins_alone(project: Project, ours: Index, theirs: Index, dialect: str) -> None:
    lock(project, dialect, pins((ours, ours.wheel("one")), (theirs, theirs.wheel("two"))))
    ours.wheel("two")
    theirs.wheel("one")
    project.environ |= {"PIP_FIND_LINKS": f"{theirs.url}/one/", "PIP_EXTRA_INDEX_URL": theirs.url}
    project.pack("main", GUARDED)
    project.build()
    assert [path for path in ours.asked if "/one/" in path] != []
    assert [path for path in theirs.asked if "/two/" in path] != []
    assert [path for path in ours.asked if "/two/" in path] == []
    assert [path for path in theirs.asked if "/one/" in path] == []


@pytest.mark.parametrize("dialect", ["uv", "poetry", "pipenv"])
def test_a_subset_names_the_indexes_that_its_pins_have_and_no_others(
    project: Project, ours: Index, theirs: Index, private: Index, dialect: str
) -> None:
    one, two = ours.wheel("one"), theirs.wheel("two")
    lock(project, dialect, pins((ours, one), (theirs, two), (private, private.wheel("three"))))
    project.pack("main", "import one, two\n")
    lines = project.build("deps", "main", "--format", "requirements").stdout.splitlines()
    assert [line for line in lines if line.startswith("--")] == [f"--index-url {ours.url}", f"--extra-index-url {theirs.url}"]
    packages = tomllib.loads(project.build("deps", "main", "--format", "pylock").stdout)["packages"]
    assert [(each["index"], each["wheels"][0]["url"]) for each in packages] == [
        (ours.url, ours.address(one)), (theirs.url, theirs.address(two)),
    ]  # fmt: skip


def test_a_subset_has_the_default_index_beside_another(project: Project, ours: Index, theirs: Index) -> None:
    poetry(project, pins((ours, ours.wheel("one")), (theirs, theirs.wheel("two"))))
    locked = (project.root / "poetry.lock").read_text()
    source = f'[package.source]\ntype = "legacy"\nurl = "{ours.url}"\nreference = "our-own"\n'
    assert source in locked
    project.write({"poetry.lock": locked.replace(source, "")})
    project.environ["PIP_INDEX_URL"] = ours.url
    project.pack("main", "import one, two\n")
    lines = project.build("deps", "main", "--format", "requirements").stdout.splitlines()
    assert [line for line in lines if line.startswith("--")] == [f"--extra-index-url {theirs.url}"]


def test_a_subset_has_no_password_of_an_index(project: Project, private: Index) -> None:
    pinned = pins((private, private.wheel("one")))
    pipenv(project, pinned, lambda url: url.replace("://", f"://{LOGIN}@"))
    project.pack("main", "import one\n")
    for form in ("requirements", "pylock", "json"):
        done = project.build("deps", "main", "--format", form)
        assert "one" in done.stdout
        assert_secret_is_nowhere(project, done.stdout + done.stderr)


def test_hashes_decide_where_a_requirements_file_names_two_indexes(project: Project, ours: Index, theirs: Index) -> None:
    one = ours.wheel("one", text="ours = True\n")
    theirs.wheel("one", text="ours = False\n")
    theirs.wheel("one", version="2.0")
    lock(project, "requirements", pins((ours, one)))
    pinned = (project.root / "requirements.txt").read_text()
    project.write({"requirements.txt": f"--extra-index-url {theirs.url}\n{pinned}"})
    project.build()
    assert text(project) == b"ours = True\n"
    assert [path for path in theirs.asked if "one-" in path] == []


def test_longer_hashes_than_sha256_count_also_when_the_store_has_the_wheel(project: Project, ours: Index) -> None:
    one = ours.wheel("one", text="x = 1\n")
    digest = subprocess.run(["sha512sum", one], capture_output=True, text=True, check=True).stdout.split()[0]
    for _ in range(2):
        project.write({"requirements.txt": f"--index-url {ours.url}\none==1.0 --hash=sha512:{digest}\n"})
        project.pack("main", "import one\n")
        project.build()
    assert len([path for path in ours.asked if path.endswith(".whl")]) == 1


# ---------------------------------------------------------------- credentials


def stated_by_uv(project: Project, _: Index) -> None:
    project.environ |= {"UV_INDEX_OUR_OWN_USERNAME": "someone", "UV_INDEX_OUR_OWN_PASSWORD": "s3cr@t"}


def stated_by_poetry(project: Project, _: Index) -> None:
    project.environ |= {"POETRY_HTTP_BASIC_OUR_OWN_USERNAME": "someone", "POETRY_HTTP_BASIC_OUR_OWN_PASSWORD": "s3cr@t"}


def stated_in_an_index_variable(project: Project, private: Index) -> None:
    project.environ["UV_INDEX"] = f"our-own={private.url.replace('://', f'://{LOGIN}@')}"


def stated_in_pip_conf(project: Project, private: Index) -> None:
    file = project.root.parent / "pip.conf"
    file.write_text(f"[global]\nextra-index-url = {private.url.replace('://', f'://{LOGIN}@')}\n")
    project.environ["PIP_CONFIG_FILE"] = str(file)


def stated_in_netrc(project: Project, _: Index) -> None:
    file = Path(project.environ["HOME"], ".netrc")
    file.write_text("machine 127.0.0.1 login someone password s3cr@t\n")
    file.chmod(0o600)


WAYS = {
    "uv": (stated_by_uv, stated_in_an_index_variable, stated_in_pip_conf, stated_in_netrc),
    "poetry": (stated_by_poetry, stated_in_pip_conf, stated_in_netrc),
    "pipenv": (stated_in_netrc,),
    "requirements": (stated_in_netrc, stated_in_pip_conf),
}


@pytest.mark.parametrize(("dialect", "way"), [(dialect, way) for dialect, ways in WAYS.items() for way in ways])
def test_credentials_are_found_where_the_ecosystem_keeps_them_and_never_shown(
    project: Project, private: Index, dialect: str, way: Callable[[Project, Index], None]
) -> None:
    lock(project, dialect, pins((private, private.wheel("one", text="x = 1\n"))))
    refused = project.run()
    assert refused.returncode == 3, "nobody knows the password yet"
    way(project, private)
    told = [project.build("--debug"), project.build("--json"), project.run("why", "main", "one"), project.run("config")]
    assert text(project) == b"x = 1\n"
    shown = "".join(done.stdout + done.stderr for done in (refused, *told))
    assert_secret_is_nowhere(project, shown)


def assert_secret_is_nowhere(project: Project, shown: str) -> None:
    """In no output, artifact or file of the store."""
    kept = [file.read_bytes() for top in (project.root / "build", project.cache) for file in top.rglob("*") if file.is_file()]
    for secret in ("s3cr@t", "s3cr%40t", "c29tZW9uZTpzM2NyQHQ="):
        assert secret not in shown
        assert [data for data in kept if secret.encode() in data] == []


def test_variables_in_a_pipfile_s_source_are_filled_in_and_not_shown(project: Project, private: Index) -> None:
    pinned = pins((private, private.wheel("one", text="x = 1\n")))
    pipenv(project, pinned, lambda url: url.replace("://", "://${INDEX_USER}:${INDEX_PASSWORD}@"))
    project.pack("main", "import one\n")
    project.environ |= {"INDEX_USER": "someone", "INDEX_PASSWORD": "s3cr%40t"}
    done = project.build("--debug")
    assert text(project) == b"x = 1\n"
    assert_secret_is_nowhere(project, done.stdout + done.stderr)


KEYRING = """#!/bin/sh
# newer versions of pip ask for JSON, older ones for the password alone
[ "$1" = --mode=creds ] && { echo '{"username": "someone", "password": "s3cr@t"}'; exit; }
[ "$1" = get ] && [ "$3" = someone ] && echo s3cr@t
"""


def test_keyring_is_asked_where_it_is_turned_on(project: Project, private: Index) -> None:
    folder = project.root.parent / "bin"
    folder.mkdir()
    keyring = folder / "keyring"
    keyring.write_text(KEYRING)
    keyring.chmod(0o755)
    uv(project, pins((private, private.wheel("one", text="x = 1\n"))))
    for file in ("uv.lock", "pyproject.toml"):
        told = (project.root / file).read_text().replace("http://", "http://someone@")
        project.write({file: told})
    project.pack("main", "import one\n")
    project.environ |= {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "UV_KEYRING_PROVIDER": "subprocess"}
    done = project.build("--debug")
    assert text(project) == b"x = 1\n"
    assert_secret_is_nowhere(project, done.stdout + done.stderr)


def test_a_password_that_is_refused_is_not_shown(project: Project, private: Index) -> None:
    lock(project, "requirements", pins((private, private.wheel("one"))))
    pinned = (project.root / "requirements.txt").read_text().replace("http://", "http://someone:wr0ng@")
    project.write({"requirements.txt": pinned})
    done = project.run("--debug")
    assert done.returncode == 3
    assert "one==1.0" in done.stderr
    assert "wr0ng" not in done.stdout + done.stderr


def test_credentials_go_to_their_own_origin_alone() -> None:
    environ = {"UV_INDEX_OURS_PASSWORD": "token", "UV_INDEX_OURS_USERNAME": "me", "PIP_INDEX_URL": "https://a:b@mirror.example/x"}
    known = credentials(environ, {"https://index.example:8443/simple": "ours"}, ["extra-index-url = https://c:d@third.example/"])
    lines = [
        "--index-url https://index.example:8443/simple", "one @ https://index.example:8443/one-1.0.whl --hash=sha256:0",
        "two @ https://index.example/two-1.0.whl", "three @ http://index.example:8443/three-1.0.whl",
        "four @ https://index.example:8443.evil.example/x.whl", "five @ https://you:own@index.example:8443/x.whl",
        "six @ https://mirror.example/x.whl", "seven @ https://third.example/x.whl",
    ]  # fmt: skip
    filled = [line for line in with_credentials("\n".join(lines), known).split("\n") if line not in lines]
    assert filled == [
        "--index-url https://me:token@index.example:8443/simple",
        "one @ https://me:token@index.example:8443/one-1.0.whl --hash=sha256:0",
        "six @ https://a:b@mirror.example/x.whl", "seven @ https://c:d@third.example/x.whl",
    ]  # fmt: skip


# ---------------------------------------------------------------- options that refuse


def test_require_hashes_refuses_a_pin_without_one(project: Project) -> None:
    project.wheel("one")
    project.require("one==1.0")
    project.pack("main", "import one\n")
    project.build()
    done = project.run("--require-hashes")
    assert (done.returncode, "requirements.txt: has no hashes for one" in done.stderr) == (3, True)


def test_require_hashes_lets_pass_what_comes_from_git_at_a_commit(project: Project) -> None:
    project.require(f"one @ git+{(project.root / 'no-repository').as_uri()}@{'0' * 40}")
    project.pack("main", "import one\n")
    assert "one could not be fetched: fatal: " in project.run("--require-hashes").stderr


def test_locked_refuses_what_is_not_pinned(project: Project) -> None:
    project.wheel("one")
    project.require("one>=1")
    project.pack("main", "import one\n")
    done = project.run("--locked")
    assert (done.returncode, "requirements.txt: does not pin one>=1" in done.stderr) == (3, True)
    assert not (project.root / "build" / ".monopack" / "requirements.host.txt").exists()
    project.require("one==1.0")
    project.build("--locked")


AGED = {  # what to add to the manifest, and to what the lock says of itself, so that the manifest seems to be newer
    "uv": ('[dependency-groups]\ndev = ["one>=1"]\n', ""),
    "poetry": ("", 'content-hash = "0"\n'),
    "pdm": ('[project]\nname = "shop"\nversion = "1"\n', 'content_hash = "0"\n'),
}


@pytest.mark.parametrize("dialect", AGED)
def test_locked_refuses_a_lock_that_is_older_than_its_manifest(project: Project, ours: Index, dialect: str) -> None:
    lock(project, dialect, pins((ours, ours.wheel("one"))))
    file, manifest = project.root / f"{dialect}.lock", project.root / "pyproject.toml"
    asks, says = AGED[dialect]
    project.build("--locked")
    project.write({file.name: file.read_text().replace("[metadata]\n", f"[metadata]\n{says}")})
    project.write({manifest.name: manifest.read_text() + asks})
    said = "older than what pyproject.toml asks for now"
    assert f"{file.name} is {said}" in project.build().stderr
    done = project.run("--locked")
    assert (done.returncode, f"{file.name}: is {said}" in done.stderr) == (3, True)
