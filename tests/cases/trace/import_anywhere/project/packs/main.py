import app.a, app.b
import os.path

import yaml


class Config:
    import app.in_class as settings

    def method(self):
        import attr
        from app import in_function


async def later():
    from app import in_async


match 1:
    case 1:
        import app.in_match

load = lambda: __import__("app.in_lambda")

with open(os.devnull):
    try:
        if True:
            import app.in_with
    finally:
        from app import (
            in_finally,
        )
