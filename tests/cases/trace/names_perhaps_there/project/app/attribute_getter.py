from app.getter import __getattr__
