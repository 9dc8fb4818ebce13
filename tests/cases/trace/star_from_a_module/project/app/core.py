__all__ = ["sub"]
sub = 1
