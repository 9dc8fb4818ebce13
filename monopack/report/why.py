"""The window on `monopack why`: an explanation as lines, and as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict

from monopack.model import Chain, Explanation, Link, Reason
from monopack.report import rule_in_words, table

ALSO = 5  # other places that lines show, unless all are asked for
WIDTH = 100  # of a source line


def lines(explained: Explanation, *, in_full: bool = False) -> Iterator[str]:
    """The chains, one step a line; or why there is none. Every other step that leads there is shown `in_full`, else a few."""
    for number, chain in enumerate(explained.chains):
        yield from [""] if number else []
        yield f"{explained.name} is in {explained.pack}: {_subject(chain)}"
        yield from _indented([*map(_row, chain.links), (chain.holder, "")] if chain.links else [])
        if chain.also:
            yield f"{len(chain.also)} other {'step leads' if len(chain.also) == 1 else 'steps lead'} there:"
            most = len(chain.also) if in_full else ALSO
            yield from _indented(map(_row, chain.also[:most]))
            yield from [f"  and {len(chain.also) - most} more: --all shows them"] if len(chain.also) > most else []
    if not explained.chains:
        yield f"{explained.name} is not in {explained.pack}{_unknown(explained)}"
        yield from (line for reason in explained.reasons for line in _reason(reason))
        if explained.nearest:
            yield f"{'the nearest that is' if explained.reasons else 'did you mean'}: {explained.nearest}"


def document(explained: Explanation, code: int) -> dict[str, object]:
    """An explanation as plain values: see docs/reference/json.md. `code` is the exit code."""
    return {
        "command": "why",
        "exit_code": code,
        "pack": explained.pack,
        "name": explained.name,
        "in_pack": bool(explained.chains),
        "chains": [_plain_chain(chain) for chain in explained.chains],
        "reasons": [{**asdict(reason), "places": [_plain(link) for link in reason.places]} for reason in explained.reasons],
        "nearest": explained.nearest,
    }


def _subject(chain: Chain) -> str:
    if not chain.links:
        return f"{chain.holder}, its entrypoint"
    if chain.files > 1:
        return f"{chain.holder} is the nearest of {chain.files} files"
    return f"part of {chain.holder}" if chain.part else chain.holder


def _unknown(explained: Explanation) -> str:
    return "" if explained.reasons else ": neither the project nor its pins have anything of that name"


def _reason(reason: Reason) -> list[str]:
    return [f"  {reason.message}{':' if reason.places else ''}", *_indented(map(_row, reason.places), "    ")]


def _row(link: Link) -> tuple[str, str]:
    """A place and what stands there; imports that may run later say so, and what is no import statement says what it is."""
    text = link.text if len(link.text) <= WIDTH else f"{link.text[:WIDTH]}..."
    marks = [str(link.reach) if link.reach != "eager" else "", rule_in_words(link.rule)]
    shown = ", ".join(filter(None, marks))
    return str(link.evidence), f"{text}  ({shown})" if shown else text


def _indented(rows: Iterable[tuple[str, str]], by: str = "  ") -> list[str]:
    listed = list(rows)
    return [f"{by}{line}" for line in table(listed)] if listed else []


def _plain_chain(chain: Chain) -> dict[str, object]:
    return {**asdict(chain), "links": [_plain(link) for link in chain.links], "also": [_plain(link) for link in chain.also]}


def _plain(link: Link) -> dict[str, object]:
    return {
        "kind": link.kind,
        "file": link.evidence.file,
        "line": link.evidence.line,
        "text": link.text,
        "leads_to": link.leads_to,
        "reach": link.reach,
        "rule": link.rule,
    }
