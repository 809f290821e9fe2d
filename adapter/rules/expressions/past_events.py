"""Figures that look at each past event: `history.count("order_completed", "30d", order, order.total >= 50)`.

The condition and the value see the past event alone. One part of the condition may compare a value of it with
one of the event being decided: `search.destination == destination`. So what is kept of a customer is known
when the files are checked, and does not grow with the past.
"""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from msgspec import Struct

from adapter.rules.expressions import syntax_tree
from adapter.rules.expressions.calls_contract import Checks
from adapter.rules.expressions.dependencies import attributes_read, reads
from adapter.rules.expressions.durations import parse_window
from adapter.rules.expressions.errors import ExpressionError
from adapter.rules.expressions.explain_elements import of_element
from adapter.rules.expressions.typed_tree import PAST, All, Compare, Kind, Metric, MetricKind, Node
from adapter.rules.expressions.unparse import text

#: Figures that are taken of a value, which the last argument gives.
_OF_VALUES = frozenset(("sum", "avg", "min", "max", "distinct"))
_NO_FILTER = frozenset(("streak",))


class _Chosen(Struct, frozen=True):
    """A condition over past events, taken apart."""

    where: Node | None = None
    by: Node | None = None
    equals: Node | None = None


def is_over_past_events(tree: syntax_tree.Invocation) -> bool:
    """Return whether a call gives past events a name: a word after the texts, and something that follows."""
    named = [at for at, part in enumerate(tree.arguments) if isinstance(part, syntax_tree.Name)]
    return bool(named) and 0 < named[0] < len(tree.arguments) - 1


def check_past_events(
    checker: Checks, tree: syntax_tree.Invocation, takes: tuple[str, ...], *, including: bool
) -> tuple[Metric, Kind]:
    """Return the metric of such a call and its kind; raises ExpressionError."""
    at = next(at for at, part in enumerate(tree.arguments) if isinstance(part, syntax_tree.Name))
    variable = cast("syntax_tree.Name", tree.arguments[at]).name
    event, window = _event_and_window(tree, at, takes)
    event = checker.names.spelled.meant(event)
    checker.names.check_event(event, syntax_tree.start(tree.arguments[0]))
    rest = list(tree.arguments[at + 1 :])
    inside = checker.within((variable,))
    value = None
    if tree.name in _OF_VALUES:
        value = _value(inside, rest.pop(), variable, tree.name)
    if len(rest) > 1 or tree.name in _NO_FILTER:
        raise _shape(tree)
    chosen = _chosen(inside, rest[0], variable) if rest else _Chosen()
    metric = Metric(
        cast("MetricKind", tree.name), event, None, None if window is None else read_window(*window),
        chosen.where, value, chosen.by, chosen.equals, including,
    )  # fmt: skip
    for name in attributes_read(metric):
        checker.names.check_attribute(event, name, tree.arguments[at].offset)
    return metric, "timestamp" if tree.name in ("first", "last") else "number"


def _event_and_window(
    tree: syntax_tree.Invocation, at: int, takes: tuple[str, ...]
) -> tuple[str, tuple[str, int] | None]:
    texts = [
        part.value
        for part in tree.arguments[:at]
        if isinstance(part, syntax_tree.Scalar) and isinstance(part.value, str)
    ]
    if len(texts) != at or at > 1 + ("window" in takes):
        raise _shape(tree)
    return texts[0], (texts[1], tree.arguments[1].offset) if at > 1 else None


def _shape(tree: syntax_tree.Invocation) -> ExpressionError:
    window = '"30d", ' if tree.name in {*_OF_VALUES, "count"} else ""
    then = "order.total" if tree.name in _OF_VALUES else "order.total >= 50"
    remedy = f'write `history.{tree.name}("order_completed", {window}order, {then})`'
    if tree.name in _NO_FILTER:
        remedy = f'write `history.{tree.name}("order_completed")`'
    return ExpressionError(f"`history.{tree.name}` is not called so", remedy, tree.offset)


def _value(inside: Checks, tree: syntax_tree.Syntax, variable: str, figure: str) -> Node:
    node, kind = inside.check(tree)
    wanted: tuple[Kind, ...] = ("number", "list")
    inside.need(node, kind, (*wanted, "text", "boolean") if figure == "distinct" else wanted, tree)
    value = _canonical(node, variable)
    if not _sees_past_alone(value):
        message = f"`{text(node)}` looks at more than the past event `{variable}`"
        raise ExpressionError(message, f"use `{variable}` and constants alone", syntax_tree.start(tree))
    return value


def _chosen(inside: Checks, tree: syntax_tree.Syntax, variable: str) -> _Chosen:
    """Take a condition apart: what looks at the past event alone, and the comparison with the current one."""
    node = _canonical(inside.condition(tree), variable)
    parts = node.parts if isinstance(node, All) else (node,)
    alone = [part for part in parts if _sees_past_alone(part)]
    others = [part for part in parts if not _sees_past_alone(part)]
    compared = [pair for part in others if (pair := _compared(part)) is not None]
    if len(others) > 1 or len(compared) < len(others):
        message = f"what is kept of the past cannot depend on `{text(others[-1])}`"
        remedy = (
            f"look at `{variable}` alone, and compare it with the event once by `==`:"
            f" `{variable}.destination == destination`"
        )
        raise ExpressionError(message, remedy, syntax_tree.start(tree))
    where = None if not alone else alone[0] if len(alone) == 1 else All(tuple(alone))
    return _Chosen(where, *compared[0]) if compared else _Chosen(where)


def _canonical(node: Node, variable: str) -> Node:
    """Return a node in which the past event has one name, so that equal figures are kept once."""
    return of_element(node, variable, PAST)


def _sees_past_alone(node: Node) -> bool:
    found = reads(node)
    return not found.metrics and all(path.root == "element" for path in found.paths)


def _compared(node: Node) -> tuple[Node, Node] | None:
    """Return a value of the past event and the one that it must equal, where that is what a node says."""
    if not isinstance(node, Compare) or node.operator != "==":
        return None
    for past, current in ((node.left, node.right), (node.right, node.left)):
        if _sees_past_alone(past) and reads(past).paths and not _sees_past(current):
            return past, current
    return None


def _sees_past(node: Node) -> bool:
    return any(path.root == "element" for path in reads(node).paths)


def read_window(written: str, offset: int) -> timedelta:
    """Return the window that a text means; raises ExpressionError."""
    window = parse_window(written)
    if window is None:
        raise ExpressionError(
            f"`{written}` is not a window of time", "write it as 30m, 24h, 7d or 2w", offset
        )
    return window
