"""Which files of a project Python itself opens: run as a script, it imports modules in a child for each order.

An order is a line of JSON on stdin: `roots` (folders to put on `sys.path`, best first), `module` (what to import), and perhaps
`others` (folders at the end of `sys.path`) and `run` (code to run after that, instead of calling every function). The answer is a
line of JSON on stdout: `imported`, the files below the roots that were opened while the module was imported; `later`, those that
were opened after that; `failed`, why something failed, if it did.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import sys
import tempfile
import types
from collections.abc import Iterator
from typing import Any


def answer(roots: list[str], others: list[str], module: str, run: str) -> dict[str, Any]:
    """What one order gives."""
    sys.path[:0] = roots
    sys.path += others
    opened: dict[str, None] = {}
    below = tuple(f"{root}{os.sep}" for root in roots)

    def note(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(args[0], str) and args[0].startswith(below) and not args[0].endswith(".pyc"):
            opened[args[0]] = None

    sys.addaudithook(note)
    failed = ""
    with tempfile.TemporaryFile("w+") as said, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            importlib.import_module(module)
        except BaseException as problem:
            failed = f"{type(problem).__name__}: {problem}"
        imported = list(opened)
        try:
            exec(run, {}) if run else call_everything(below)
        except SystemExit as ended:
            failed = failed or (f"it ended with {ended.code}" if ended.code else "")
        except Exception as problem:
            failed = failed or f"{type(problem).__name__}: {problem}"
    return {"imported": imported, "later": [path for path in opened if path not in imported], "failed": failed}


def call_everything(below: tuple[str, ...]) -> None:
    """Call every function of every module below some folders, until that imports nothing more."""
    called: set[int] = set()
    while todo := [each for each in functions(below) if id(each) not in called]:
        for function in todo:
            called.add(id(function))
            with contextlib.suppress(Exception):
                result = function()
                if asyncio.iscoroutine(result):
                    asyncio.run(result)


def functions(below: tuple[str, ...]) -> Iterator[types.FunctionType]:
    """The functions of the modules that are there, and those of their classes."""
    for module in list(sys.modules.values()):
        if str(getattr(module, "__file__", None)).startswith(below):
            things = list(vars(module).values())
            methods = [each for thing in things if isinstance(thing, type) for each in vars(thing).values()]
            yield from (each for each in (*things, *methods) if isinstance(each, types.FunctionType))


def serve() -> None:
    """Answer every order in a child of its own, so that none knows what another imported."""
    for line in sys.stdin:
        order = json.loads(line)
        reading, writing = os.pipe()
        if not os.fork():
            with os.fdopen(writing, "w") as out:
                json.dump(answer(order["roots"], order.get("others", []), order["module"], order.get("run", "")), out)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as answered:
            sys.stdout.write(f"{answered.read()}\n")
        sys.stdout.flush()
        os.wait()


if __name__ == "__main__":
    serve()
