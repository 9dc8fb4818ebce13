import importlib.resources
import importlib.resources as res
import pkgutil
from importlib import resources
from importlib.resources import as_file, files, read_text

import pkg_resources

import app
import app.sub
from app import bare


def read(name):
    yield (resources.files("app") / "a" / "b.json").read_text()
    yield importlib.resources.files(app.sub).joinpath("c.json", name)
    yield files(app).joinpath("d", "e.json")
    yield files(__package__) / "own.json"
    yield files("app.bare").joinpath("f.json")
    yield read_text("app", "g.txt")
    yield res.open_binary(app, "h.bin")
    yield res.path(package="app", resource="i.txt")
    yield res.is_resource("app.sub", "j.txt")
    yield res.contents("app.listed")
    yield pkgutil.get_data("app", "deep/k.txt")
    yield pkgutil.get_data(__name__, "l.txt")
    yield pkg_resources.resource_filename("app", "m.txt")
    yield files("elsewhere") / "n.txt"
    yield files("app")
    with as_file(files("app") / "o.txt") as path:
        yield path
