__all__ = ("one",)
