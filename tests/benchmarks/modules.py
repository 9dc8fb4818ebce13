"""A project of many small modules to measure on: `python -m tests.benchmarks.modules FOLDER --modules 10000`.

`app/` has packages of 20 modules, each with a few functions and imports of the standard library and of up to three modules before
it; `packs/everything.py` imports them all.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

PER_PACKAGE = 20
FUNCTIONS = 14
BEGIN = "import os\nimport json\nfrom typing import Any\n"
FUNCTION = '''

def step_{0}(given, other=None):
    """Step {0}."""
    if other is None:
        other = {{"given": given}}
    odd = [number for number in range(10) if number % 2]
    return given, other, odd
'''


def write(folder: Path, modules: int, seed: int = 1) -> None:
    """Write the project to a folder that does not exist yet; the same for the same numbers."""
    chance = random.Random(seed)
    names = [f"app.part_{number // PER_PACKAGE}.module_{number % PER_PACKAGE}" for number in range(modules)]
    body = "".join(FUNCTION.format(number) for number in range(FUNCTIONS))
    for number, name in enumerate(names):
        file = folder / f"{name.replace('.', '/')}.py"
        if not number % PER_PACKAGE:
            file.parent.mkdir(parents=True)
            (file.parent / "__init__.py").write_text("")
        earlier = chance.sample(names[max(0, number - 50) : number], min(number, chance.randrange(4)))
        imports = "".join(f"from {each} import step_0 as step_of_{count}\n" for count, each in enumerate(earlier))
        file.write_text(BEGIN + imports + body)
    (folder / "app" / "__init__.py").write_text("")
    (folder / "packs").mkdir()
    everything = "".join(f"import {name}\n" for name in names)
    (folder / "packs" / "everything.py").write_text(f"{everything}\n\ndef lambda_handler(event, context):\n    return event\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--modules", type=int, default=10_000)
    given = parser.parse_args()
    write(given.folder, given.modules)
