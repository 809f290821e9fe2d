"""Which values a condition reads."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from adapter.rules.language.nodes import Has, Metric, Node, Path


class Reads(Struct, frozen=True):
    """The paths and metrics that a condition reads, in the order it names them."""

    paths: tuple[Path, ...]
    metrics: tuple[Metric, ...]


def reads(node: Node) -> Reads:
    """Return what a condition reads, definitions included."""
    leaves = dict.fromkeys(leaf for leaf in _walk(node) if isinstance(leaf, Path | Metric))
    paths = tuple(leaf for leaf in leaves if isinstance(leaf, Path))
    return Reads(paths, tuple(leaf for leaf in leaves if isinstance(leaf, Metric)))


def _walk(node: Node) -> Iterator[Node]:
    if isinstance(node, Has) and isinstance(node.operand, Path):
        yield Path(node.operand.root, (*node.operand.fields, node.field))
        return
    yield node
    for child in children(node):
        yield from _walk(child)


def children(node: Node) -> Iterator[Node]:
    """Return the nodes directly within a node."""
    for name in node.__struct_fields__:
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (one for one in value if isinstance(one, Node))


def weight(node: Node) -> int:
    """Return how many nodes there are, definitions counted each time they are named."""
    return 1 + sum(map(weight, children(node)))


def depth(node: Node) -> int:
    """Return how many nodes stand within one another, definitions included."""
    return 1 + max(map(depth, children(node)), default=0)
