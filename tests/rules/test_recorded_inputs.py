"""What a decision is kept with is what its rules read, wherever it stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.rules.engine.inputs import Seen
from adapter.rules.expressions import EvaluationContext, Names, parse, reads, text
from adapter.rules.expressions.values import ABSENT
from adapter.rules.index import Index

NOW = datetime(2026, 11, 21, 15, 7, 31, tzinfo=UTC)
CONDITIONS = [
    parse(written, Names())
    for written in (
        "n >= 1", "attributes.n > 2", "user.n > 2", "context.n > 2", "user.o.x > 1", "o.x == 'a'",
        "has(attributes.n)", "has(user.o.x)", "history.avg('e', 'v') > 0.3", "now > event.occurred_at",
        "'a' in l", "event.name == 'x'", "l.exists(e, e == 'a')", "has(user.n) && user.n == 3",
    )
]  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [0, 1.5, True, None, "a", [], ["a"], {"x": 2}, {"x": "a"}, Decimal("2.5"), float("nan"), NOW, b"raw",
     timedelta(hours=1)]
)  # fmt: skip
OBJECTS = st.fixed_dictionaries({}, optional=dict.fromkeys("nlo", VALUES))
WHOLE = ("attributes", "user", "context", "event")


def plainly(value: Any) -> Any:
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    return (
        value
        if value is None or isinstance(value, str | int | float | list | dict | datetime)
        else str(value)
    )


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=6),
    st.tuples(OBJECTS, OBJECTS, OBJECTS),
    st.sampled_from([None, 2, Fraction(1, 3)]),
)
def test_every_value_that_a_rule_names_or_an_evaluation_asks_for_is_seen_once(
    nodes: list[Any], places: tuple[dict[str, Any], dict[str, Any], dict[str, Any]], figure: Any
) -> None:
    index = Index(nodes)
    view = EvaluationContext(*places, "x", NOW, NOW, lambda metric: figure)
    index.match(view)
    found = Seen(index.reads.paths).of(view)
    asked = dict.fromkeys((*reads(*nodes).paths, *view.values))
    known = {text(key): view.values[key] for key in asked}
    expected = {name: plainly(value) for name, value in known.items() if name not in WHOLE}
    assert found == {name: value for name, value in expected.items() if known[name] is not ABSENT}


def test_the_inputs_of_segments_are_stored_with_those_of_rules() -> None:
    view = EvaluationContext({"n": 3}, {"tier": "gold"}, {}, "x", NOW, NOW, lambda metric: None)
    assert view.values[reads(parse("user.tier == 'gold'", Names())).paths[0]] == "gold"
    assert Seen(reads(parse("n > 2", Names())).paths).of(view) == {"n": 3, "user.tier": "gold"}
