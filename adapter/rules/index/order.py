"""In which order conditions of equal importance are quickest, and what of a mask a layer needs.

Clauses over several values ("any" groups) take a mask of their own, which only the conditions that have one
need. Where these are adjacent that mask is as short as they are few; among many thousands that saves half
of what they cost.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from adapter.rules.index.plan import Plan

#: A mask that is shorter by fewer bits than this saves less time than putting it in its place takes.
_WORTH = 1_500


def arranged(plan: Plan, ranks: Sequence[int]) -> Sequence[int]:
    """Return the order of the conditions: by rank, and among equals those with most layers first.

    Ranks come in their order, so that equal ones are adjacent.
    """
    layers = [0] * plan.width
    for layer in plan.layers:
        for bit in layer:
            layers[bit] += 1
    if not any(layers) or plan.width - sum(map(bool, layers)) < _WORTH:
        return range(plan.width)
    places = [0]
    for one, other in pairwise(ranks):
        places.append(places[-1] + (one != other))
    return sorted(range(plan.width), key=lambda bit: (places[bit], -layers[bit], bit))


def window(layer: Collection[int], width: int) -> tuple[int, int]:
    """Return the bits, from the first to before the second, that a layer's masks are about."""
    start, end = min(layer), max(layer) + 1
    return (start, end) if width - (end - start) >= _WORTH else (0, width)
