"""Figures of the customer's own discounts, checked: `discounts.count("welcome", "redeemed", "30d")`."""

from __future__ import annotations

from typing import Final

from adapter.files.problems import did_you_mean
from adapter.rules.expressions import syntax_tree
from adapter.rules.expressions.errors import ExpressionError
from adapter.rules.expressions.past_events import read_window
from adapter.rules.expressions.typed_tree import Kind, Metric

ROOT: Final = "discounts"
#: Every rule, or every status.
ANY: Final = "any"
STATUSES: Final = (ANY, "issued", "applied", "redeemed", "expired", "revoked")
_EXAMPLE = (
    'write `discounts.count("welcome", "redeemed", "30d")`: a rule or "any", a status or "any", a window'
)


def is_own_discounts(tree: syntax_tree.Invocation) -> bool:
    """Tell whether a call of `discounts` is about the customer's own: with texts alone, or nothing.

    A list of the event that is called so is counted with a variable: `discounts.count(d, d.value > 5)`.
    """
    return tree.name == "count" and all(
        isinstance(each, syntax_tree.Scalar) and isinstance(each.value, str) for each in tree.arguments
    )


def check_discounts(tree: syntax_tree.Invocation) -> tuple[Metric, Kind]:
    """Return the metric of a call and its kind; raises ExpressionError."""
    texts = [str(each.value) for each in tree.arguments if isinstance(each, syntax_tree.Scalar)]
    if len(texts) > 3:
        raise ExpressionError(f"`discounts.count` takes 3 texts, not {len(texts)}", _EXAMPLE, tree.offset)
    rule, status, window = [*texts, *(None, None, None)][:3]
    if status is not None and status not in STATUSES:
        at = syntax_tree.start(tree.arguments[1])
        raise ExpressionError(f"`{status}` is no status of a discount", did_you_mean(status, STATUSES), at)
    span = None if window is None else read_window(window, syntax_tree.start(tree.arguments[2]))
    metric = Metric(
        "discounts",
        "" if rule in (None, ANY) else str(rule),
        None if status in (None, ANY) else status,
        span,
    )
    return metric, "number"
