"""History equals a slow model that keeps every event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.model.event_names import EventNames
from adapter.model.events import Event, User
from adapter.rules.expressions import Metric
from adapter.rules.history.aggregates import MOST_VALUES
from adapter.rules.history.history import MOST_NAMES, History, fold, lookup
from adapter.rules.history.needs import values_at
from adapter.rules.history.reading_again import backfill
from adapter.rules.history.requirements import Metrics
from adapter.rules.history.time_buckets import LEVELS, width_for

NOW = datetime(2026, 11, 21, 15, 7, 31, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WINDOWS = [
    None,
    timedelta(minutes=30),
    timedelta(hours=3),
    *(timedelta(days=days) for days in (1, 7, 8, 30, 400, 800)),
]
METRICS = [
    Metric(kind, "order", None if kind == "count" else "total", window)
    for kind in ("count", "sum", "avg", "min", "max", "distinct")
    for window in WINDOWS
] + [Metric("first", "order"), Metric("last", "order"), Metric("days_since", "order")]


def order(at: datetime, total: Any = None, name: str = "order") -> Event:
    attributes = {} if total is None else {"total": total}
    return Event("e", name, at, User(), attributes, {})


def folded(events: list[Event], metrics: Metrics) -> History:
    history = History()
    for event in events:
        fold(history, event, metrics)
    return history


def slow(events: list[Event], metric: Metric, now: datetime) -> Any:
    """Look at every event; a window begins at the start of the bucket that it reaches into."""
    mine = [event for event in events if event.name == metric.event]
    if metric.kind in ("first", "last", "days_since"):
        if not mine:
            return None
        moments = [event.occurred_at for event in mine]
        if metric.kind == "days_since":
            return max(0, (now - max(moments)) // timedelta(days=1))
        return min(moments) if metric.kind == "first" else max(moments)
    if metric.window is not None:
        width = 1 if metric.kind == "distinct" else width_for(int(metric.window.total_seconds()))
        second = int(now.timestamp()) - int(metric.window.total_seconds())
        begins = EPOCH + timedelta(seconds=second // width * width)
        mine = [event for event in mine if event.occurred_at >= begins]
    if metric.kind == "count":
        return len(mine)
    values = [value for event in mine for value in values_at(event.attributes, "total")]
    if metric.kind == "distinct":
        return len({(isinstance(value, bool), isinstance(value, str), value) for value in values})
    numbers = [
        Fraction(str(value))
        for value in values
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if metric.kind == "sum":
        return sum(numbers)
    if not numbers:
        return None
    return (
        sum(numbers) / len(numbers)
        if metric.kind == "avg"
        else (min if metric.kind == "min" else max)(numbers)
    )


amounts = st.one_of(
    st.none(),
    st.integers(-1000, 100_000),
    st.decimals(0, 5000, places=2).map(float),
    st.sampled_from(["text", "other", "12", True, False, 1, 1.0]),
    st.lists(st.integers(0, 50), max_size=3),
)
ages = st.one_of(
    st.integers(-3600, 4 * 3600),
    st.integers(0, 10 * 86400),
    st.integers(0, 450 * 86400),
    st.integers(0, 900 * 86400),
)
streams = st.lists(
    st.builds(
        lambda age, total, name: order(NOW - timedelta(seconds=age), total, name),
        ages,
        amounts,
        st.sampled_from(["order", "order", "view"]),
    ),
    max_size=60,
)


@given(events=streams)
@settings(deadline=None, max_examples=150)
def test_every_figure_equals_the_slow_model_in_whatever_order_events_come(events: list[Event]) -> None:
    history = folded(events, Metrics(METRICS))
    for metric in METRICS:
        assert lookup(history, metric, NOW) == slow(events, metric, NOW), metric


@given(events=streams, cut=st.integers(0, 60))
def test_the_history_of_two_merged_customers_is_that_of_all_their_events(
    events: list[Event], cut: int
) -> None:
    metrics = Metrics(METRICS)
    merged = folded(events[:cut], metrics).merge(folded(events[cut:], metrics))
    assert not merged.lacks(metrics)
    for metric in METRICS:
        assert lookup(merged, metric, NOW) == slow(events, metric, NOW), metric


@given(events=streams)
def test_a_stored_history_comes_back_as_it_was(events: list[Event]) -> None:
    history = folded(events, Metrics(METRICS))
    assert History.decode(history.encode()) == history


@given(events=streams, cut=st.integers(0, 60))
def test_history_for_a_new_rule_is_rebuilt_from_stored_events(events: list[Event], cut: int) -> None:
    before, after = Metrics([Metric("count", "order", None, timedelta(days=7))]), Metrics(METRICS)
    history = folded(events[:cut], before)
    if any(event.name == "order" for event in events[:cut]):
        assert history.lacks(after)
    backfill(history, events[:cut], after)
    assert not history.lacks(after)
    for event in events[cut:]:
        fold(history, event, after)
    for metric in METRICS:
        assert lookup(history, metric, NOW) == slow(events, metric, NOW), metric


def test_a_longer_window_than_was_kept_is_lacking_and_a_shorter_one_is_not() -> None:
    week = Metrics([Metric("count", "order", None, timedelta(days=30))])
    history = folded([order(NOW)], week)
    assert not history.lacks(week)
    assert not history.lacks(Metrics([Metric("count", "order", None, timedelta(days=20))]))
    assert history.lacks(Metrics([Metric("count", "order", None, timedelta(days=60))]))
    assert not history.lacks(Metrics([Metric("sum", "view", "total", timedelta(days=60))]))


def test_figures_that_only_one_of_two_merged_customers_kept_are_lacking() -> None:
    metrics = Metrics(METRICS)
    merged = folded([order(NOW, 5)], metrics).merge(folded([order(NOW, 7)], Metrics()))
    assert merged.lacks(metrics)
    assert lookup(merged, Metric("count", "order"), NOW) == 2


def test_money_adds_up_to_the_cent() -> None:
    metric = Metric("sum", "order", "total", timedelta(days=30))
    history = folded([order(NOW, 0.1)] * 30 + [order(NOW, 19.99)], Metrics([metric]))
    assert lookup(history, metric, NOW) == Fraction("22.99")


def test_a_day_window_reaches_back_to_midnight_and_no_further() -> None:
    metric = Metric("count", "order", None, timedelta(days=30))
    midnight = NOW.replace(hour=0, minute=0, second=0) - timedelta(days=30)
    inside = folded([order(midnight)], Metrics([metric]))
    outside = folded([order(midnight - timedelta(microseconds=1))], Metrics([metric]))
    assert (lookup(inside, metric, NOW), lookup(outside, metric, NOW)) == (1, 0)


def test_one_event_from_the_far_future_does_not_empty_the_window() -> None:
    metric = Metric("count", "order", None, timedelta(days=7))
    events = [order(NOW - timedelta(hours=hour)) for hour in range(100)]
    history = folded([*events[:50], order(NOW + timedelta(days=9000)), *events[50:]], Metrics([metric]))
    assert lookup(history, metric, NOW) == 101


@pytest.mark.parametrize("level", LEVELS)
def test_a_series_never_grows_beyond_its_window(level: tuple[int, int]) -> None:
    longest, width = level
    metric = Metric("sum", "order", "total", timedelta(seconds=longest))
    metrics, history = Metrics([metric]), History()
    rows = longest // width + 2
    for step in range(2 * rows):
        fold(history, order(EPOCH + timedelta(seconds=step * width), 1), metrics)
    last = EPOCH + timedelta(seconds=(2 * rows - 1) * width)
    assert len(history.tallies["order"].figures["total"].series[width].columns[0]) == 8 * rows
    assert lookup(history, metric, last) == -(-longest // width) + 1
    assert len(history.encode()) < 45 * rows + 200


def test_distinct_values_are_counted_up_to_a_bound_and_the_longest_unseen_go_first() -> None:
    metric = Metric("distinct", "order", "total", timedelta(days=1))
    events = [order(NOW - timedelta(days=9, seconds=-age), f"sku {age}") for age in range(3 * MOST_VALUES)]
    history = folded([*events, *(order(NOW, f"new {n}") for n in range(5))], Metrics([metric]))
    assert lookup(history, metric, NOW) == 5
    assert lookup(history, Metric("distinct", "order", "total"), NOW) == MOST_VALUES


def test_event_names_that_no_rule_reads_are_bounded_and_the_history_says_so() -> None:
    metrics = Metrics([Metric("count", "order", None, timedelta(days=1))])
    history = folded([order(NOW, name=f"page {n}") for n in range(MOST_NAMES + 10)], metrics)
    assert len(history.tallies) == MOST_NAMES
    fold(history, order(NOW), metrics)
    assert lookup(history, Metric("count", "order"), NOW) == 1
    assert history.lacks(Metrics([Metric("count", "page 260", None, timedelta(days=1))]))


def test_a_sum_beyond_64_bits_is_unknown_instead_of_wrong() -> None:
    metric = Metric("sum", "order", "total", None)
    history = folded([order(NOW, 9_000_000_000_000)] * 3, Metrics([metric]))
    assert lookup(history, metric, NOW) is None
    assert History.decode(history.encode()) == history


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("total", [12]),
        ("items.sku", ["a", "b"]),
        ("items", [{"sku": "a"}, {"sku": "b"}, {}]),
        ("a.b", [7]),
        ("nope", []),
        ("total.nope", []),
    ],
)
def test_values_are_found_under_a_dotted_path(path: str, found: list[Any]) -> None:
    attributes = {"total": 12, "items": [{"sku": "a"}, {"sku": "b"}, {}], "a.b": 7, "none": None}
    assert values_at(attributes, path) == found


@pytest.mark.parametrize("value", [10**13, -(10**13), 1e300, Decimal("Infinity"), float("nan"), float("inf")])
def test_a_number_that_is_no_sum_of_money_spoils_nothing(value: Any) -> None:
    metric = Metric("sum", "order", "total", timedelta(days=1))
    history = folded([order(NOW, 5), order(NOW, value), order(NOW, 7)], Metrics([metric]))
    assert lookup(history, metric, NOW) == 12


def test_decimals_count_as_the_numbers_they_are() -> None:
    metric = Metric("avg", "order", "total", None)
    history = folded([order(NOW, Decimal("1.5")), order(NOW, 2)], Metrics([metric]))
    assert lookup(history, metric, NOW) == Fraction(7, 4)


RENAMED = EventNames.of([("Order", "order"), ("Placed Order", "order")], ["order", "view"])
SENT = ["order", "ORDER", "placed_order", "placedorder", "view"]
STORED = st.lists(
    st.builds(order, st.datetimes(NOW.replace(tzinfo=None) - timedelta(days=900), NOW.replace(tzinfo=None),
                                  timezones=st.just(UTC)), st.integers(0, 50), st.sampled_from(SENT)),
    max_size=12,
)  # fmt: skip


@given(STORED, STORED, st.booleans())
def test_events_under_old_spellings_count_under_the_name_that_they_have_now(
    before: list[Event], beside: list[Event], partly: bool
) -> None:
    """`beside` are those that a program of the version before adds after the first renaming."""
    needed, old = Metrics(METRICS), Metrics(METRICS if partly else ())
    history = folded(before, old)
    history.rename(RENAMED)
    stored = msgspec.msgpack.decode(history.encode() or msgspec.msgpack.encode([{}, "", False]))
    history = History.decode(msgspec.msgpack.encode(stored[:3]))  # as that program reads and writes it
    assert history.names == ""
    for event in beside:
        fold(history, event, old)
    history.rename(RENAMED)
    events = [RENAMED.renamed(event) for event in (*before, *beside)]
    if history.lacks(needed):
        backfill(history, events, needed)
    assert history.names == RENAMED.digest
    assert history.tallies.keys() <= {"order", "view"}
    for metric in METRICS:
        if metric.kind != "distinct" or len({event.attributes["total"] for event in events}) < MOST_VALUES:
            assert lookup(history, metric, NOW) == slow(events, metric, NOW), metric


def test_a_renamed_history_is_not_checked_again() -> None:
    history = folded([order(NOW, 1, "placed_order")], Metrics(METRICS))
    assert history.rename(RENAMED)
    assert not history.rename(RENAMED)
    assert History.decode(history.encode()).names == RENAMED.digest
