import os
from os.path import dirname, join
from pathlib import Path
import pathlib

import app.core
from app import paths
from app.paths import DATA, ROOT as top

HERE = Path(__file__).parent
BARE = pathlib.Path(__file__).resolve().parent.parent
NAME = "constant.txt"
FOLDER = HERE / "folder"
ONE = FOLDER / "one.txt"
WHOLE = BARE / "whole"


def read(name):
    yield open(HERE / "beside.json")
    yield open(HERE / NAME)
    yield (BARE / "app" / "a.json").read_text()
    yield os.path.join(os.path.dirname(os.path.abspath(__file__)), "joined", "x.csv")
    yield join(dirname(dirname(__file__)), "app", "b.json")
    yield dirname(__file__) + "/added.txt"
    yield f"{HERE}/formatted.txt"
    yield Path(__file__).parents[1].joinpath("app", "c.json")
    yield Path(__file__).with_name("named.txt")
    yield Path(__file__).with_suffix(".sql")
    yield str(Path(os.path.realpath(__file__)).parent / "sub" / ".." / "up.txt")
    yield DATA / "shared.json"
    yield os.path.join(paths.ROOT, "top.json")
    yield top / "absent.json"
    yield Path(app.core.__file__).parent / "of_core.txt"
    yield HERE / "worker.py"
    yield f"{HERE} is no path"
    yield HERE / 2 / "number.txt"
    yield Path("cwd.txt")
    if False:
        yield HERE / "dead.txt"


class OwnPath(type(Path())): ...


OWN = OwnPath(__file__).resolve().parent
(OWN / "own_path.txt").read_text()
