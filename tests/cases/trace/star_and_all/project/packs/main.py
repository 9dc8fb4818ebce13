from app.kinds import *


def go():
    import app.later
