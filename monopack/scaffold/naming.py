"""Names of packs for handlers: short, each another, and possible."""

from __future__ import annotations

import keyword
from collections.abc import Collection, Iterator, Sequence
from itertools import count

from monopack.model import value

USUAL = frozenset({"lambda_handler", "handler", "main"})  # functions whose names say nothing
VAGUE = frozenset({"app", "function", "handler", "handlers", "index", "lambda_function", "lambda_handler", "main", "src"})


@value()
class Words:
    """What a name is made of, from the left; its last `least` words have to be in it."""

    words: tuple[str, ...]
    least: int


def names(handlers: Sequence[tuple[str, str]], taken: Collection[str], reserved: Collection[str]) -> tuple[str, ...]:
    """A name for the pack of each handler (its module's dotted name, and its function), in their order.

    A name is the end of the module's name, as long as it takes to be another one than those of the other handlers and of the
    packs `taken`. None is `reserved`, and no two differ only in case, or by `_test`, which is what the folder of a pack's tests
    is called.
    """
    wanted = [_words(module, function) for module, function in handlers]
    chosen: list[str] = []
    for number, words in enumerate(wanted):
        others = [other.words for place, other in enumerate(wanted) if place != number]
        chosen.append(_first_free(_candidates(words, others), (*taken, *chosen), reserved))
    return tuple(chosen)


def free(name: str, taken: Collection[str], reserved: Collection[str] = ()) -> str:
    """The name, or one like it, that is neither `taken` nor `reserved`."""
    return _first_free(_alike(name), taken, reserved)


def _words(module: str, function: str) -> Words:
    """`app.users.handler` and `main` give app and users; `app.users` and `get` give app, users and get, the last two at least."""
    parts = module.split(".")
    telling = parts[: next((end for end in range(len(parts), 0, -1) if parts[end - 1] not in VAGUE), 0)]
    own = [] if function in (*USUAL, *telling[-1:]) else [function]
    words = tuple(word.strip("_") for word in (telling + own or parts[:1]) if word.strip("_")) or ("pack",)
    return Words(words=words, least=min(len(words), 1 + len(own)))


def _candidates(wanted: Words, others: Sequence[tuple[str, ...]]) -> Iterator[str]:
    words = wanted.words
    for length in range(wanted.least, len(words) + 1):
        if all(words[-length:] != other[-length:] for other in others):
            yield "_".join(words[-length:])
    yield from _alike("_".join(words))


def _alike(name: str) -> Iterator[str]:
    yield from (name, f"pack_{name}")
    yield from (f"pack_{name}_{number}" for number in count(2))


def _first_free(names: Iterator[str], taken: Collection[str], reserved: Collection[str]) -> str:
    known = {each.casefold() for each in taken}
    return next(name for name in names if _can_be(name, reserved) and not _twins(name.casefold()) & known)


def _can_be(name: str, reserved: Collection[str]) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and name not in reserved


def _twins(name: str) -> set[str]:
    """The names that one cannot be beside."""
    return {name, f"{name}_test", name.removesuffix("_test")}
