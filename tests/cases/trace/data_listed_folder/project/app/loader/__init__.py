import os

from jinja2 import FileSystemLoader

loader = FileSystemLoader([os.path.dirname(__file__)])
