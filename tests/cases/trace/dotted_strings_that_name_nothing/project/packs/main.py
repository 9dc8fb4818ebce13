"""app.docstring"""
import logging
import os
import re
import sys
import warnings
from typing import cast

import structlog

__all__ = ["app.exported"]
__version__ = "1.2.3"
LOGGER_NAME = "app.logged"
FILE = "app.json"
SINGLE = ["app", "single", "config.csv", "config.prod.json"]
log = logging.getLogger("app.logged")
other = structlog.get_logger("app.logged")
URLS = ["https://app.used", "app.used/x", "www.app.used", "app.used:8080", "app.used ", ".app.used", "app..used", "/app.used"]
FORMATS = ["{app.used}", "%(app.used)s", "app.used %s", "app.used-1"]
LOGGING = {"loggers": {"app.logged": {"handlers": ["h"]}}}
LOGGING["loggers"]["app.logged"] = {}


def run(name: "app.annotation", values) -> "app.annotation":
    """app.docstring"""
    "app.docstring"
    log.info("app.used")
    log.debug("seen %s", "app.used")
    print("app.used")
    warnings.warn("app.used")
    if name == "app.used" or name in ("app.used", "app.other") or "app.used" in sys.modules:
        raise ValueError("app.used")
    sys.modules.get("app.used")
    sys.modules["app.used"].x
    values["app.used"]
    name.startswith("app.used")
    re.compile("app.used")
    os.environ.get("app.used")
    open("app.used")
    task.send_task("app.used")
    cast("app.used", values)
    f"app.used{name}"
    "app.used" + name
    "app.used".split(".")
    x = "app.used" % name
    y = "app.us" + "ed"
