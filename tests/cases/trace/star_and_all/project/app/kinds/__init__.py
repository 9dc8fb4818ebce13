import os

__all__: list[str] = ["annotated"]
names = __all__ = ["listed", "function", "nowhere"] + ["summed"]
__all__ += ("added",)
__all__.extend(["extended", *os.environ])
__all__.append("appended")
if os.environ.get("MORE"):
    __all__.append("maybe")
__all__ += ["own"]


def function():
    __all__ = ["hidden"]


class own: ...
