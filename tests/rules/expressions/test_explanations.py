"""Compiled explanations say what a walk over the tree says (walked.py)."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.rules.expressions import Metric, Names, Node, Not, compile_misses, compile_truth, misses, parse
from adapter.rules.expressions.unparse import show
from tests.rules.expressions import walked
from tests.rules.expressions.conditions import Generator
from tests.rules.expressions.conftest import See

pytestmark = pytest.mark.slow

Values = dict[str, Any]
NUMBERS = st.sampled_from([0, 1, 2.5, 12, -3, 96.5, 0.1, 1e300, 10**90, float("nan"), float("inf")])
TEXTS = st.sampled_from(
    ["a", "US", "", 'q"q', "b\\s", "line\nend", "πέντε", "x" * 100, "2026-03-29T11:00:00Z"]
)
SCALARS: st.SearchStrategy[Any] = NUMBERS | TEXTS | st.booleans() | st.none()
LISTS = st.lists(SCALARS | st.fixed_dictionaries({}, optional={"n": NUMBERS, "s": TEXTS}), max_size=9)
VALUES = SCALARS | LISTS | st.just({"n6": 1})
FIELDS: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(
    [*(f"{letter}{number}" for letter in "nsblt" for number in range(1, 7)), "items"], VALUES
)
OBJECTS = st.fixed_dictionaries({}, optional=FIELDS)
TRAITS = st.fixed_dictionaries({}, optional=FIELDS | {"deep": OBJECTS})
FIGURES = st.sampled_from([None, 0, 3, Fraction(100, 3), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)])
PARTS = [
    "n1 >= 3", "n2 in [1, 2.5]", "s1 == 'US'", "s2 in ['a', 'b', 1]", "b1", "'a' in l1", "n1 == null",
    "has(attributes.n3)", "has(user.deep.n6)", "l2.exists(e, e == 'a')", "n1 + n2 > 3",
    "b1 ? n1 > 2 : s1 == 'a'",
    "s1 < 'b'", "history.count('e', '7d') >= 2", "history.avg('e', 'v') > 0.3", "vip", "true", "size(l3) > 1",
    "event.name == 'x'", "now > timestamp('2027-01-01T00:00:00Z')", "n1 != 0", "s1 in []",
    "timestamp(s5) < now", "double(s5 + s6) > 1 || b3", "l2.exists(e, double(e) > 1)",
    "l1.all(e, e.n > 1 && n1 > 0)", "items.exists(i, i.s == s1 || has(i.n))", "l3.exists_one(e, e == 'a')",
    "size(l2.filter(e, e.n > n2)) == 1", "b1 || l2.map(e, e.n > 1, e.n) == [2.5]", "l4.all(e, e.s in ['a'])",
]  # fmt: skip
NAMES = Names(definitions={"vip": parse("n4 > 12 || (b2 && s4 != 'a')", Names())})


@st.composite
def conditions(draw: st.DrawFn) -> Node:
    """A condition of the generator, or one that joins some of the parts above."""
    if draw(st.booleans()):
        return parse(Generator(random.Random(draw(st.integers(0, 10**9)))).condition(2).ours, NAMES)
    chosen = draw(st.lists(st.sampled_from(PARTS), min_size=1, max_size=5))
    inner = draw(st.sampled_from([" && ", " || "])).join(f"({part})" for part in chosen)
    other = draw(st.sampled_from(PARTS))
    shape = draw(
        st.sampled_from(["{0}", "!({0})", "({0}) && ({1})", "({0}) || ({1})", "!({0}) || vip && ({1})"])
    )
    return parse(shape.format(inner, other), NAMES)


@settings(max_examples=400, deadline=None)
@given(conditions(), OBJECTS, TRAITS, OBJECTS, FIGURES)
def test_a_compiled_explanation_equals_a_walk_over_the_tree(
    see: See,
    node: Node,
    attributes: dict[str, Any],
    traits: dict[str, Any],
    context: dict[str, Any],
    figure: Any,
) -> None:
    def figures(metric: Metric) -> Any:
        return figure

    for one, want in ((node, True), (node, False), (Not(node), True)):
        walking, running = (see(attributes, traits, context, figures) for _ in range(2))
        expected = walked.explained(one, walking, want=want)
        assert compile_misses(one, want=want)(running) == expected
        assert bool(expected) is not compile_truth(one, want)(walking)
        assert set(running.values) == set(walking.values)  # and reads what it reads: decisions keep that


def test_a_compiled_explanation_serves_one_event_after_another(see: See) -> None:
    explained = compile_misses(parse("n1 >= 3 && s1 == 'US'", Names()))
    assert explained(see({"n1": 2, "s1": "US"})) == ["n1 is 2, needs at least 3"]
    assert explained(see({"n1": 3, "s1": "DE"})) == ['s1 is "DE", needs "US"']
    assert misses(parse("n1 >= 3", Names()), see({})) == ["n1 is missing"]


@given(
    VALUES | FIGURES | st.timedeltas(timedelta(0), timedelta(days=99)) | st.text(max_size=99) | st.floats()
)
def test_a_value_is_shown_as_ever(value: Any) -> None:
    assert show(value) == walked.show(value)


@pytest.mark.parametrize(
    ("value", "shown"), [(True, "true"), (None, "null"), (12.5, "12.50"), (0.125, "0.125")]
)
def test_a_value_is_shown_as_a_marketer_reads_it(value: Any, shown: str) -> None:
    assert show(value) == shown
