from __future__ import annotations

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest

from packs.code_sha256 import lambda_handler


def test_it_says_what_sha256sum_and_lambda_say(tmp_path: Path) -> None:
    content = bytes(range(256)) * 100
    (tmp_path / "function.zip").write_bytes(content)
    answer = lambda_handler({"content": base64.b64encode(content).decode()}, None)
    printed = subprocess.run(["sha256sum", "function.zip"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert answer["hex"] == printed.split()[0]
    assert base64.b64decode(answer["b64"]) == hashlib.sha256(content).digest()


@pytest.mark.parametrize("form", ["hex", "b64"])
def test_it_compares_with_what_is_expected(form: str) -> None:
    event = {"content": base64.b64encode(b"artifact").decode()}
    right = lambda_handler(event, None)[form]
    assert lambda_handler({**event, "expected": f"{right}\n"}, None)["matches"] is True
    assert lambda_handler({**event, "expected": right.swapcase()}, None)["matches"] is False


@pytest.mark.parametrize("event", [{}, {"content": "not base64!"}, {"content": None}])
def test_events_that_cannot_be_used(event: dict[str, object]) -> None:
    answer = lambda_handler(event, None)
    assert answer["statusCode"] == 400
    assert "base64" in answer["error"]
