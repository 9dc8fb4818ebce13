import os
import os.path as as_name
from os import sep as b

a, (c, *d) = 1, (2, 3)
e: int = 4
if os.environ.get("MORE"):
    f = 5
else:
    g = 6
for h in ():
    pass
with open(os.devnull) as i:
    pass
try:
    pass
except ValueError as caught:
    pass
match os.environ:
    case {"A": first, **rest}:
        pass
    case [m, *star]:
        pass
    case str() as made:
        pass
[walrus := 1 for _ in ()]
deleted = 1
del deleted


def j():
    global k
    k = 7


class other: ...
