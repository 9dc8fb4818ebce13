"""Real distributions from the configured index: names that several of them could provide, and a whole web application."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from projects import HANDLER, Project, import_alone
from uv import find_uv_bin

CASES = Path(__file__).parent / "cases" / "real"

PROVIDED_BY = {
    "google.cloud.storage": "google-cloud-storage",
    "azure.storage.blob": "azure-storage-blob",
    "yaml": "pyyaml",
    "PIL": "pillow",
    "dateutil": "python-dateutil",
    "bs4": "beautifulsoup4",
    "attr": "attrs",
}


def required(distribution: str, requirements: Path) -> set[str]:
    """A distribution and all that it requires, as uv says with the same pins."""
    argv = [find_uv_bin(), "pip", "compile", "-q", "--no-header", "--no-annotate", "--python", sys.executable]
    done = subprocess.run(
        [*argv, "-c", str(requirements), "-"], input=distribution, capture_output=True, text=True, check=True
    )  # fmt: skip
    return {line.partition("==")[0] for line in done.stdout.splitlines() if "==" in line}


def test_each_import_gets_exactly_its_distributions(project: Project, tmp_path: Path) -> None:
    shutil.copy(CASES / "namesakes" / "requirements.txt", project.root)
    packs = {name: "p_" + name.lower().replace(".", "_") for name in PROVIDED_BY}
    for name, pack in packs.items():
        project.write({f"packs/{pack}.py": f"import {name}\n{HANDLER}"})
    project.build("--skip-tests")
    for name, pack in packs.items():
        shipped = {d["name"] for d in project.manifest(pack)["distributions"]}
        assert shipped == required(PROVIDED_BY[name], CASES / "namesakes" / "requirements.txt")
        alone = import_alone(project.root / "build" / f"{pack}.zip", tmp_path / pack, f"packs.{pack}")
        assert alone.returncode == 0, alone.stderr


def test_only_the_wheels_that_a_pack_may_need_are_fetched(project: Project) -> None:
    shutil.copy(CASES / "namesakes" / "requirements.txt", project.root)
    project.write({"packs/p.py": f"import yaml\nimport bs4\n{HANDLER}"})
    project.build("--skip-tests")
    fetched = {path.name.split("-")[0] for path in project.cache.rglob("*.whl")}
    assert fetched == {"pyyaml", "beautifulsoup4", "soupsieve", "typing_extensions"}


@pytest.mark.parametrize("sdist", ["datasette==0.65.1"])
def test_a_web_application_builds_behind_a_thin_pack_and_imports_alone(project: Project, tmp_path: Path, sdist: str) -> None:
    shutil.copytree(CASES / "web_application", project.root, dirs_exist_ok=True)
    fetch = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-binary",
        ":all:",
        "-d",
        str(tmp_path / "sdist"),
        sdist,
    ]
    subprocess.run(fetch, check=True)
    with tarfile.open(next((tmp_path / "sdist").glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    shutil.move(next((tmp_path / "source").iterdir()) / "datasette", project.root / "datasette")
    project.build("--skip-tests")
    alone = import_alone(project.root / "build" / "web.zip", tmp_path / "alone", "packs.web")
    assert alone.returncode == 0, alone.stderr
    assert "datasette/templates/index.html" in project.shipped("web")
    assert not [path for path in project.shipped("web") if path.startswith(("datasette/cli.py", "tests/"))]


RUN = """
import json, sys
sys.path.insert(0, sys.argv[1])
from packs.api import lambda_handler
print(json.dumps(lambda_handler({}, None)))
"""


def test_a_django_project_runs_with_what_django_imports_by_name(project: Project, tmp_path: Path) -> None:
    shutil.copytree(CASES / "django_project", project.root, dirs_exist_ok=True)
    project.build("--skip-tests")
    assert {path for path in project.shipped("api") if path.startswith("shop/")} == {
        path.relative_to(project.root).as_posix() for path in (project.root / "shop").rglob("*") if path.is_file()
    } - {
        "shop/orders/tests.py",
        "shop/orders/static/logo.txt",
        "shop/billing/reports.py",
        "shop/unused/__init__.py",
        "shop/unused/models.py",
    }
    shutil.unpack_archive(project.root / "build" / "api.zip", tmp_path / "alone")
    argv = [sys.executable, "-I", "-S", "-B", "-c", RUN, str(tmp_path / "alone")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "statusCode": 200, "body": "0.00 EUR;1.00 EUR;2.00 EUR;\n", "view": "shop.orders.views.listed",
        "models": ["billing.Bill", "orders.Order"],
    }  # fmt: skip


LAMBDA = "aws-lambda-python3.11-x86_64"  # with glibc 2.26


def test_a_lambda_target_gets_the_wheel_of_the_pinned_version_that_its_glibc_has(project: Project) -> None:
    project.write({"requirements.txt": "cryptography==43.0.3\ncffi==1.17.1\npycparser==2.22\n"})
    project.pack("main", "from cryptography.hazmat.bindings import _rust\n")
    project.build("--target", LAMBDA)
    wheels = {each["name"]: each["wheel"] for each in project.manifest("main")["distributions"]}
    assert wheels == {  # cryptography has one for glibc 2.28, too, which is the better one for most machines
        "cryptography": "cryptography-43.0.3-cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "cffi": "cffi-1.17.1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "pycparser": "pycparser-2.22-py3-none-any.whl",
    }
    project.build("--target", LAMBDA.replace("3.11-x86_64", "3.12-arm64"))
    wheels = {each["name"]: each["wheel"] for each in project.manifest("main")["distributions"]}
    assert wheels["cryptography"] == "cryptography-43.0.3-cp39-abi3-manylinux_2_28_aarch64.whl"


def test_a_lambda_target_that_no_wheel_fits_is_told_the_tags_that_there_are(project: Project) -> None:
    project.write({"requirements.txt": "numpy==2.3.1\n"})
    project.pack("main", "import numpy\n")
    done = project.run("--target", LAMBDA)
    assert done.returncode == 3
    assert "numpy==2.3.1 has no wheel for the target aws-lambda-python3.11-x86_64" in done.stderr
    assert ", only for cp311-cp311-manylinux_2_28_x86_64, " in done.stderr
    assert "hint: pin a version that has one, choose another target" in done.stderr
