from __future__ import annotations

import base64
import io
import zipfile

from packs.affected_packs import lambda_handler

PROJECT = {
    "packs/orders.py": "from app import orders\n",
    "packs/users.py": "def f():\n    import app.users\n",
    "packs/_draft.py": "import app.users\n",
    "app/__init__.py": "",
    "app/orders.py": "import app.common\n",
    "app/users.py": "import app.common\n",
    "app/common.py": "import requests\n",
    "README.md": "",
}


def zipped(files: dict[str, str]) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return base64.b64encode(buffer.getvalue()).decode()


def affected(*changed: str, **files: str) -> object:
    return lambda_handler({"archive": zipped({**PROJECT, **files}), "changed": list(changed)}, None)["affected"]


def test_packs_that_reach_a_changed_file_are_named_with_it() -> None:
    assert affected("app/common.py") == {"orders": ["app/common.py"], "users": ["app/common.py"]}
    assert affected("app/users.py", "packs/orders.py") == {"orders": ["packs/orders.py"], "users": ["app/users.py"]}
    assert affected("app/__init__.py").keys() == {"orders", "users"}  # type: ignore[attr-defined]
    assert affected("README.md", "gone.py") == {}


def test_a_pack_that_cannot_be_traced_is_an_error_of_its_own() -> None:
    files = {**PROJECT, "app/orders.py": "def broken(:\n"}
    answer = lambda_handler({"archive": zipped(files), "changed": ["app/users.py"]}, None)
    assert answer["affected"] == {"users": ["app/users.py"]}
    assert list(answer["errors"]) == ["orders"]
    assert "app/orders.py:1" in answer["errors"]["orders"]


def test_events_that_cannot_be_used() -> None:
    for event in ({}, {"archive": "???", "changed": []}, {"archive": base64.b64encode(b"no zip").decode(), "changed": []}):
        assert lambda_handler(event, None)["statusCode"] == 400
