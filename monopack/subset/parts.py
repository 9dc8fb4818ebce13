"""What both formats say of one distribution."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from monopack.errors import LockError
from monopack.model import Part


def hashes(part: Part) -> list[str]:
    """The digests (`sha256:hex`) that the file of a distribution may have: its wheel's, or, where that was built here, those in
    the lock, among which is the sdist's.

    Raises `LockError` for a wheel that was built from an sdist without a hash: nothing says which one that was.
    """
    distribution = part.shipped.distribution
    if not part.origin.built:
        return [f"sha256:{distribution.sha256}"]
    if not part.pin.hashes:
        what = f"{distribution.name}=={distribution.version} was built from an sdist of which the lock has no hash"
        raise LockError(what, where=str(part.pin.evidence), hint="lock with hashes, or pin a version that has a wheel")
    return sorted(part.pin.hashes)


def bare(url: str) -> str:
    """A URL without user, password and fragment; a path as it is."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
