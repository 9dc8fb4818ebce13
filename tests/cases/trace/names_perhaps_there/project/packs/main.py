import app.changed
from app import data, excluded
from app.attribute_getter import any_name
from app.bound import *
from app.bound import a, as_name, b, c, caught, d, deleted, e, f, first, g, h, i, j, k, m, made, other, rest, star, walrus
from app.changed import set_from_outside
from app.dynamic import from_globals
from app.getter import anything
from app.listed import promised
from app.module_path import sub
from app.other_stars import perhaps
from app.run import executed
from app.stars import a as starred
from app.told import lazily
from app.told import __version__
