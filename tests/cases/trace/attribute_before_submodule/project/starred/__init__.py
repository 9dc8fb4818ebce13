number = 1
__all__ = ["number", "plain"]
