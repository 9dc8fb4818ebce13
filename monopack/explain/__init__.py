"""The room that explains: why a name is in a pack or why not, and all that tracing and resolving found for it.

`chains` follow evidence back to the entrypoint, `names` say what a name means in a pack, `absent` why it is not there,
`inventory` sorts imports and draws the graph. All of it only thinks: source lines are put in at the end, by `with_lines`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from monopack.explain.absent import reasons
from monopack.explain.inventory import graph, inventory
from monopack.explain.known import Known
from monopack.explain.names import chains, nearest
from monopack.model import Evidence, Explanation, Link

__all__ = ["Known", "graph", "inventory", "places", "why", "with_lines"]


def why(name: str, known: Known, likely: Sequence[str] = ()) -> Explanation:
    """Why a name is in a pack, or why not.

    `name` is a dotted module, a path (in the project, or as it ships), an import name or a distribution in any spelling;
    `likely` are canonical names of distributions that an import of it may be meant for.
    """
    found = chains(name, known)
    if found:
        return Explanation(pack=known.pack, name=name, chains=found)
    because = reasons(name, known, likely)
    return Explanation(pack=known.pack, name=name, chains=(), reasons=because, nearest=nearest(name, known))


def places(explained: Explanation) -> Iterator[Evidence]:
    """Every place whose line an explanation would show."""
    for chain in explained.chains:
        yield from (link.evidence for link in (*chain.links, *chain.also))
    for reason in explained.reasons:
        yield from (link.evidence for link in reason.places)


def with_lines(explained: Explanation, lines: Mapping[Evidence, str]) -> Explanation:
    """An explanation that shows the lines at its places, where they are known."""

    def shown(links: tuple[Link, ...]) -> tuple[Link, ...]:
        return tuple(replace(link, text=lines.get(link.evidence, link.text)) for link in links)

    return replace(
        explained,
        chains=tuple(replace(chain, links=shown(chain.links), also=shown(chain.also)) for chain in explained.chains),
        reasons=tuple(replace(reason, places=shown(reason.places)) for reason in explained.reasons),
    )
