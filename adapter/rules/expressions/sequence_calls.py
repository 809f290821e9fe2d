"""Events in order, checked: `history.sequence("products_searched", "product_viewed", "1h")`."""

from __future__ import annotations

from typing import Final

from adapter.rules.expressions import syntax_tree
from adapter.rules.expressions.durations import parse_window
from adapter.rules.expressions.errors import ExpressionError
from adapter.rules.expressions.names import Names
from adapter.rules.expressions.typed_tree import Kind, Metric

NAME: Final = "sequence"
#: Steps of one sequence.
_MOST_STEPS: Final = 10
_REMEDY = 'write `history.sequence("products_searched", "product_viewed", "1h")`'


def check_sequence(names: Names, tree: syntax_tree.Invocation, *, including: bool) -> tuple[Metric, Kind]:
    """Return the metric of a call of `history.sequence`; raises ExpressionError.

    It takes two events or more, in their order, and perhaps a window.
    """
    texts = [
        (part.value, syntax_tree.start(part))
        for part in tree.arguments
        if isinstance(part, syntax_tree.Scalar) and isinstance(part.value, str)
    ]
    if not texts or len(texts) < len(tree.arguments):
        raise ExpressionError("`history.sequence` takes events and a window, in quotes", _REMEDY, tree.offset)
    window = parse_window(texts[-1][0])
    written = texts if window is None else texts[:-1]
    if not 2 <= len(written) <= _MOST_STEPS:
        message = f"`history.sequence` takes 2 to {_MOST_STEPS} events, and has {len(written)}"
        raise ExpressionError(message, _REMEDY, tree.offset)
    steps: list[str] = []
    for name, offset in written:
        if parse_window(name) is not None:
            raise ExpressionError(f"`{name}` is a window, and comes last", _REMEDY, offset)
        steps.append(names.spelled.meant(name))
        names.check_event(steps[-1], offset)
    metric = Metric(NAME, steps[0], window=window, including=including, steps=tuple(steps))
    return metric, "boolean"
