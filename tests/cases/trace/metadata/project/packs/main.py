import importlib.metadata
import importlib.metadata as md
from importlib.metadata import entry_points, version

import importlib_metadata
import pkg_resources

VERSION = version("Alpha")
NAME = "not.told"


def later():
    md.requires(distribution_name="beta")
    importlib_metadata.files("gamma")
    pkg_resources.get_distribution("delta")
    version(NAME)
    other.version("other")


entry_points(group="a.group")
entry_points().select(group="b.group")
entry_points().get("c.group", ())
entry_points()["d.group"]
list(pkg_resources.iter_entry_points("e.group"))
importlib.metadata.entry_points()
settings.get("f.group")
settings["g.group"]
