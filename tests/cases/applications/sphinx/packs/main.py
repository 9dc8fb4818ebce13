from pathlib import Path
from tempfile import TemporaryDirectory

from sphinx.cmd.build import main

EXTENSIONS = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]


def run():
    with TemporaryDirectory() as folder:
        source = Path(folder)
        (source / "conf.py").write_text(f"extensions = {EXTENSIONS}\n")
        (source / "index.rst").write_text("Title\n=====\n\n.. automodule:: json\n   :members:\n")
        assert main(["-q", "-b", "html", str(source), str(source / "out")]) == 0
