from app import first
import packs.main

other = 1


def later():
    import app.seldom
    import os.path
