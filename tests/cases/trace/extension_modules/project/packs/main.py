import app.both
from app import _fast, _plain, package
import app._foreign


def go():
    from app._late import anything
