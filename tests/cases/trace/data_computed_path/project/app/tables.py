import os

HERE = os.path.dirname(__file__)


def read(name):
    return open(os.path.join(HERE, name))
