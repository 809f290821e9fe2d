"""One expression, one answer: for tests and tools."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from adapter.rules.expressions import EvaluationContext, Metric, Names, Test, compile, parse  # noqa: A004

_ANYTHING = Names()


def holds(
    expression: str,
    *,
    attributes: dict[str, Any],
    traits: dict[str, Any],
    context: dict[str, Any],
    now: datetime,
) -> bool:
    """Tell whether an expression is exactly true of an event that happens `now` (aware), without history.

    Any name is allowed in it. Raises ExpressionError when it is not in the language; never on data.
    """
    return _compiled(expression)(EvaluationContext(attributes, traits, context, "", now, now, _no_history))


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> Test:
    return compile(parse(expression, _ANYTHING))


def _no_history(metric: Metric) -> None:
    """A customer without a known past: every figure is missing."""
