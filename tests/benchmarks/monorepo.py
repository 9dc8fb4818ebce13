"""A monorepo to measure on: layers of modules that import earlier ones, packs that import a few of them, and their tests."""

from __future__ import annotations

import random
from pathlib import Path

# Import names and the distributions that have them: about 130 MB with all that they require.
HEAVY = {
    "boto3": "boto3", "requests": "requests", "pydantic": "pydantic", "yaml": "PyYAML", "numpy": "numpy", "httpx": "httpx",
    "sqlalchemy": "SQLAlchemy", "jinja2": "Jinja2", "cryptography": "cryptography", "dateutil.parser": "python-dateutil",
    "attr": "attrs", "rich.console": "rich",
}  # fmt: skip
LIGHT = {name: HEAVY[name] for name in ("yaml", "attr", "dateutil.parser", "jinja2")} | {"idna": "idna"}
IN_A_PACKAGE = 25
NEAR = 60  # a module imports others that stand at most so far before it
BLOCK = 1000  # and none before a multiple of this: Python gives up where imports nest too deeply
FUNCTION = '''

def step_{0}(given, other=None):
    """Step {0}."""
    if other is None:
        other = {{"given": given}}
    kept = [number for number in range(12) if number % 3]
    return given, other, kept
'''
BODY = "".join(map(FUNCTION.format, range(14)))
TEST = """import unittest

from packs import fn_{0}


class Handler(unittest.TestCase):
    def test_answers(self):
        self.assertEqual(fn_{0}.lambda_handler({{}}, None), {{"statusCode": 200}})
"""


def make(root: Path, packs: int, modules: int, *, light: bool = False) -> None:
    """Write a monorepo to the new folder `root`: the same one for the same numbers."""
    chance, libraries = random.Random(packs * modules), LIGHT if light else HEAVY
    names = [f"app.area{number // IN_A_PACKAGE}.part{number % IN_A_PACKAGE}" for number in range(modules)]
    for number, name in enumerate(names):
        near = names[max(number - NEAR, number - number % BLOCK) : number]
        imports = [f"from {other} import step_0" for other in chance.sample(near, min(len(near), chance.randrange(4)))]
        imports += [f"import {chance.choice(list(libraries))}"] if chance.random() < 0.06 else []
        _write(root / f"{name.replace('.', '/')}.py", "\n".join(["import json", *imports]) + BODY)
    for folder in (root / "app", *(root / "app").iterdir()):
        _write(folder / "__init__.py", "")
    for number in range(packs):
        imports = [f"from {name} import step_1 as step_{place}" for place, name in enumerate(chance.choices(names, k=3))]
        imports += [f"import {name}" for name in chance.sample(list(libraries), 2)]
        handler = "\n\ndef lambda_handler(event, context):\n    return {'statusCode': 200}\n"
        _write(root / f"packs/fn_{number}.py", "\n".join(imports) + "\n" + handler)
        _write(root / f"tests/test_fn_{number}.py", TEST.format(number))
    _write(root / "requirements.txt", "".join(f"{name}\n" for name in libraries.values()))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
