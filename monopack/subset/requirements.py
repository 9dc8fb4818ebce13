"""A subset as a requirements file with hashes (https://pip.pypa.io/en/stable/reference/requirements-file-format/)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monopack.model import Part, Subset
from monopack.subset.parts import bare, hashes


def requirements(subset: Subset) -> list[str]:
    """The lines of the file. Raises `LockError` where a hash is not known."""
    head = [f"# The distributions of the pack {subset.pack} for {subset.target}, written by monopack from {subset.lock.path}"]
    return [*head, *_options(subset), *(line for part in subset.parts for line in _lines(part))]


def _options(subset: Subset) -> Iterator[str]:
    """Where pip looks: a line for each option with its value. Such a file has no way to say which index is whose."""
    searched = [part.pin.index for part in subset.parts if not part.pin.url]
    own = list(dict.fromkeys(bare(index) for index in searched if index))
    if own and all(searched):  # what the lock says of other indexes is for other pins
        yield from (line for line in _lines_of(subset.lock.index_options) if line.startswith("--trusted-host"))
        yield f"--index-url {own.pop(0)}"
    else:
        yield from _lines_of(subset.lock.index_options)
    yield from (f"--extra-index-url {index}" for index in own)


def _lines_of(options: Sequence[str]) -> Iterator[str]:
    """pip's options, a line for each with its value, without credentials."""
    line = ""
    for word in options:
        if word.startswith("-") and line:
            yield line
            line = ""
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        shown = f"{name} {bare(value)}" if equals else bare(word)
        line = f"{line} {shown}".strip()
    if line:
        yield line


def _lines(part: Part) -> Iterator[str]:
    distribution = part.shipped.distribution
    which = f"{distribution.name} @ {bare(part.origin.url)}" if part.pin.url else f"{distribution.name}=={distribution.version}"
    digests = [f"    --hash={digest}" for digest in hashes(part)]
    yield from (f"{line} \\" for line in (which, *digests[:-1]))
    yield digests[-1]
    yield f"    # {part.shipped.because}"
