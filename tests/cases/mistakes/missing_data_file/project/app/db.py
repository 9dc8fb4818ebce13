import pathlib
import sys


def folder():
    return pathlib.Path(sys.modules["app"].__path__[0])


QUERY = (folder() / "query.sql").read_text()
