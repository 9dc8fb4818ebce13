"""The manifest of an artifact: everything that went into it, in plain JSON values that depend on nothing else."""

from __future__ import annotations

from monopack import __version__
from monopack.model import Artifact, Lock, Shipped, Target, Tree, value

VERSION = 1


@value()
class Contents:
    """What an artifact holds: the pack's name, the string to deploy with, its Tree, its distributions, and its `compression`."""

    pack: str
    handler: str
    tree: Tree
    shipped: tuple[Shipped, ...]
    compression: str


def manifest(contents: Contents, artifact: Artifact, lock: Lock, target: Target) -> dict[str, object]:
    """The manifest of one artifact.

    Digests are hex sha256, sizes bytes, modes octal; nothing in it names a folder of this machine or a time.
    """
    return {
        "manifest_version": VERSION,
        "monopack": __version__,
        "pack": contents.pack,
        "handler": contents.handler,
        "target": {
            "name": target.name,
            "python": ".".join(target.version.split(".")[:2]),
            "implementation": target.markers["implementation_name"],
            "platform": target.markers["sys_platform"],
            "machine": target.markers["platform_machine"],
        },
        "artifact": {
            "file": f"{contents.pack}.zip",
            "sha256": artifact.sha256,
            "size": artifact.size,
            "compression": contents.compression,
        },
        "content_sha256": contents.tree.digest,
        "unpacked_size": contents.tree.size,
        "lock": {"dialect": lock.dialect, "file": lock.path} if contents.shipped else None,
        "distributions": [
            {
                "name": s.distribution.name,
                "version": s.distribution.version,
                "wheel": s.distribution.wheel,
                "sha256": s.distribution.sha256,
                "because": str(s.because),
            }
            for s in contents.shipped
        ],
        "files": [
            {"path": e.path, "sha256": e.sha256, "size": e.size, "mode": f"{e.mode:04o}", "origin": e.origin}
            for e in contents.tree.entries
        ],
    }
