from . import sub
from importlib.resources import files

text = files(sub) / "p.txt"
