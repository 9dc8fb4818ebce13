import os
from os import environ as variables

import app

own = os.environ
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.setdefault")
variables.setdefault("DJANGO_SETTINGS_MODULE", "app.aliased")
os.environ["DJANGO_SETTINGS_MODULE"] = "app.assigned"
os.putenv("DJANGO_SETTINGS_MODULE", "app.put")
own.update({"DJANGO_SETTINGS_MODULE": "app.updated"})
own.update(DJANGO_SETTINGS_MODULE="app.keyword")
os.environ |= {"DJANGO_SETTINGS_MODULE": "app.merged"}
x = os.getenv("app.unnamed", "app.fallback")
y = os.environ.get("app.unnamed", "app.fallen")
z = os.environ.pop("app.unnamed", "app.popped")
os.environ.get("app.unnamed")
os.environ["app.unnamed"]
os.getenv("app.unnamed")
variables.setdefault("app.unnamed", "")
