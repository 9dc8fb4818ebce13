"""monopack: split a Python monorepo into small, verified artifacts, one for each entrypoint."""

__version__ = "0.1.0"
