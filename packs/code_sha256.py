"""What AWS Lambda and `sha256sum` will call an artifact, computed from its bytes. Needs nothing but the standard library."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Digest the bytes in `event["content"]` (base64).

    Returns `hex` (what `sha256sum` prints) and `b64` (Lambda's `CodeSha256`) with status 200; where `event["expected"]` is
    given, in either form, also whether it `matches`. Status 400 and an `error` for an event that cannot be used.
    """
    try:
        content = base64.b64decode(event["content"], validate=True)
    except (KeyError, TypeError, binascii.Error) as error:
        return {"statusCode": 400, "error": f"content has to be base64: {error}"}
    digest = hashlib.sha256(content)
    answer = {"hex": digest.hexdigest(), "b64": base64.b64encode(digest.digest()).decode()}
    if "expected" in event:
        return {"statusCode": 200, **answer, "matches": str(event["expected"]).strip() in answer.values()}
    return {"statusCode": 200, **answer}
