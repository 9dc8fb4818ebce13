import app
from unittest import mock

INSTALLED_APPS = ["app.installed", "django.contrib.auth", *["app.star"]] + ["app.plus"]
PIPELINES = {"app.keyed.Pipeline": 300, "x": "app.held"}
DEFAULT: "app.annotation" = "app.defaulted"
HANDLERS = ("app.handlers:handle", "app.handlers:nothing", "whole:handle", "app.late.Missing")
LOGGING = {"handlers": {"h": {"()": "app.logs.Handler"}}, "loggers": {"app.logger": {"level": "INFO"}}}


def run(task, name="app.parameter"):
    task.run(include=["app.tasks"])
    mock.patch("app.patched.Y")
    return "app.returned"


class OwnLog:
    log_cls = "app.own_log:Logging"


class Settings:
    url = "app.classy.Urls.method"
