"""Figures of a customer's past, checked: `history.count("order_completed", "30d")` and its like.

With a name after the texts, what follows looks at each past event, as in CEL's `map`: a condition, and for
sums and the like a value (`past_events`).
"""

from __future__ import annotations

import re
from typing import cast

from adapter.files.problems import did_you_mean
from adapter.rules.expressions import syntax_tree
from adapter.rules.expressions.calls_contract import Checks
from adapter.rules.expressions.durations import parse_window
from adapter.rules.expressions.errors import ExpressionError
from adapter.rules.expressions.names import Names
from adapter.rules.expressions.past_events import check_past_events, is_over_past_events, read_window
from adapter.rules.expressions.sequence_calls import NAME as SEQUENCE
from adapter.rules.expressions.sequence_calls import check_sequence
from adapter.rules.expressions.typed_tree import Kind, Metric, MetricKind
from adapter.rules.expressions.types import WORDS

#: What each figure of history takes, in order; the last one, the window, may be left out.
METRICS: dict[str, tuple[str, ...]] = {
    "count": ("event", "window"),
    **dict.fromkeys(("sum", "avg", "min", "max", "distinct"), ("event", "attribute", "window")),
    **dict.fromkeys(("first", "last", "days_since", "streak"), ("event",)),
}
_CALCULATION = re.compile(r"[*/+()]| - |[<>=!]=?")
#: Kinds of values that a figure passes over, where they are others than all but numbers.
_UNCOUNTED: dict[str, tuple[Kind, ...]] = {"distinct": ("object",)}


def check_figure(checker: Checks, tree: syntax_tree.Invocation, *, including: bool) -> tuple[Metric, Kind]:
    """Return the metric of a call of `history` and its kind; raises ExpressionError.

    `including` says that the event being decided counts too.
    """
    names = checker.names
    if tree.name == SEQUENCE:
        return check_sequence(names, tree, including=including)
    takes = METRICS.get(tree.name)
    if takes is None:
        remedy = did_you_mean(tree.name, (*METRICS, SEQUENCE))
        raise ExpressionError(f"unknown figure `history.{tree.name}`", remedy, tree.offset)
    if is_over_past_events(tree):
        return check_past_events(checker, tree, takes, including=including)
    least = len([word for word in takes if word != "window"])
    texts = [
        part.value
        for part in tree.arguments
        if isinstance(part, syntax_tree.Scalar) and isinstance(part.value, str)
    ]
    if not least <= len(tree.arguments) <= len(takes) or len(texts) != len(tree.arguments):
        shown = {"event": '"order_completed"', "attribute": '"total"', "window": '"30d"'}
        remedy = f"write `history.{tree.name}({', '.join(shown[word] for word in takes)})`"
        if len(texts) > len(takes) and "window" not in takes and parse_window(texts[-1]) is not None:
            counted = f'`history.count("{texts[0]}", "{texts[-1]}") > 0`'
            remedy = f'write `history.{tree.name}("{texts[0]}")`; in a window count: {counted}'
        elif len(texts) < len(tree.arguments) and texts:
            remedy += f', with a condition `history.{tree.name}("{texts[0]}", order, order.total > 50)`'
        raise ExpressionError(
            f"`history.{tree.name}` takes {', '.join(takes)}, in quotes", remedy, tree.offset
        )
    given = dict(zip(takes, texts, strict=False))
    given["event"] = names.spelled.meant(given["event"])
    names.check_event(given["event"], syntax_tree.start(tree.arguments[0]))
    if "attribute" in given:
        _check_is_path(given["attribute"], tree)
        kind = _kind(names, given["event"], given["attribute"], syntax_tree.start(tree.arguments[1]))
        _check_values(names, tree, given, kind)
    window = read_window(given["window"], tree.arguments[-1].offset) if "window" in given else None
    kind_ = cast("MetricKind", tree.name)
    metric = Metric(kind_, given["event"], given.get("attribute"), window, including=including)
    return metric, "timestamp" if tree.name in ("first", "last") else "number"


def _check_is_path(attribute: str, tree: syntax_tree.Invocation) -> None:
    """Raise for a calculation in quotes: the text names one attribute, or one inside lists and objects."""
    if not _CALCULATION.search(attribute):
        return
    remedy = f'write `history.{tree.name}("order_completed", order, order.items.sum(i, i.price * i.qty))`'
    message = f'"{attribute}" is a calculation, and `history.{tree.name}` needs the name of an attribute'
    raise ExpressionError(message, remedy, syntax_tree.start(tree.arguments[1]))


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
    member, _, further = inside.partition(".")
    found = names.member(event, first, member, offset)
    return "any" if further else found


def _check_values(names: Names, tree: syntax_tree.Invocation, given: dict[str, str], kind: Kind) -> None:
    """Raise where no value of the kind would ever count: a sum of them is 0, whatever happens."""
    if kind not in _UNCOUNTED.get(tree.name, ("text", "boolean", "object")):
        return
    event, attribute = given["event"], given["attribute"]
    each = "an element of " if names.by_event[event].get(attribute) == "list" else ""
    declare = f", or declare it as a number in {names.where}" if names.where else ""
    remedy = f"`distinct` counts its values{declare}"
    if kind == "object":
        remedy = f'name a field of it, such as "{attribute}.quantity"'
    needed = "text, numbers or true and false are needed" if tree.name == "distinct" else "numbers are needed"
    message = f"{each}`{attribute}` of `{event}` is {WORDS[kind]}, and {needed} for `{tree.name}`"
    raise ExpressionError(message, remedy, syntax_tree.start(tree.arguments[1]))
