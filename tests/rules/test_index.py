"""The index says of every condition what the condition itself says."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.rules.engine.inputs import Seen
from adapter.rules.expressions import All, AnyOf, EvaluationContext, Metric, Names, Node, Not, compile, parse  # noqa: A004
from adapter.rules.index import Index, first, ranked

NOW = datetime(2026, 11, 21, 15, 7, 31, tzinfo=UTC)
LEAVES = [
    "n >= 1", "n > 1", "n < 2.5", "n <= 2", "n == 2", "n != 2", "n in [1, 2.5]", "n == 9007199254740993",
    "n > 9007199254740992", "n < 0.3", "n == null", "s == 'a'", "s != 'a'", "s in ['a', 'b']", "s == null",
    "s in []", "s in ['a', 1]", "b", "!b", "s < 'b'", "s.startsWith('a')", "has(attributes.n)",
    "has(user.o.x)", "!has(user.o.x)", "'a' in l", "1 in l", "true in l", "'b' in l", "user.o.x > 1",
    "attributes.s == 'b'", "context.s == 'a'", "n + 1 > 2", "l.exists(e, e == 'a')",
    "history.count('e') >= 2", "history.avg('e', 'v') > 0.3", "history.avg('e', 'v') == 0.3",
    "event.name == 'checkout'", "now > timestamp('2020-01-01T00:00:00Z')", "true", "false", "l == ['a']",
    "b ? n > 1 : s == 'a'",
]  # fmt: skip
PARSED = [parse(text, Names()) for text in LEAVES]
CONDITIONS = st.recursive(
    st.sampled_from(PARSED),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda parts: All(tuple(parts)))
        | st.lists(inner, max_size=4).map(lambda parts: AnyOf(tuple(parts)))
        | inner.map(Not)
    ),
    max_leaves=10,
)
LARGE = [2**53, 2**53 + 1, 2**53 + 2, 10**30, 1e300, float("nan"), float("inf"), float("-inf")]
NUMBERS = st.sampled_from([0, 1, 2, 2.0, 2.5, 3, -1, 0.3, *LARGE])
TEXTS = st.sampled_from(["a", "b", "ab", "z", ""])
ANYTHING: st.SearchStrategy[Any] = st.none() | st.booleans() | NUMBERS | TEXTS | st.just({}) | st.just([])
ELEMENTS = st.lists(TEXTS | NUMBERS | st.booleans() | st.none() | st.just([1]), max_size=4)


def usually(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return strategy | strategy | ANYTHING


FIELDS = {"n": usually(NUMBERS), "s": usually(TEXTS), "b": usually(st.booleans()),
          "l": usually(ELEMENTS | st.just({"a": 1}) | st.just(["a"] * 1001))}  # fmt: skip
OBJECTS = st.fixed_dictionaries({}, optional=FIELDS)
TRAITS = st.fixed_dictionaries(
    {}, optional=FIELDS | {"o": usually(st.fixed_dictionaries({}, optional={"x": NUMBERS}))}
)
FIGURES = st.sampled_from([None, 0, 2, Fraction(3, 10), Fraction(1, 3), Fraction(30000000000000001, 10**17)])


def see(
    attributes: dict[str, Any], traits: dict[str, Any], context: dict[str, Any], figure: Any = None
) -> EvaluationContext:
    return EvaluationContext(attributes, traits, context, "checkout", NOW, NOW, lambda metric: figure)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(CONDITIONS, max_size=12), st.lists(st.tuples(OBJECTS, TRAITS, OBJECTS, FIGURES), max_size=4))
def test_the_index_matches_the_rules_whose_conditions_match(
    nodes: list[Node], seen: list[tuple[Any, ...]]
) -> None:
    index = Index(nodes)
    for parts in seen:
        expected = sum(1 << bit for bit, node in enumerate(nodes) if compile(node)(see(*parts)))
        assert index.match(see(*parts)) == expected


ODD = [
    *(None, True, False, 0, 1, 2, 2.5, 0.3, 2**53 + 1, -(2**53) - 1, 10**30, 1e300, float("nan")),
    *(float("inf"), float("-inf"), Fraction(1, 3), Fraction(3, 10), "a", "b", "", "2", object()),
    *([], ["a"], [1.0, True], {}, {"a": 1}, {"x": 2}, ["a"] * 1001),
]


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:20])
def test_no_value_is_looked_up_as_what_it_is_not(value: Any) -> None:
    pairs = [AnyOf((one, other)) for one, other in zip(PARSED, PARSED[7:], strict=False)]
    nodes: list[Node] = [*PARSED, *map(Not, PARSED), *pairs, *map(Not, pairs)]
    index = Index(nodes)
    for name in "nsblo":
        given = {name: value}
        places: list[tuple[Any, ...]] = [(given, {}, {}), ({}, given, {}), ({}, {}, given, value)]
        for parts in places:
            held = [node for bit, node in enumerate(nodes) if index.match(see(*parts)) >> bit & 1]
            assert held == [node for node in nodes if compile(node)(see(*parts))]


def many(make: Callable[[int], str], count: int) -> tuple[list[Node], Index]:
    nodes = [parse(make(number), Names()) for number in range(count)]
    return nodes, Index(nodes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "value"),
    [
        (lambda number: f"n >= {number}", float),
        (lambda number: f"n > {number}.5 && n < {number + 3}", lambda number: number + 0.75),
        (lambda number: f"s == 'sku{number}'", lambda number: f"sku{number}"),
        (lambda number: f"s != 'sku{number}'", lambda number: f"sku{number}"),
    ],
)
def test_thousands_of_thresholds_and_texts_stay_exact_where_not_every_mask_is_kept(
    make: Callable[[int], str], value: Callable[[int], Any]
) -> None:
    nodes, index = many(make, 6500)
    source = random.Random(3)
    for number in [0, 6499, -1, 7000, *(source.randrange(6500) for _ in range(6))]:
        view = see({"n": value(number), "s": value(number)}, {}, {})
        expected = sum(1 << bit for bit, node in enumerate(nodes) if compile(node)(view))
        assert index.match(view) == expected


def test_each_distinct_predicate_is_evaluated_once_per_event() -> None:
    asked: list[Metric] = []

    def four(metric: Metric) -> int:
        asked.append(metric)
        return 4

    nodes = [parse("cart > 5 && history.count('order', '7d') * 2 > 3", Names())] * 500
    nodes += [
        parse(f"cart > {number} && history.count('order', '7d') > {number}", Names()) for number in range(500)
    ]
    view = EvaluationContext({"cart": 10}, {}, {}, "checkout", NOW, NOW, four)
    assert Index(nodes).match(view).bit_count() == 504
    assert len(asked) == 1


def test_history_is_not_asked_where_nothing_is_left_to_ask_for() -> None:
    index = Index([parse("cart > 5 && history.count('order') > 1", Names())])

    def never(metric: Metric) -> Any:
        raise AssertionError(metric)

    assert index.match(EvaluationContext({"cart": 1}, {}, {}, "checkout", NOW, NOW, never)) == 0


def test_many_distinct_residual_predicates_are_asked_of_survivors_alone() -> None:
    nodes = [parse(f"g == {number % 10} && n + {number} > {number + 1}", Names()) for number in range(300)]
    found = Index(nodes).match(see({"g": 3, "n": 2}, {}, {}))
    assert list(ranked(found)) == list(range(3, 300, 10))


def test_bit_order_is_priority() -> None:
    index = Index([parse(text, Names()) for text in ("n > 5", "n > 3", "n > 1")])
    assert list(ranked(index.match(see({"n": 4}, {}, {})))) == [1, 2]
    assert first(index.match(see({"n": 4}, {}, {}))) == 1
    assert first(1 << 5000 | 1 << 6000) == 5000
    assert first(0) == -1
    assert list(ranked(0)) == []


def test_no_rules_match_nothing() -> None:
    assert Index([]).match(see({"n": 1}, {}, {})) == 0


def test_inputs_read_by_the_index_are_recorded() -> None:
    index = Index([parse("n > 5 && user.o.x == 1", Names()), parse("s == 'a'", Names())])
    view = see({"n": 4}, {"o": {"x": 2}}, {})
    index.match(view)
    assert Seen(index.reads.paths).of(view) == {"n": 4, "user.o.x": 2}


def _crowd() -> list[Node]:
    """2,200 conditions; of those after the first 300 each fiftieth has one any-group or two."""
    one, two = "(n >= {0} || s == 'a' || 'b' in l)", "(n >= {0} || b) && (s == 'b' || 1 in l)"
    texts = [f"n >= {at % 5}" for at in range(2_200)]
    for at in range(300, 2_200, 50):
        texts[at] = f"n < 3 && {(two if at % 100 else one).format(at % 7)}"
    return [parse(text, Names()) for text in texts]


@pytest.mark.parametrize(
    ("ranks", "first_layered"),
    [([0] * 2_200, 0), ([0] * 200 + [1] * 2_000, 200), (list(range(2_200)), 300), (None, 300)],
    ids=["all equal", "two ranks", "none equal", "no ranks"],
)
def test_conditions_change_places_with_their_equals_alone_and_hold_what_they_held(
    ranks: list[int] | None, first_layered: int
) -> None:
    nodes = _crowd()
    index = Index(nodes, ranks)
    assert sorted(index.order) == list(range(2_200))
    if ranks is not None:
        assert [ranks[at] for at in index.order] == ranks
    layered = [bit for bit, at in enumerate(index.order) if at >= 300 and at % 50 == 0]
    assert layered[0] == first_layered
    assert (layered[-1] - layered[0] == 37) is (first_layered < 300)
    for attributes in ({"n": 1, "s": "a"}, {"n": 2, "b": True, "l": [1]}, {"n": 6, "l": ["b"]}, {"s": "b"}):
        view = see(attributes, {}, {})
        expected = {at for at, node in enumerate(nodes) if compile(node)(view)}
        assert {index.order[bit] for bit in ranked(index.match(view))} == expected
