"""Views that the tests of the language share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.rules.expressions import EvaluationContext, Metric

See = Callable[..., EvaluationContext]


@pytest.fixture(scope="session")
def see() -> See:
    """A view of attributes, with traits, context and history as given."""
    at = datetime(2026, 11, 21, 15, 7, 31, tzinfo=UTC)

    def make(
        attributes: dict[str, Any] | None = None,
        traits: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        history: Callable[[Metric], Any] = lambda metric: None,
    ) -> EvaluationContext:
        return EvaluationContext(
            attributes or {}, traits or {}, context or {}, "checkout_started", at, at, history
        )

    return make
