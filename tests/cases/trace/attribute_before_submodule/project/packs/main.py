from app import function, late, number, plain
from taken import number
from asked import number
from starred import *


def go():
    import asked.number
