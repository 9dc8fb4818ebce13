import importlib
from pathlib import Path

HERE = Path(__file__).parent
QUERY = (HERE / "query.sql").read_text()
LATER = ["app.later"]


def view(name):
    return (HERE / "views" / name).read_text()


def plugin(kind):
    return importlib.import_module(f"app.plugins.{kind}")


def anything(name):
    return importlib.import_module(name)
