"""Which values a condition reads."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from adapter.rules.expressions.typed_tree import PAST, Constant, Has, Metric, Node, Path


class Reads(Struct, frozen=True):
    """The paths and metrics that a condition reads, in the order it names them."""

    paths: tuple[Path, ...]
    metrics: tuple[Metric, ...]


def reads(*nodes: Node) -> Reads:
    """Return what conditions read, definitions included."""
    leaves: dict[Node, None] = {}
    for node in nodes:
        _gather(node, leaves)
    paths = tuple(leaf for leaf in leaves if isinstance(leaf, Path))
    return Reads(paths, tuple(leaf for leaf in leaves if isinstance(leaf, Metric)))


def _gather(node: Node, leaves: dict[Node, None]) -> None:
    if isinstance(node, Metric) and node.equals is not None:
        _gather(node.equals, leaves)
    if isinstance(node, Path | Metric):
        leaves[node] = None
    elif isinstance(node, Has) and isinstance(node.operand, Path):
        leaves[Path(node.operand.root, (*node.operand.fields, node.field))] = None
    elif not isinstance(node, Constant):
        for child in children(node):
            _gather(child, leaves)


def attributes_read(metric: Metric) -> tuple[str, ...]:
    """Return which attributes of past events a metric looks at; paths as they are written."""
    if metric.attribute is not None:
        return (metric.attribute,)
    inside = [node for node in (metric.where, metric.value, metric.by) if node is not None]
    found = (path.fields for path in reads(*inside).paths if path.root == "element")
    return tuple(dict.fromkeys(fields[1] for fields in found if fields[0] == PAST and len(fields) > 1))


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
    """Return the depth of nested nodes, definitions included."""
    return 1 + max(map(depth, children(node)), default=0)
