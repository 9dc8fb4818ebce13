"""The window on `monopack deps`: the distributions of a pack as lines, and as plain values."""

from __future__ import annotations

from collections.abc import Iterator

from monopack.model import Part, Subset
from monopack.report import bytes_in_words, table

DIGEST = 12  # hex digits of a digest that lines show


def lines(subset: Subset) -> Iterator[str]:
    """A row for each distribution, and a total."""
    if subset.parts:
        head = ("distribution", "version", "wheel", "unpacked", "tags", "sha256", "why")
        yield from table([head, *map(_row, subset.parts)], numbers=(2, 3))
    wheels, unpacked = sum(part.size for part in subset.parts), sum(map(_unpacked, subset.parts))
    count = f"{len(subset.parts)} distribution{'' if len(subset.parts) == 1 else 's'} for {subset.target}"
    yield f"{count}, {bytes_in_words(wheels)} as wheels, {bytes_in_words(unpacked)} unpacked" if subset.parts else count


def document(subset: Subset) -> dict[str, object]:
    """The distributions as plain values: see docs/reference/json.md."""
    return {
        "command": "deps",
        "exit_code": 0,
        "pack": subset.pack,
        "python": subset.target.markers["python_version"],
        "target": subset.target.name,
        "lock": subset.lock.path,
        "distributions": [_plain(part) for part in subset.parts],
    }


def _row(part: Part) -> tuple[str, ...]:
    distribution = part.shipped.distribution
    return (
        distribution.name, distribution.version, bytes_in_words(part.size), bytes_in_words(_unpacked(part)), _tags(part),
        distribution.sha256[:DIGEST], str(part.shipped.because),
    )  # fmt: skip


def _plain(part: Part) -> dict[str, object]:
    distribution = part.shipped.distribution
    return {
        "name": distribution.name,
        "version": distribution.version,
        "wheel": distribution.wheel,
        "tags": _tags(part),
        "sha256": distribution.sha256,
        "size": part.size,
        "unpacked": _unpacked(part),
        "built": part.origin.built,
        "because": str(part.shipped.because),
        "required_by": [because.required_by for because in part.shipped.required_by],
    }


def _tags(part: Part) -> str:
    """The tags in the wheel's name: `cp311-cp311-manylinux_2_17_x86_64`."""
    return "-".join(part.shipped.distribution.wheel.removesuffix(".whl").split("-")[-3:])


def _unpacked(part: Part) -> int:
    """The bytes of everything in it that is installed."""
    return sum(member.size for member in part.shipped.distribution.members)
