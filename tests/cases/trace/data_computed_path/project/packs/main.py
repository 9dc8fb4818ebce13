from pathlib import Path

from app import tables

ROOT = Path(__file__).parent.parent


def read(name, extension):
    yield ROOT / "texts" / f"{name}.txt"
    yield ROOT / f"forms/{name}"
    yield ROOT / ("sheets/part-%s.csv" % name)
    yield ROOT / name
    yield ROOT / "nothing" / name
    yield tables.read(name)
