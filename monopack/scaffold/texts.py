"""The text of the files that begin a project."""

from __future__ import annotations

CONFIG_HEAD = """\
# The configuration of monopack; what is not here has its default value.
# `monopack schema > monopack.schema.json` writes the schema of this file. With that, `#:schema ./monopack.schema.json` as the
# first line lets an editor complete and check it.
"""

CONFIG_PACK = """
[pack]  # for every pack; what is for one stands in [packs.NAME], or in comments at the top of its file
{settings}# handler = "lambda_handler"  # the function that a pack must have
# unresolved = "error"  # an import that nothing provides fails the build
"""

SKIP_TESTS = """\
# The tests import pytest, which nothing pins. Pin it for development, and take this line out.
skip_tests = true
"""

BLOCK = """
# monopack-start
{lines}# monopack-end
"""

PACK = '''\
"""The pack {name}: {module}.{function}, and what that needs."""
{block}
from {module} import {imported}

__all__ = ["{exposed}"]
'''

EXAMPLE = '''\
"""An example. A pack is a file in this folder with a handler; what it imports ships with it, and nothing else does."""

from __future__ import annotations

from typing import Any
{block}

def {exposed}(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Greet whom `event["name"]` names."""
    return {{"statusCode": 200, "body": f"Hello, {{event.get('name', 'world')}}!"}}
'''

TEST = '''\
"""Tests of the pack {name}. They run on a copy of the pack, where nothing else can be imported."""

import unittest

from {module} import {exposed}


class {case}(unittest.TestCase):
{body}'''

IS_CALLABLE = """\
    def test_handler_can_be_called(self) -> None:
        # A beginning: test what the handler answers to an event.
        self.assertTrue(callable({exposed}))
"""

GREETS = """\
    def test_greets_by_name(self) -> None:
        self.assertEqual({exposed}({{"name": "Ada"}}, None)["body"], "Hello, Ada!")

    def test_greets_the_world(self) -> None:
        self.assertEqual({exposed}({{}}, None)["body"], "Hello, world!")
"""
