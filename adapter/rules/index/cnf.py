"""A condition as clauses, all of which must hold; a clause holds when one of its leaves does.

The conjunctive normal form of the condition with negation at the leaves (see language/compiler.py for why
that keeps its meaning). Where it would grow too large, a part stays whole as one leaf.
"""

from __future__ import annotations

from itertools import product

from msgspec import Struct

from adapter.rules.expressions.typed_tree import All, AnyOf, Constant, Defined, Node, Not

_MAX_CLAUSES = 16
_MAX_LEAVES = 64


class Leaf(Struct, frozen=True, gc=False):
    """A node that must be exactly `want`."""

    node: Node
    want: bool


Clause = tuple[Leaf, ...]


def clauses(node: Node, *, want: bool = True) -> list[Clause]:
    """Return the clauses that together mean "the node is exactly `want`"."""
    match node:
        case Not(part):
            return clauses(part, want=not want)
        case Defined(_, condition):
            return clauses(condition, want=want)
        case Constant(value):
            return [] if value is want else [()]
        case All(parts) | AnyOf(parts):
            each = [clauses(part, want=want) for part in parts]
            if isinstance(node, All) is want:
                return [clause for found in each for clause in found]
            return _distributed(each) or [(Leaf(node, want),)]
    return [(Leaf(node, want),)]


def _distributed(each: list[list[Clause]]) -> list[Clause] | None:
    count = 1
    for found in each:
        if not found:  # one alternative always holds, and so do all together
            return [(Leaf(Constant(value=True, kind="boolean"), want=True),)]
        count *= len(found)
        if count > _MAX_CLAUSES:
            return None
    joined = [tuple(dict.fromkeys(leaf for clause in choice for leaf in clause)) for choice in product(*each)]
    return None if any(len(clause) > _MAX_LEAVES for clause in joined) else joined
