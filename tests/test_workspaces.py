"""A uv workspace, locked by uv itself: packs get of its members and of their distributions what they reach, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from projects import Project
from uv import find_uv_bin

HEAD = '[project]\nname = "{}"\nversion = "1"\nrequires-python = ">=3.8"\n'
INSTALLED = '[build-system]\nrequires = []\nbuild-backend = "{}"\n'


@pytest.fixture
def workspace(project: Project) -> Project:
    """Three members of different layouts, and an application beside them that has a module called like the standard library's."""
    for name in ("yaml-thing", "chart-thing"):
        project.wheel(name, files={f"{name.replace('-', '_')}.py": ""})
    project.write({
        "pyproject.toml": HEAD.format("all") + '[tool.uv.workspace]\nmembers = ["libs/*", "apps/*"]\n',
        "libs/billing/pyproject.toml": HEAD.format("billing") + 'dependencies = ["users", "yaml-thing"]\n'
        + INSTALLED.format("uv_build") + "[tool.uv.sources]\nusers = { workspace = true }\n",
        "libs/billing/src/billing/__init__.py": "import yaml_thing\n",
        "libs/billing/src/billing/amounts.py": "from users.people import person\n",
        "libs/billing/src/billing/unused.py": "",
        "libs/users/pyproject.toml": HEAD.format("users") + INSTALLED.format("setuptools.build_meta")
        + '[tool.setuptools.packages.find]\nwhere = ["lib"]\n',
        "libs/users/lib/users/__init__.py": "",
        "libs/users/lib/users/people.py": "person = 1\n",
        "libs/users/lib/users/unused.py": "",
        "libs/charts/pyproject.toml": HEAD.format("charts")
        + 'dependencies = ["chart-thing"]\n' + INSTALLED.format("hatchling.build"),
        "libs/charts/charts/__init__.py": "import chart_thing\n",
        "apps/loose/pyproject.toml": HEAD.format("loose"),
        "apps/loose/json.py": "raise SystemExit\n",
    })  # fmt: skip
    project.pack("bills", "import json\n\nimport billing.amounts\n")
    uv = [find_uv_bin(), "lock", "-q", "--offline", "--no-index", "--find-links", str(project.index), "--python", sys.executable]
    subprocess.run(uv, cwd=project.root, check=True)
    return project


def test_a_pack_ships_what_it_reaches_of_the_members(workspace: Project) -> None:
    workspace.build()
    code = {path for path in workspace.shipped("bills") if ".dist-info/" not in path}
    assert code == {
        "packs/bills.py", "billing/__init__.py", "billing/amounts.py", "users/__init__.py", "users/people.py", "yaml_thing.py",
    }  # fmt: skip


def test_the_config_shows_the_source_roots_that_were_found(workspace: Project) -> None:
    options = json.loads(workspace.run("config", "--json").stdout)["options"]
    (shown,) = (option for option in options if option["key"] == "source_roots")
    assert shown["value"] == [".", "libs/billing/src", "libs/charts", "libs/users/lib"]
    assert shown["origins"] == ["default", "auto"]


def test_source_roots_that_are_set_are_all_there_is(workspace: Project) -> None:
    workspace.write({"monopack.toml": 'source_roots = ["libs/billing/src", "."]\n'})
    done = workspace.run("build")
    assert done.returncode == 1
    assert "imports person from users.people, which no first-party file" in done.stderr
