from app import first
import packs.main


def later():
    import app.seldom
    import os.path
