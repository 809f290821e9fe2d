"""Which of many conditions hold of one event, at a cost that hardly grows with their number."""

from __future__ import annotations

from collections.abc import Sequence

from adapter.rules.index.matcher import Match, compiled
from adapter.rules.index.plan import Plan
from adapter.rules.index.residue import first, ranked
from adapter.rules.language import Node, Reads, reads

__all__ = ["Index", "first", "ranked"]


class Index:
    """Many conditions as one; bit i of a match is `nodes[i]`, so bit 0 is the most important.

    `match(view)` returns the bits of the conditions that are exactly true; it never raises. `reads` are the
    values that the conditions name.
    """

    match: Match
    reads: Reads

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.reads = reads(*nodes)
        self.match = compiled(Plan(nodes), self.reads.paths)
