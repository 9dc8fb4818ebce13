"""Runs in the pack's own interpreter (3.8 or newer), away from monopack: imports a pack and notes what goes wrong.

Called as `script.py JOB RESULT`. JOB is JSON: `folder` (put first on sys.path), `modules` (imported in order), `handler`, which
the first module must have (empty: none), and `platform`, top-level names that only the platform has. RESULT gets a JSON line
for each event, at once because an import may end the process: `{"importing": name}`, `{"failure": {...}}` and, at the end,
`{"done": true}`.
"""

from __future__ import annotations

import os
import sys

AT_START = set(sys.modules)

# What is imported from here on is forgotten again before the pack's own imports: it must not hide a file of the pack.
import json  # noqa: E402
from types import ModuleType  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator  # noqa: UP035 - exists in 3.8

MOST_STAND_INS = 100
NATIVE = (".so", ".pyd")
OPEN, DUMPS, EXIT = open, json.dumps, os._exit  # imported code may replace them
LOADER = sys.modules["_frozen_importlib_external"].SourceFileLoader


def how_it_is_compiled() -> list[object]:
    """What makes bytecode of sources, as far as code can replace it."""
    return [*(getattr(LOADER, name) for name in ("get_code", "source_to_code", "get_data", "path_stats", "exec_module")), compile]


PLAINLY = how_it_is_compiled()


class Base:
    """What a class gets instead of a stand-in among its bases."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Take any keyword."""


class StandIn(ModuleType):
    """Takes the place of a missing module, and of everything in it, so that the import can go on to the next missing one."""

    def __getattr__(self, name: str) -> StandIn:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        found = StandIn(f"{self.__name__}.{name}")
        setattr(self, name, found)
        return found

    def __call__(self, *given: Any, **named: Any) -> Any:  # noqa: D102 - as a decorator it changes nothing
        decorates = len(given) == 1 and not named and callable(given[0])
        return given[0] if decorates else self

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type, ...]:
        first = next(base for base in bases if isinstance(base, StandIn))
        return (Base,) if self is first else ()

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def _itself(self, *_: object) -> StandIn:
        return self

    def _yes(self, _: object) -> bool:
        return True

    def _no(self, *_: object) -> bool:
        return False

    def _zero(self) -> int:
        return 0

    def _true(self) -> bool:
        return True

    __enter__ = __getitem__ = __or__ = __ror__ = __and__ = __rand__ = __add__ = __radd__ = __sub__ = __rsub__ = _itself
    __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __mod__ = __neg__ = __invert__ = __lshift__ = __rshift__ = _itself
    __lt__ = __le__ = __gt__ = __ge__ = _yes
    __exit__ = __contains__ = __instancecheck__ = __subclasscheck__ = __setitem__ = _no
    __int__ = __len__ = _zero
    __bool__ = _true


class Finder:
    """Finds stand-ins, asked after every real finder: for modules whose absence ended an import, and for the platform's."""

    def __init__(self, platform: list[str]) -> None:
        self.platform = platform
        self.names: list[str] = []

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:  # noqa: ARG002 - the protocol's names
        """Say how to load a stand-in, if the module is to have one."""
        make_spec: Any = type(sys.__spec__)
        wanted = name in self.names or name.partition(".")[0] in self.platform
        return make_spec(name, self, is_package=True) if wanted else None

    def create_module(self, spec: Any) -> ModuleType:
        """Make the stand-in."""
        return StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Run nothing."""


class Verifier:
    """Imports modules and notes failures."""

    def __init__(self, folder: str, result: str, platform: list[str]) -> None:
        self.inside = os.path.join(folder, "")  # noqa: PTH118 - pathlib would be one more import to forget
        self.result = result
        self.noted: list[dict[str, str]] = []
        self.finder = Finder(platform)

    def note(self, **event: object) -> None:
        """Add an event to the result."""
        with OPEN(self.result, "a", encoding="utf-8") as file:
            file.write(DUMPS(event) + "\n")

    def load(self, name: str) -> None:
        """Import a module; each time that one is missing in it, put a stand-in there and try again."""
        again = name not in sys.modules
        while again:
            self.note(importing=name)
            try:
                __import__(name)
                again = False
            except BaseException as error:
                again = self.failed(error)

    def failed(self, error: BaseException) -> bool:
        """Note why an import failed; True when it should be tried again."""
        missing = missing_module(error)
        if missing and missing not in self.finder.names and len(self.finder.names) < MOST_STAND_INS:
            self.note(failure=self.failure(error, missing))
            self.finder.names.append(missing)
            self.forget_orphans()
            return True
        known = self.failure(error, missing)
        # Beside a stand-in, what else goes wrong may be its fault; and one error fails every module on the way to it.
        if not self.finder.names and known not in self.noted and not (circular(known) and any(map(circular, self.noted))):
            self.noted.append(known)
            self.note(failure=known)
            self.show(error)
        return False

    def show(self, error: BaseException) -> None:
        """Print the part of an exception's traceback that lies in the folder, with paths as seen from there."""
        inside = [step for step in steps(error) if step.tb_frame.f_code.co_filename.startswith(self.inside)]
        if inside:
            inside[-1].tb_next = None
            error.__traceback__ = inside[0]
        before, sys.stderr = sys.stderr, Text()
        try:
            sys.__excepthook__(type(error), error, error.__traceback__)
            text = "".join(sys.stderr.parts).replace(self.inside, "")
            os.write(2, text.encode("utf-8", "backslashreplace"))
        finally:
            sys.stderr = before

    def failure(self, error: BaseException, missing: str) -> dict[str, Any]:
        """All that can be said about an exception."""
        where, variable = "", ""
        for step in steps(error):
            where = self.relative(step.tb_frame.f_code.co_filename, step.tb_lineno) or where
            variable = asked_of_environment(error, step.tb_frame)
        if isinstance(error, SyntaxError):
            where = self.relative(error.filename or "", error.lineno or 0) or where
        absent = self.relative(str(error.filename), 0) if isinstance(error, FileNotFoundError) else ""
        module, name = not_in_module(error)
        return {
            "type": type(error).__name__,
            "message": text_of(error).replace(self.inside, ""),
            "missing": missing,
            "where": where,
            "variable": variable,
            "absent": absent[: -len(":0")],
            "distribution": missing_metadata(error),
            "module": module,
            "name": name,
            "names": names_in(module),
            "unloadable": self.unloadable(error),
            "foreign": self.foreign(missing or f"{module}.{name}") if missing or name else "",
        }

    def unloadable(self, error: BaseException) -> str:
        """The native module in the folder that the system would not load, if that is what an exception is about."""
        path = str(getattr(error, "path", None) or "")
        return self.relative(path, 0)[: -len(":0")] if type(error) is ImportError and path.endswith(NATIVE) else ""

    def foreign(self, name: str) -> str:
        """A native module in the folder that has the dotted name of a missing one, and that this Python passed over."""
        package, _, leaf = name.rpartition(".")
        for folder in [self.inside] if not package else paths_of(package):
            for file in sorted(listing(folder)):
                if file.startswith(leaf + ".") and file.endswith(NATIVE):
                    return self.relative(os.path.join(folder, file), 0)[: -len(":0")]  # noqa: PTH118
        return ""

    def relative(self, path: str, line: int) -> str:
        """`path:line` as seen from the folder, empty for a path outside."""
        return f"{path[len(self.inside) :]}:{line}".replace(os.sep, "/") if path.startswith(self.inside) else ""

    def forget_orphans(self) -> None:
        """Drop the Python modules of the folder whose package did not get through its own import: they would be half there."""
        for name, module in list(sys.modules.items()):
            parent = name.rpartition(".")[0]
            while parent in sys.modules:
                parent = parent.rpartition(".")[0]
            path = getattr(module, "__file__", None) or ""
            if parent and path.endswith(".py") and path.startswith(self.inside):
                del sys.modules[name]

    def check_handler(self, entry: str, handler: str) -> None:
        """See that the entry module has its handler, and that it can be called."""
        module = sys.modules[entry]
        found: object = module
        path = getattr(module, "__file__", None) or ""
        problem = ""
        for part in handler.split("."):
            problem = problem or ("" if hasattr(found, part) else "missing")
            found = getattr(found, part, None)
        problem = problem or ("none" if found is None else "") or ("" if callable(found) else "not callable")
        if problem:
            own = [name for name in names_in(entry) if getattr(vars(module).get(name), "__module__", "") == entry]
            functions = [name for name in own if callable(vars(module)[name])]
            noted = {"handler": problem, "type": type(found).__name__, "functions": functions}
            self.note(failure={**noted, "where": self.relative(path, 0)[: -len(":0")]})


class Text:
    """A stream that keeps what is written."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def write(self, text: str) -> None:
        """Keep it."""
        self.parts.append(text)

    def flush(self) -> None:
        """Have nothing to do."""


def circular(noted: dict[str, Any]) -> bool:
    """Whether modules failed because they import each other; seen from the next of them, it is the same failure."""
    return "partially initialized module" in noted["message"]


def steps(error: BaseException) -> Iterator[Any]:
    """The traceback of an exception, frame by frame, outermost first."""
    step = error.__traceback__
    while step:
        yield step
        step = step.tb_next


def paths_of(package: str) -> list[str]:
    """The folders of a package; none when it is not loaded or no package."""
    return [str(path) for path in getattr(sys.modules.get(package), "__path__", None) or ()]


def listing(folder: str) -> list[str]:
    """The names in a folder; none where it cannot be read."""
    try:
        return os.listdir(folder)  # noqa: PTH208
    except OSError:
        return []


def names_in(module: str) -> list[str]:
    """The public names that a loaded module has, and its submodules."""
    files = [name for folder in paths_of(module) for name in listing(folder)]
    submodules = [name[:-3] if name.endswith(".py") else name for name in files]
    names = {*map(str, getattr(sys.modules.get(module), "__dict__", ())), *filter(str.isidentifier, submodules)}
    return sorted(name for name in names if not name.startswith("_"))


def asked_of_environment(error: BaseException, frame: Any) -> str:
    """The environment variable that a KeyError from this frame was about."""
    environ = frame.f_globals.get("__name__") == "os" and frame.f_code.co_name == "__getitem__"
    return str(error.args[0]) if environ and type(error) is KeyError else ""


def missing_module(error: BaseException | None) -> str:
    """The dotted name of the module whose absence made an import fail, or an empty string."""
    while isinstance(error, ImportError) and not error.name:  # raised by hand, most often after the real one was caught
        error = error.__cause__ or error.__context__
    if isinstance(error, ModuleNotFoundError):
        return "" if missing_metadata(error) else error.name or ""
    module, name = not_in_module(error)
    package = sys.modules.get(module)
    bare = hasattr(package, "__path__") and getattr(package, "__file__", None) is None
    return f"{module}.{name}" if bare else ""  # a folder without __init__ can only lack a submodule


def not_in_module(error: BaseException | None) -> tuple[str, str]:
    """The module, and the name that an import did not find in it; two empty strings when that was not what went wrong."""
    parts = text_of(error).split("'") if isinstance(error, ImportError) else []
    matches = len(parts) > 3 and parts[0] == "cannot import name " and parts[2] == " from "
    return (parts[3], parts[1]) if matches else ("", "")


def missing_metadata(error: BaseException) -> str:
    """The distribution whose metadata was looked for in vain (`importlib.metadata`, or its backport), or an empty string."""
    return str(error.args[0]) if type(error).__name__ == "PackageNotFoundError" and error.args else ""


def text_of(error: BaseException) -> str:
    """What an exception says, on one line."""
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        return " ".join(text.split())[:1000]
    except BaseException:
        return "(its message cannot be shown)"


def finish() -> None:
    """End the process, whatever threads the imports have started."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:  # noqa: S112 - it may be closed or replaced
            continue
    EXIT(0)


def plainly_compiled() -> list[str]:
    """The compiled files of modules that Python loaded as it always does; none where that was replaced."""
    if how_it_is_compiled() != PLAINLY:
        return []
    specs: list[Any] = [getattr(module, "__spec__", None) for module in list(sys.modules.values())]
    return [spec.cached for spec in specs if type(getattr(spec, "loader", None)) is LOADER and spec.cached]


def main() -> None:
    """Do the job."""
    with OPEN(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    verifier = Verifier(job["folder"], sys.argv[2], job["platform"])
    del sys.argv[1:]
    sys.path.insert(0, job["folder"])
    sys.meta_path.append(verifier.finder)
    for name in set(sys.modules) - AT_START:
        del sys.modules[name]
    for name in job["modules"]:
        verifier.load(name)
    entry = job["modules"][0]
    if job["handler"] and entry in sys.modules and not verifier.finder.names:
        try:
            verifier.check_handler(entry, job["handler"])
        except BaseException as error:  # a module may load its attributes late
            verifier.failed(error)
    verifier.note(compiled=plainly_compiled())
    verifier.note(done=True)
    finish()


if __name__ == "__main__":
    main()
