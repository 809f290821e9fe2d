"""Figures of a customer's past, checked: `history.count("order_completed", "30d")` and its like."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from adapter.files.problems import did_you_mean
from adapter.rules.expressions import syntax_tree
from adapter.rules.expressions.durations import parse_window
from adapter.rules.expressions.errors import ExpressionError
from adapter.rules.expressions.names import Names
from adapter.rules.expressions.typed_tree import Kind, Metric, MetricKind
from adapter.rules.expressions.types import WORDS

#: What each figure of history takes, in order; the last one, the window, may be left out.
METRICS: dict[str, tuple[str, ...]] = {
    "count": ("event", "window"),
    **dict.fromkeys(("sum", "avg", "min", "max", "distinct"), ("event", "attribute", "window")),
    **dict.fromkeys(("first", "last", "days_since"), ("event",)),
}
#: Kinds of values that a figure passes over, where they are others than all but numbers.
_UNCOUNTED: dict[str, tuple[Kind, ...]] = {"distinct": ("object",)}


def check_figure(names: Names, tree: syntax_tree.Invocation) -> tuple[Metric, Kind]:
    """Return the metric of a call of `history` and its kind; raises ExpressionError."""
    takes = METRICS.get(tree.name)
    if takes is None:
        raise ExpressionError(
            f"unknown figure `history.{tree.name}`", did_you_mean(tree.name, METRICS), tree.offset
        )
    least = len([word for word in takes if word != "window"])
    texts = [
        part.value
        for part in tree.arguments
        if isinstance(part, syntax_tree.Scalar) and isinstance(part.value, str)
    ]
    if not least <= len(tree.arguments) <= len(takes) or len(texts) != len(tree.arguments):
        shown = {"event": '"order_completed"', "attribute": '"total"', "window": '"30d"'}
        remedy = f"write `history.{tree.name}({', '.join(shown[word] for word in takes)})`"
        raise ExpressionError(
            f"`history.{tree.name}` takes {', '.join(takes)}, in quotes", remedy, tree.offset
        )
    given = dict(zip(takes, texts, strict=False))
    given["event"] = names.spelled.meant(given["event"])
    names.check_event(given["event"], syntax_tree.start(tree.arguments[0]))
    if "attribute" in given:
        kind = _kind(names, given["event"], given["attribute"], syntax_tree.start(tree.arguments[1]))
        _check_values(names, tree, given, kind)
    window = _window(given["window"], tree.arguments[-1].offset) if "window" in given else None
    metric = Metric(cast("MetricKind", tree.name), given["event"], given.get("attribute"), window)
    return metric, "timestamp" if tree.name in ("first", "last") else "number"


def _kind(names: Names, event: str, attribute: str, offset: int) -> Kind:
    """Return of which kind each value under an attribute is, which may be a path into objects and lists."""
    known = names.by_event.get(event, {})
    first, _, inside = attribute.partition(".")
    if attribute in known or not inside or first not in known:
        names.check_attribute(event, attribute if attribute in known else first, offset)
        return names.each(event, attribute)
    kind = names.each(event, first)
    if kind not in ("object", "any"):
        raise ExpressionError(
            f"`{first}` of `{event}` is {WORDS[kind]} and has no field `{inside}`", f'write "{first}"', offset
        )
    return "any"


def _check_values(names: Names, tree: syntax_tree.Invocation, given: dict[str, str], kind: Kind) -> None:
    """Raise where no value of the kind would ever count: a sum of them is 0, whatever happens."""
    if kind not in _UNCOUNTED.get(tree.name, ("text", "boolean", "object")):
        return
    event, attribute = given["event"], given["attribute"]
    each = "an element of " if names.by_event[event][attribute] == "list" else ""
    declare = f", or declare it as a number in {names.where}" if names.where else ""
    remedy = f"`distinct` counts its values{declare}"
    if kind == "object":
        remedy = f'name a field of it, such as "{attribute}.quantity"'
    needed = "text, numbers or true and false are needed" if tree.name == "distinct" else "numbers are needed"
    message = f"{each}`{attribute}` of `{event}` is {WORDS[kind]}, and {needed} for `{tree.name}`"
    raise ExpressionError(message, remedy, syntax_tree.start(tree.arguments[1]))


def _window(written: str, offset: int) -> timedelta:
    window = parse_window(written)
    if window is None:
        raise ExpressionError(
            f"`{written}` is not a window of time", "write it as 30m, 24h, 7d or 2w", offset
        )
    return window
