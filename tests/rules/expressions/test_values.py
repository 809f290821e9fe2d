"""Money, missing data, wrong types, and the order in which names are looked up."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.rules import holds
from adapter.rules.expressions import (
    EvaluationContext,
    ExpressionError,
    Metric,
    Names,
    Not,
    compile,  # noqa: A004
    parse,
    reads,
)
from adapter.rules.expressions import text as text_of
from adapter.rules.expressions.compiler import Test
from tests.rules.expressions.conftest import See

NOW = datetime(2026, 11, 21, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abx"), inner, max_size=3),
    max_leaves=6,
)
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - a time without a zone is what must not get through
STRANGE = [
    *(None, float("nan"), float("inf"), -float("inf"), 10**400, Decimal("NaN"), Decimal("1E+999999")),
    *(NAIVE, object(), {1: 2}, [[[]]], "\ud800", b"x", Fraction(1, 3), {"x": {"x": {}}}),
]
EXPRESSIONS = [
    "x > 1", "!(x > 1)", "x == 1", "x != 1", "x == 'a'", "x != 'a'", "x", "!x", "x == null", "x != null",
    "x in [1]", "x in ['a', 1]", "1 in x", "!('a' in x)", "x.x > 1", "has(x.x)", "!has(x.x)", "x[0] == 1",
    "x + 1 > 0", "x * x > 0", "x / 3 < 1", "x % 2 == 0", "-x < 0", "x + x == x", "x < x", "x == x",
    "x != x", "size(x) > 0", "x.contains('a')", "x.matches('a')", "x.lowerAscii() == 'a'", "double(x) > 0",
    "int(x) > 0", "timestamp(x) < now", "now + duration(x) > now", "x.getHours() == 0",
    "now.getHours(x) >= 0", "x.exists(e, e > 1)", "x.all(e, e.x == 1)", "x.exists_one(e, e == x)",
    "x.map(e, e + 1) == [1]", "x ? x : x", "x.filter(e, e)[0] == 1", "[x, 1][0] == 1", "x ? 1 > 0 : true",
    "x.exists(e, e.exists(f, f == 1))", "x.all(e, x.all(f, f == e))", "x.exists(k, v, k == v)",
    "x.all(k, v, v > 1)", "x.existsOne(k, v, v == 1)", "x.transformList(k, v, v + 1) == [1]",
    "x.transformMap(k, v, v + 1) == {'a': 1}", "{'a': x}.a == 1", "{'a': 1}[x] == 1", "x.sum() > 1",
    "x.min() > 1", "x.max() > 1", "x.sum(e, e.x) > 1", "x.count(e, e > 1) > 0", "x.distinct() == x",
    "x.sort() == x", "x.slice(0, 1) == [1]", "x.slice(0, x) == [1]", "math.greatest(x, 1) == x",
    "math.least(x) < 1", "math.round(x) == x", "math.floor(x) == x", "math.ceil(x) == x",
    "math.abs(x) == x", "string(x) == 'a'", "x.trim() == 'a'", "x.split('a') == ['', '']",
    "'a b'.split(' ', x) == ['a', 'b']", "x.join('-') == 'a'", "['a'].join(x) == 'a'",
    "x.replace('a', 'b') == 'b'", "'aa'.replace('a', 'b', x) == 'ba'", "x.substring(1) == ''",
    "'ab'.substring(x) == 'b'",
]  # fmt: skip


@pytest.fixture(scope="module")
def compiled() -> dict[str, tuple[Test, Test]]:
    """The expressions with their negations."""
    nodes = {text: parse(text, Names()) for text in EXPRESSIONS}
    return {text: (compile(node), compile(Not(node))) for text, node in nodes.items()}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON | st.sampled_from(STRANGE))
def test_no_data_makes_an_expression_raise_or_hold_with_its_negation(
    see: See, compiled: dict[str, tuple[Test, Test]], value: Any
) -> None:
    view = see({"x": value})
    for text, (test, denied) in compiled.items():
        try:
            holds_both = test(view) and denied(view)
        except Exception as error:
            error.add_note(text)
            raise
        assert not holds_both, text


@pytest.mark.parametrize("value", STRANGE, ids=map(str, range(len(STRANGE))))
def test_no_strange_value_does_so_either(
    see: See, compiled: dict[str, tuple[Test, Test]], value: Any
) -> None:
    view = see({"x": value})
    assert [text for text, (test, denied) in compiled.items() if test(view) and denied(view)] == []


def test_without_data_neither_an_expression_nor_its_negation_holds(
    see: See, compiled: dict[str, tuple[Test, Test]]
) -> None:
    view = see({})
    assert [text for text, (test, denied) in compiled.items() if test(view) or denied(view)] == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("Infinity"), True, "5", None])
def test_numbers_that_are_not_finite_do_not_compare(value: Any) -> None:
    for text in (
        "x > 1",
        "x < 1",
        "x >= 1",
        "x <= 1",
        "x == 1",
        "x != 1",
        "!(x > 1)",
        "!(x == 1)",
        "!(x in [1])",
    ):
        assert not holds(text, attributes={"x": value}, traits={}, context={}, now=NOW)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 99))
def test_money_is_added_and_compared_to_the_cent(cents: int, more: int, quantity: int) -> None:
    def asks(text: str) -> bool:
        seen: dict[str, Any] = {"a": cents / 100, "b": Decimal(more) / 100, "n": quantity}
        return holds(text, attributes=seen, traits={}, context={}, now=NOW)

    total = Decimal(cents + more) / 100
    assert asks(f"a + b == {total}")
    assert not asks(f"a + b > {total}")
    assert asks(f"a * n <= {Decimal(cents * quantity) / 100}")
    assert asks(f"a * n >= {Decimal(cents * quantity) / 100}")


@pytest.mark.parametrize(
    ("places", "value"),
    [("atc", 1), ("tc", 2), ("c", 3), ("", None)],
)
def test_a_bare_name_is_the_events_else_the_customers_else_the_contexts(places: str, value: Any) -> None:
    seen: dict[str, Any] = {
        name: {"x": number} if name[0] in places else {}
        for number, name in enumerate(("attributes", "traits", "context"), 1)
    }
    assert holds(f"x == {value or 0}", **seen, now=NOW) is (value is not None)
    assert holds("user.x == 2 && traits.x == 2", **seen, now=NOW) is ("t" in places)
    assert holds("context.x == 3", **seen, now=NOW) is ("c" in places)


def test_null_in_the_event_is_there_and_hides_the_trait() -> None:
    assert not holds("x == 2", attributes={"x": None}, traits={"x": 2}, context={}, now=NOW)


def test_the_event_and_the_time_have_names(see: See) -> None:
    text = 'event.name == "checkout_started" && event.occurred_at <= now && now.getFullYear() == 2026'
    assert compile(parse(text, Names()))(see())


def test_a_definition_is_replaced_by_its_condition(see: See) -> None:
    none: frozenset[str] = frozenset()
    names = Names(
        attributes=frozenset({"x"}), traits=none, context=none, definitions={"big": parse("x > 100", Names())}
    )
    assert compile(parse("big && !(big == false)", names))(see({"x": 101}))
    assert not compile(parse("!big", names))(see({}))
    with pytest.raises(ExpressionError, match="unknown name `bgi`"):
        parse("bgi", names)


def figures(view: EvaluationContext) -> dict[str, Any]:
    """Return by name what was read."""
    return {text_of(key): value for key, value in view.values.items()}


def test_history_is_asked_once_for_each_figure(see: See) -> None:
    asked: list[Metric] = []

    def three(metric: Metric) -> int:
        asked.append(metric)
        return 3

    view = see(history=three)
    text = (
        'history.count("order", "7d") > 1 && history.count("order", "7d") < 5 && history.count("order") == 3'
    )
    assert compile(parse(text, Names()))(view)
    assert len(asked) == 2
    assert figures(view) == {'history.count("order", "7d")': 3, 'history.count("order")': 3}


def test_figures_may_be_fractions_and_compare_exactly(see: See) -> None:
    view = see(history=lambda metric: Fraction(3, 10))
    assert compile(parse('history.avg("order", "total") == 0.3', Names()))(view)
    third = see(history=lambda metric: Fraction(1, 3))
    assert compile(parse('history.avg("order", "total") * 3 == 1', Names()))(third)
    assert figures(third) == {'history.avg("order", "total")': Fraction(1, 3)}


def test_the_names_that_a_rule_reads_are_known_after_compiling() -> None:
    names = Names(definitions={"vip": parse("user.spent > 3", Names())})
    found = reads(parse('vip && has(context.a) && i.exists(e, e.x > n) && history.count("order") > 1', names))
    assert [path.fields for path in found.paths] == [("spent",), ("a",), ("i",), ("n",)]
    assert [metric.event for metric in found.metrics] == ["order"]


def test_long_arrays_are_refused_rather_than_walked() -> None:
    for text in ("x.exists(e, e == 1)", "1 in x", "!(2 in x)", "size(x.filter(e, e == 1)) > 0"):
        seen: dict[str, Any] = {"traits": {}, "context": {}, "now": NOW}
        assert holds(text, attributes={"x": [1] * 1000}, **seen)
        assert not holds(text, attributes={"x": [1] * 1001}, **seen)


def test_arrays_inside_arrays_are_looked_at_ten_thousand_times_at_most() -> None:
    seen: dict[str, Any] = {"traits": {}, "context": {}, "now": NOW}
    for text in ("x.exists(a, x.exists(b, a == b))", "!x.all(a, x.all(b, c, a == c))"):
        assert holds(text, attributes={"x": list(range(100))}, **seen)
        assert not holds(text, attributes={"x": list(range(101))}, **seen)
    inner = "x.exists(a, x.exists(b, x.exists(c, a == c)))"
    assert holds(inner, attributes={"x": list(range(21))}, **seen)
    assert not holds(inner, attributes={"x": list(range(22))}, **seen)


def test_no_function_makes_a_text_of_more_than_a_million_characters() -> None:
    seen: dict[str, Any] = {"traits": {}, "context": {}, "now": NOW}
    for text in ('size(x.replace("", x)) > 0', "size([x, x].join(x)) > 0"):
        assert holds(text, attributes={"x": "ab"}, **seen)
        assert not holds(text, attributes={"x": "a" * 400_000}, **seen)


@pytest.mark.parametrize(
    ("value", "written"),
    [(5, "5"), (5.0, "5"), (0.1, "0.1"), (1e-7, "0.0000001"), (True, "true"), ("a", "a"), (-2.5, "-2.5")],
)
def test_a_value_is_written_as_short_as_it_is_exact(value: Any, written: str) -> None:
    seen: dict[str, Any] = {"traits": {}, "context": {}, "now": NOW}
    assert holds(f'string(x) == "{written}"', attributes={"x": value}, **seen)


def test_a_pattern_that_explodes_elsewhere_is_matched_in_linear_time() -> None:
    hostile = {"x": "a" * 50_000 + "!"}
    assert not holds('x.matches("^(a+)+$")', attributes=hostile, traits={}, context={}, now=NOW)
