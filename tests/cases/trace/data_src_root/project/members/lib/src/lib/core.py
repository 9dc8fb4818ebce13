from importlib.resources import files
from pathlib import Path

HERE = Path(__file__)
of_package = files("lib") / "data" / "x.txt"
beside = HERE.with_name("beside.txt")
up = HERE.parents[1] / "up.txt"
above = HERE.parents[2] / "shared" / "x.json"
top = HERE.parents[4] / "data" / "x.json"
out = HERE.parents[6] / "etc" / "x.json"
absent = HERE.parents[2] / "absent.json"
