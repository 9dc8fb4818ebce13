"""Users."""

from __future__ import annotations
from __future__ import (
    division,
)

# monopack-start
# extra_modules = ["app.hidden"]
# extra_distributions = ["pyyaml"]
# monopack-end

import os


def lambda_handler(event, context):
    return os.name
