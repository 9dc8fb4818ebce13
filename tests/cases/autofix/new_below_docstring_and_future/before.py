"""Users."""

from __future__ import annotations
from __future__ import (
    division,
)

import os


def lambda_handler(event, context):
    return os.name
