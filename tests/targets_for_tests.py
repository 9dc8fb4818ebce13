"""The target that most tests build for: the Python that runs them."""

from __future__ import annotations

import sys

from packaging.markers import default_environment
from packaging.tags import sys_tags

from monopack.model import Target


def host() -> Target:
    """This Python, as a target."""
    markers = {name: str(value) for name, value in default_environment().items()}
    return Target(
        name="host",
        python=sys.executable,
        version=markers["python_full_version"],
        markers=markers,
        tags=tuple(sys_tags()),
        stdlib=frozenset(sys.stdlib_module_names),
        builtins=frozenset(sys.builtin_module_names),
        chosen_by="the tests",
    )
