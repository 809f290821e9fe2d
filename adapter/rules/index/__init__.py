"""Which of many conditions hold of one event, at a cost that hardly grows with their number."""

from __future__ import annotations

from collections.abc import Sequence

from adapter.rules.language import Node, View, compile  # noqa: A004


class Index:
    """Many conditions as one; bit i of a match is `nodes[i]`, so bit 0 is the most important."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._tests = [compile(node) for node in nodes]

    def match(self, view: View) -> int:
        """Return the bits of the conditions that hold."""
        return sum(1 << bit for bit, test in enumerate(self._tests) if test(view))
