"""Is this text a valid monopack.toml? Ships monopack's configuration and what that needs, not the rest of the tool."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from monopack import config
from monopack.errors import ConfigError


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Validate `event["text"]`, the text of a monopack.toml.

    Returns status 200 with `valid`; when it is not, `errors`, a line for each key that cannot be used. Status 400 without a text.
    """
    text = event.get("text")
    if not isinstance(text, str):
        return {"statusCode": 400, "error": "text has to be the text of a monopack.toml"}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "monopack.toml")
        file.write_text(text, encoding="utf-8")
        try:
            config.load({}, cwd=Path(folder), config_file=file, environ={})
        except ConfigError as error:
            return {"statusCode": 200, "valid": False, "errors": str(error).splitlines()}
    return {"statusCode": 200, "valid": True}
