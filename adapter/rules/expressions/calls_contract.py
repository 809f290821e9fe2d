"""What the check of a call needs of the checker around it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from adapter.rules.expressions import syntax_tree
from adapter.rules.expressions.names import Names
from adapter.rules.expressions.typed_tree import Kind, Node


class Checks(Protocol):
    """What the check of a call needs of the checker around it."""

    names: Names
    variables: frozenset[str]

    def check(self, tree: syntax_tree.Syntax) -> tuple[Node, Kind]:
        """Return the node and its kind; raises ExpressionError."""
        ...

    def condition(self, tree: syntax_tree.Syntax) -> Node:
        """Return the node of an expression that must be true or false."""
        ...

    def need(self, node: Node, kind: Kind, wanted: tuple[Kind, ...], tree: syntax_tree.Syntax) -> None:
        """Raise unless the kind is wanted, or known only at run time."""
        ...

    def within(self, variables: Iterable[str]) -> Checks:
        """Return the checker for a macro's inside, which knows these names too."""
        ...
