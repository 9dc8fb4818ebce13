from app import core, nothing
from app.core import gone, local, there, typing_only


def go():
    import app.late
