"""A newcomer's path, in a terminal: begin, build, make a mistake, read the message, let monopack mend it, build, ask why."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from projects import Project
from screens import Screen

HANDLER = """\
import importlib

from app.prices import price


def lambda_handler(event, context):
    return {"statusCode": 200, "body": str(price(event.get("item", "tea")))}
"""


class Person:
    """Somebody at a terminal in a project."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def types(self, *arguments: str, answers: tuple[tuple[str, str], ...] = ()) -> tuple[int, str]:
        """Run a command, answer its questions; its exit code and all that was shown."""
        kept = {n: v for n, v in os.environ.items() if n in ("PATH", "HOME", "LANG")}
        environ = {**kept, "MONOPACK_CACHE_DIR": str(self.project.cache)}
        screen = Screen([sys.executable, "-m", "monopack", *arguments], self.project.root, environ, columns=120)
        for question, answer in answers:
            screen.wait_for(question)
            screen.press(f"{answer}\n")
        code = screen.end()
        return code, "\n".join(screen.lines())

    def edits(self, name: str, old: str, new: str) -> None:
        path: Path = self.project.root / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


def test_from_an_empty_config_to_why(project: Project) -> None:
    project.wheel("yaml-thing", files={"yaml_thing/__init__.py": "version = 1\n"})
    project.require("yaml-thing==1.0")
    project.write({
        "app/__init__.py": "", "app/orders.py": HANDLER, "app/prices.py": "def price(item):\n    return 3\n",
        "app/discounts.py": "import yaml_thing\n",
    })  # fmt: skip
    person = Person(project)

    code, shown = person.types("init", answers=(("Make a pack orders", "y"), ("Write a first test", "y")))
    assert code == 0
    assert all(name in shown for name in ("monopack.toml", "packs/orders.py", "tests/test_orders.py", "next: monopack"))

    code, shown = person.types()
    assert code == 0, shown
    assert "1 of 1 packs are ready" in shown

    # A deliberate mistake: an import that is spelt wrong.
    person.edits("app/orders.py", "app.prices", "app.price")
    code, shown = person.types("orders")
    assert code == 1
    assert "error: orders: app/orders.py:3: imports app.price, but there is no such module in its package" in shown
    assert "hint: did you mean app.prices?" in shown
    person.edits("app/orders.py", "app.price ", "app.prices ")

    # Another one: an import that no tool can see. The message says what to add, and auto-fix adds it.
    name = "bytes([97, 112, 112, 46, 100, 105, 115, 99, 111, 117, 110, 116, 115]).decode()"
    person.edits("app/orders.py", "\n\ndef", f"\nDISCOUNTS = importlib.import_module({name})\n\n\ndef")
    code, shown = person.types("orders")
    assert code == 1
    assert "No module named 'app.discounts'" in shown
    assert 'extra_modules = ["app.discounts"]' in shown
    code, shown = person.types("orders", "--auto-fix")
    assert code == 0, shown
    assert "auto-fix adds app.discounts" in shown
    assert '# extra_modules = ["app.discounts"]' in (project.root / "packs/orders.py").read_text()
    assert {"app/discounts.py", "yaml_thing/__init__.py"} <= project.shipped("orders")

    code, shown = person.types("why", "orders", "yaml-thing")
    assert code == 0
    assert "app/discounts.py:1" in shown
    assert "import yaml_thing" in shown
    assert "packs/orders.py" in shown
