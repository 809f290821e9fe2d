"""Events in order equal a slow model that keeps every event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.customers import Customer
from adapter.model.event_names import EventNames
from adapter.model.events import Event, User
from adapter.rules.engine.evaluate import view_of
from adapter.rules.expressions import (
    ExpressionError,
    Names,
    compile_misses,
    parse,
    parse_value,
    reads,
    text,
)
from adapter.rules.expressions.compiler import compile_value
from adapter.rules.history.history import History, fold
from adapter.rules.history.reading_again import backfill, recount
from adapter.rules.history.requirements import Metrics
from adapter.rules.history.sequences import MOST

NOW = datetime(2026, 11, 21, 15, 7, 31, tzinfo=UTC)
HOUR = timedelta(hours=1)
#: An expression with its steps, its window, and whether the current event, a `c`, belongs to it.
ASKED: list[tuple[str, str, timedelta | None, bool]] = [
    ('history.sequence("a", "b", "1h")', "ab", HOUR, False),
    ('history.sequence("a", "b", "c", "1h")', "abc", HOUR, False),
    ('history.sequence("a", "b", "c", "1d")', "abc", 24 * HOUR, False),
    ('history_with_event.sequence("a", "b", "c", "1h")', "abc", HOUR, True),
    ('history.sequence("a", "a", "b")', "aab", None, False),
    ('history.sequence("a", "b", "a", "b", "1h")', "abab", HOUR, False),
]


def happened(name: str, minutes: float) -> Event:
    return Event("e", name, NOW - timedelta(minutes=minutes), User(), {}, {})


CURRENT = happened("c", 0)
METRICS = Metrics(
    metric for asked in ASKED for metric in reads(parse_value(asked[0], Names(), ("boolean",))).metrics
)
#: Few moments, so that many events share one, of which neither is before the other.
AGES = [1, 2, 3, 5, 30, 59, 60, 61, 90, 1441]
events_ = st.builds(happened, st.sampled_from("abcd"), st.sampled_from(AGES))
streams = st.lists(events_, max_size=MOST)


def folded(events: Sequence[Event], metrics: Metrics = METRICS) -> History:
    history = History()
    for event in events:
        fold(history, event, metrics)
    return History.decode(history.encode())


def in_order(events: Sequence[Event], steps: str, since: datetime) -> bool:
    """Look for each step at the first moment after that of the one before."""
    at = since - timedelta(microseconds=1)
    for step in steps:
        later = [each.occurred_at for each in events if each.name == step and each.occurred_at > at]
        if not later:
            return False
        at = min(later)
    return True


def check(history: History, events: Sequence[Event]) -> None:
    view = view_of(CURRENT, Customer("u"), history, NOW, METRICS)
    for expression, steps, window, including in ASKED:
        since = datetime(2000, 1, 1, tzinfo=UTC) if window is None else NOW - window
        seen = [*events, CURRENT] if including else events
        found = compile_value(parse_value(expression, Names(), ("boolean",)))(view)
        assert found is in_order(seen, steps, since), expression


@given(events=streams)
def test_a_sequence_equals_the_slow_model_in_whatever_order_events_arrive(events: list[Event]) -> None:
    check(folded(events), events)


@given(events=st.lists(events_, max_size=5 * MOST))
def test_a_long_past_is_exact_where_events_arrive_in_their_order(events: list[Event]) -> None:
    events = sorted(events, key=lambda event: event.occurred_at)
    history = folded(events)
    check(history, events)
    assert all(len(kept.moments) <= MOST for kept in history.sequences.values())


def test_what_is_kept_does_not_grow_with_the_past() -> None:
    sizes = [
        len(folded([happened("abc"[n % 3], 10_000 - n / 10) for n in range(count)]).encode())
        for count in (200, 2_000)
    ]
    assert sizes[1] <= sizes[0] + 20


@given(one=st.lists(events_, max_size=MOST // 2), other=st.lists(events_, max_size=MOST // 2))
def test_two_customers_who_are_merged_have_the_order_of_all_their_events(
    one: list[Event], other: list[Event]
) -> None:
    merged = folded(one).merge(folded(other))
    check(merged, [*one, *other])
    assert not merged.lacks(METRICS)


@given(events=streams, cut=st.integers(0, MOST))
def test_a_rule_that_is_added_later_has_the_order_of_stored_events(events: list[Event], cut: int) -> None:
    history = folded(events[:cut], Metrics())
    if history.lacks(METRICS):
        backfill(history, events[:cut], METRICS)
    for event in events[cut:]:
        fold(history, event, METRICS)
    check(history, events)
    assert not history.lacks(METRICS)


@given(kept=st.lists(events_, max_size=MOST // 2), lost=st.lists(events_, max_size=MOST // 2))
def test_events_that_turn_out_to_be_anothers_are_taken_out(kept: list[Event], lost: list[Event]) -> None:
    history = folded([*kept, *lost])
    recount(history, kept, lost, METRICS)
    check(history, kept)


def test_what_a_program_without_sequences_has_stored_is_lacking() -> None:
    history = folded([happened("a", 9), happened("b", 8)])
    history.sequences = {}
    assert history.lacks(METRICS)
    view = view_of(CURRENT, Customer("u"), history, NOW, METRICS)
    assert compile_misses(parse(ASKED[0][0], Names()))(view) == ["a, then b within 1h is missing"]


def test_a_book_that_does_not_ask_drops_what_was_kept() -> None:
    history = folded([happened("a", 9)])
    fold(history, happened("b", 8), Metrics())
    assert not history.sequences


def test_events_that_are_renamed_are_read_again() -> None:
    history = folded([happened("a", 9), happened("b", 8)])
    assert history.rename(EventNames.of([("a", "z")], ["z"]))
    assert not history.sequences


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ('history.sequence("b", "a", "1h")', ["b, then a within 1h did not happen in this order"]),
        ('!history.sequence("a", "b", "1h")', ["a, then b within 1h happened, and must not have"]),
        ('history.sequence("a", "b")', []),
    ],
)
def test_it_says_in_words_what_did_not_happen(expression: str, says: list[str]) -> None:
    node = parse(expression, Names())
    metrics = Metrics(reads(node).metrics)
    history = folded([happened("a", 9), happened("b", 8)], metrics)
    assert compile_misses(node)(view_of(CURRENT, Customer("u"), history, NOW, metrics)) == says


@pytest.mark.parametrize("expression", [asked[0] for asked in ASKED])
def test_it_is_written_back_as_an_expression_that_means_the_same(expression: str) -> None:
    node = parse(expression, Names())
    assert text(node) == expression
    assert parse(text(node), Names()) == node


NAMES: dict[str, Any] = {"events": frozenset({"a", "b", "products_searched"})}


@pytest.mark.parametrize(
    ("expression", "at", "says"),
    [
        ('history.sequence("a", "1h")', 8, "takes 2 to 10 events, and has 1"),
        ('history.sequence("a", b, "1h")', 8, "takes events and a window, in quotes"),
        ('history.sequence("1h", "a", "b")', 17, "`1h` is a window, and comes last"),
        ('history.sequence("a", "product_searched")', 22, "unknown event `product_searched`"),
        ('history.sequence("a", "b", "1h") > 2', 33, "is true or false"),
        ("history.sequence()", 8, "takes events and a window, in quotes"),
    ],
)
def test_a_slip_is_told_with_its_place(expression: str, at: int, says: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(expression, Names(**NAMES))
    assert says in refused.value.message
    assert refused.value.offset == at
    assert refused.value.remedy
