from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from projects import Project
from served import NO_PROXY, Served, serve


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project with an empty index and a store of its own."""
    made = Project(root=tmp_path / "project", index=tmp_path / "index", cache=tmp_path / "cache")
    made.root.mkdir()
    made.index.mkdir()
    return made


@pytest.fixture
def served(project: Project) -> Iterator[Served]:
    """An index on loopback, with nothing in it."""
    project.environ = dict(NO_PROXY)
    with serve(project.root.parent / "served") as server:
        yield server


@pytest.fixture
def shop(project: Project) -> Project:
    """Two packs that share first-party code and need different distributions."""
    project.wheel(
        "yaml-thing", files={"yaml/__init__.py": "import shared_part\n", "yaml/loader.py": ""}, requires=["shared-part"]
    )
    project.wheel("shared-part")
    project.wheel("big-thing")
    project.wheel("unused-thing")
    project.require("yaml-thing==1.0", "shared-part==1.0", "big-thing==1.0", "unused-thing==1.0")
    project.write({
        "app/__init__.py": "",
        "app/common.py": "import json\n",
        "app/orders.py": "from app import common\nimport yaml.loader\n",
        "app/users.py": "from . import common\n\n\ndef report():\n    import big_thing\n",
        "app/unused.py": "import unused_thing\n",
    })  # fmt: skip
    project.pack("orders", "import app.orders\n")
    project.pack("users", "from app.users import report\n")
    return project
