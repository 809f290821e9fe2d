"""Figures that look at each past event equal a slow model that keeps every event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.customers import Customer
from adapter.model.events import Event, User
from adapter.rules.engine.evaluate import view_of
from adapter.rules.expressions import (
    ExpressionError,
    Metric,
    Names,
    compile_misses,
    parse,
    parse_value,
    reads,
    text,
)
from adapter.rules.expressions.compiler import compile_value
from adapter.rules.expressions.values import ABSENT
from adapter.rules.history.derived import MOST_KEYS
from adapter.rules.history.history import History, fold, lookup
from adapter.rules.history.reading_again import backfill, recount
from adapter.rules.history.requirements import Metrics

NOW = datetime(2026, 11, 21, 15, 7, 31, tzinfo=UTC)
DAY = timedelta(days=1)
Chosen = Callable[[dict[str, Any]], bool]


def order(age: timedelta, **attributes: Any) -> Event:
    return Event("e", "order", NOW - age, User(), attributes, {})


CURRENT = order(timedelta(0), city="Oslo", total=5)


def is_large(attributes: dict[str, Any]) -> bool:
    return _number(attributes) and attributes["total"] >= 50


def is_here(attributes: dict[str, Any]) -> bool:
    return attributes.get("city") == "Oslo"


def is_large_here(attributes: dict[str, Any]) -> bool:
    return is_here(attributes) and is_large(attributes)


def is_tagged(attributes: dict[str, Any]) -> bool:
    return "a" in attributes.get("tags", ())


def anything(attributes: dict[str, Any]) -> bool:
    del attributes
    return True


def _number(attributes: dict[str, Any]) -> bool:
    return isinstance(attributes.get("total"), int)


#: An expression, which events it counts, whether the current one too, and how many days it reaches back.
COUNTS: list[tuple[str, Chosen, bool, int | None]] = [
    ('history.count("order", o, o.total >= 50)', is_large, False, None),
    ('history.count("order", "30d", o, o.total >= 50)', is_large, False, 30),
    ('history.count("order", "7d", o, o.city == city)', is_here, False, 7),
    ('history.count("order", o, city == o.city && o.total >= 50)', is_large_here, False, None),
    ('history_with_event.count("order", o, o.city == city)', is_here, True, None),
    ('history_with_event.count("order", "30d")', anything, True, 30),
    ('history.count("order", o, o.tags.exists(t, t == "a"))', is_tagged, False, None),
]
SUMS: list[tuple[str, Chosen]] = [
    ('history.sum("order", o, o.total)', _number),
    ('history.sum("order", o, o.city == city, o.total)', lambda a: is_here(a) and _number(a)),
    ('history.sum("order", o, o.total >= 50, o.total)', is_large),
]
events_ = st.builds(
    lambda age, rest: order(timedelta(hours=age), **rest),
    st.integers(0, 24 * 60),
    st.fixed_dictionaries(
        {},
        optional={
            "total": st.integers(0, 100) | st.sampled_from(["x", None]),
            "city": st.sampled_from(["Oslo", "Rome", "Bern", 7, None]),
            "tags": st.lists(st.sampled_from("ab"), max_size=2),
        },
    ),
)
streams = st.lists(events_, max_size=25)


def asked(expression: str) -> Metric:
    return reads(parse_value(expression, Names(), ("any", "number"))).metrics[0]


METRICS = Metrics(map(asked, [*(count[0] for count in COUNTS), *(total[0] for total in SUMS)]))


def folded(events: list[Event], metrics: Metrics = METRICS) -> History:
    history = History()
    for event in events:
        fold(history, event, metrics)
    return History.decode(history.encode())


def figure(expression: str, history: History, metrics: Metrics = METRICS) -> Any:
    value = compile_value(parse_value(expression, Names(), ("any", "number", "timestamp")))
    return value(view_of(CURRENT, Customer("u"), history, NOW, metrics))


def check(history: History, events: list[Event]) -> None:
    for expression, chosen, including, days in COUNTS:
        seen = [*events, CURRENT] if including else events
        since = NOW - timedelta(days=days or 10_000)
        if days is not None and days > 8:
            since = since.replace(hour=0, minute=0, second=0)
        elif days is not None:
            since = since.replace(minute=0, second=0)
        expected = sum(1 for each in seen if each.occurred_at >= since and chosen(each.attributes))
        assert figure(expression, history) == expected, expression
    for expression, chosen in SUMS:
        values = [each.attributes["total"] for each in events if chosen(each.attributes)]
        assert figure(expression, history) == sum(values), expression


@given(events=streams)
def test_a_figure_over_chosen_events_equals_the_slow_model(events: list[Event]) -> None:
    check(folded(events), events)


@given(events=streams, cut=st.integers(0, 25))
def test_two_customers_who_are_merged_have_the_figures_of_all_their_events(
    events: list[Event], cut: int
) -> None:
    merged = folded(events[:cut]).merge(folded(events[cut:]))
    assert not merged.lacks(METRICS)
    check(merged, events)


@given(events=streams, cut=st.integers(0, 25))
def test_a_rule_that_is_added_later_has_the_figures_of_stored_events(events: list[Event], cut: int) -> None:
    before = Metrics([Metric("count", "order")])
    history = folded(events[:cut], before)
    assert history.lacks(METRICS) is bool(events[:cut])
    backfill(history, events[:cut], METRICS)
    assert not history.lacks(METRICS)
    for event in events[cut:]:
        fold(history, event, METRICS)
    check(history, events)


@given(events=streams, lost=streams)
def test_events_that_turn_out_to_be_anothers_are_taken_out(events: list[Event], lost: list[Event]) -> None:
    history = folded([*events, *lost])
    recount(history, events, lost, METRICS)
    check(history, events)


def test_a_book_that_does_not_read_a_figure_drops_it_and_the_next_one_completes_it() -> None:
    events = [order(DAY, total=60), order(2 * DAY, total=70)]
    history = folded(events[:1])
    fold(history, events[1], Metrics([Metric("count", "order")]))
    assert history.lacks(METRICS)
    backfill(history, events, METRICS)
    check(history, events)


def test_what_a_program_without_such_figures_has_stored_is_lacking() -> None:
    fields = msgspec.msgpack.decode(folded([order(DAY, total=60)]).encode())
    stored = msgspec.msgpack.encode(fields[: list(History.__struct_fields__).index("derived")])
    assert History.decode(stored).lacks(METRICS)


def test_a_longer_window_than_was_kept_is_lacking() -> None:
    def metrics(window: str) -> Metrics:
        return Metrics([asked(f'history.count("order", "{window}", o, o.total > 1)')])

    history = folded([order(DAY, total=60)], metrics("30d"))
    assert not history.lacks(metrics("30d"))
    assert not history.lacks(metrics("20d"))
    assert history.lacks(metrics("60d"))


def test_of_many_compared_values_those_seen_last_are_kept() -> None:
    events = [order(DAY, city=f"c{number}") for number in range(3 * MOST_KEYS)]
    history = folded([*events, order(DAY, city="Oslo")])
    assert all(len(derived.keys) <= MOST_KEYS for derived in history.derived.values())
    assert figure('history.count("order", "7d", o, o.city == city)', history) == 1


def test_a_figure_that_compares_with_what_the_event_lacks_is_missing() -> None:
    history = folded([order(DAY, city="Oslo")], Metrics([asked('history.count("order", o, o.city == town)')]))
    assert figure('history.count("order", o, o.city == town)', history) is ABSENT


@pytest.mark.parametrize(
    ("ages", "days"),
    [((0, 1, 2), 3), ((1, 2), 2), ((2, 3), 0), ((0, 2), 1), ((), 0), ((0, 0, 1), 2), ((-5, 0, 1), 2)],
)
def test_a_streak_counts_the_days_in_a_row_up_to_today_or_yesterday(ages: tuple[int, ...], days: int) -> None:
    metrics = Metrics([Metric("streak", "order")])
    history = folded([order(age * DAY) for age in ages], metrics)
    assert lookup(history, Metric("streak", "order"), NOW) == days


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('history.days_since("order", o, o.total >= 50)', 3),
        ('history.last("order", o, o.total >= 50) == now - duration("72h")', True),
        ('history.first("order", o, o.total < 50) == now - duration("48h")', True),
        ('history.max("order", o, o.city == city, o.total)', 60),
        ('history.avg("order", o, o.total)', 45),
        ('history.distinct("order", o, o.city)', 2),
        ('history.distinct("order", o, o.lines.map(line, line.kind))', 3),
        ('history.sum("order", o, o.lines.filter(line, line.kind == "tea").sum(line, line.price))', 7),
        ('history.days_since("order", o, o.total >= 500)', ABSENT),
    ],
)
def test_every_figure_takes_a_condition_and_a_value(expression: str, expected: Any) -> None:
    lines = [{"kind": "tea", "price": 3}, {"kind": "jam", "price": 5}]
    events = [
        order(2 * DAY, total=30, city="Rome", lines=lines),
        order(3 * DAY, total=60, city="Oslo", lines=[{"kind": "tea", "price": 4}, {"kind": "cup"}]),
    ]
    node = parse_value(expression, Names(), ("any", "number", "boolean"))
    metrics = Metrics(reads(node).metrics)
    view = view_of(CURRENT, Customer("u"), folded(events, metrics), NOW, metrics)
    assert compile_value(node)(view) == expected


@pytest.mark.parametrize(
    "expression",
    ['history.count("order", "30d", o, o.total > 1) > 2', 'history.count("order", o, o.city == city) > 2'],
)
def test_a_figure_is_written_back_as_an_expression_that_means_the_same(expression: str) -> None:
    node = parse(expression, Names())
    assert parse(text(node), Names()) == node


def test_a_condition_on_such_a_figure_says_what_was_seen() -> None:
    node = parse('history.count("order", "7d", o, o.city == city) >= 2', Names())
    metrics = Metrics(reads(node).metrics)
    view = view_of(CURRENT, Customer("u"), folded([order(DAY, city="Oslo")], metrics), NOW, metrics)
    assert compile_misses(node)(view) == ["number of order (past.city == city) in 7d is 1, needs at least 2"]


@pytest.mark.parametrize(
    ("expression", "at", "says"),
    [
        ('history.count("order", o, o.city != city) > 1', 26, "cannot depend on"),
        ('history.count("order", o, o.a == x && o.b == y) > 1', 26, "cannot depend on"),
        ('history.count("order", o, o.at > now) > 1', 26, "cannot depend on"),
        ('history.sum("order", o, o.total * rate) > 1', 24, "looks at more than the past event"),
        ('history.sum("order", o, "x") > 1', 24, "a number or a list is needed"),
        ('history.count("order", "30d", "7d", o, o.x) > 1', 8, "is not called so"),
        ('history.first("order", "30d", o, o.x) < now', 8, "is not called so"),
        ('history.streak("order", o, o.x) > 1', 8, "is not called so"),
        ('history.sum("order", "items.price * items.qty") > 1', 21, "is a calculation"),
    ],
)
def test_what_cannot_be_kept_of_the_past_is_refused_with_its_place(
    expression: str, at: int, says: str
) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(expression, Names())
    assert refused.value.offset == at
    assert says in refused.value.message


def test_a_misspelt_attribute_of_past_events_is_refused() -> None:
    names = Names(events=frozenset({"order"}), by_event={"order": {"total": "number"}})
    with pytest.raises(ExpressionError, match="unknown attribute `totl` of `order`"):
        parse('history.count("order", o, o.totl >= 50) > 1', names)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("lines.pric", "unknown member `pric` of `lines`"),
        ("lines.name", "numbers are needed"),
        ("lines.kind", ""),
    ],
)
def test_a_misspelt_member_of_a_declared_list_is_refused(path: str, says: str) -> None:
    members: Any = {"order": {"lines": {"price": "number", "name": "text"}}}
    names = Names(
        events=frozenset({"order"}), by_event={"order": {"lines": "list"}},
        elements={"order": {"lines": "object"}}, members=members,
    )  # fmt: skip
    if not says:
        parse(f'history.sum("order", "{path}") > 1', names)
        return
    with pytest.raises(ExpressionError, match=says):
        parse(f'history.sum("order", "{path}") > 1', names)
