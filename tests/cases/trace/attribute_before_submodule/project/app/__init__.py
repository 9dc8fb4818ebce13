"""The package."""
from __future__ import annotations

number = 1


def function():
    return 2


import os

late = 3
