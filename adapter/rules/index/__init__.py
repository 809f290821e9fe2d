"""Which of many conditions hold of one event, at a cost that hardly grows with their number."""

from __future__ import annotations

from collections.abc import Sequence

from adapter.rules.expressions import Node, Reads, reads
from adapter.rules.index.codegen import Match, compiled
from adapter.rules.index.fallback import first, ranked
from adapter.rules.index.order import arranged
from adapter.rules.index.plan import Plan

__all__ = ["Index", "first", "ranked"]


class Index:
    """Many conditions as one; bit i of a match is `nodes[order[i]]`, and bit 0 is the most important.

    `match(view)` returns the bits of the conditions that are exactly true; it never raises. `reads` are the
    values that the conditions name. `nodes` come most important first; those of equal `ranks` are equally
    important, and the index puts them in the order that it is quickest in. Without ranks no two are equal.
    """

    match: Match
    reads: Reads
    order: Sequence[int]

    def __init__(self, nodes: Sequence[Node], ranks: Sequence[int] | None = None) -> None:
        self.reads = reads(*nodes)
        plan = Plan(nodes)
        self.order = range(len(nodes)) if ranks is None else arranged(plan, ranks)
        if self.order != range(len(nodes)):
            plan = plan.reordered(self.order)
        self.match = compiled(plan)
