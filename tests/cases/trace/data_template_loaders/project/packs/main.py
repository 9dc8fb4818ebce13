from flask import Blueprint, Flask
from jinja2 import Environment, PackageLoader

import site_app

usual = Environment(loader=PackageLoader("app"))
named = PackageLoader("app", "views")
page = Blueprint("page", __name__, template_folder="pages")
