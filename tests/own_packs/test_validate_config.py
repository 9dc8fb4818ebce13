from __future__ import annotations

from packs.validate_config import lambda_handler


def test_a_valid_file() -> None:
    assert lambda_handler({"text": '[packs.users]\nhandler = "main"\n'}, None) == {"statusCode": 200, "valid": True}


def test_every_key_that_cannot_be_used_is_named() -> None:
    answer = lambda_handler({"text": 'jbos = 2\nsha_output = ["md5"]\n'}, None)
    assert answer["valid"] is False
    said = "\n".join(answer["errors"])
    assert "jobs" in said, "a hint at the right spelling"
    assert "sha_output" in said


def test_a_syntax_error_has_its_line() -> None:
    answer = lambda_handler({"text": "jobs = 2\nbroken =\n"}, None)
    assert answer["valid"] is False
    assert "monopack.toml:2" in answer["errors"][0]


def test_without_a_text() -> None:
    assert lambda_handler({}, None)["statusCode"] == 400
