"""How many deliveries a second may be leased, and how that grows after a pause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.pacing import SAVED, START, STARTED, Pace, Pacing

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
#: When some process asks for how many, in milliseconds after the one before.
ASKED = st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 2_000)), min_size=1, max_size=60)


@given(st.integers(1, 5_000), ASKED)
def test_a_rate_holds_over_every_span_of_time_but_for_what_was_saved(
    rate: int, asked: list[tuple[int, int]]
) -> None:
    now, used_until = NOON, NOON - timedelta(days=1)
    leases: list[tuple[datetime, int]] = []
    for after, limit in asked:
        now += timedelta(milliseconds=after)
        pace = Pace(rate, used_until)
        leased = pace.allowed(now, limit)
        assert leased <= limit
        if leased:
            used_until = pace.after(now, leased)
        leases.append((now, leased))
    saved = max(1, SAVED.total_seconds() * rate)
    for first, (start, _) in enumerate(leases):
        total = 0
        for at, leased in leases[first:]:
            total += leased
            assert total <= (at - start).total_seconds() * rate + saved + 0.01


@pytest.mark.parametrize("rate", [1, 3, 50, 4_000])
def test_whoever_asks_often_enough_gets_the_whole_rate(rate: int) -> None:
    now, used_until, leased = NOON, NOON, 0
    for _ in range(600):
        now += timedelta(seconds=0.2)
        pace = Pace(rate, used_until)
        if some := pace.allowed(now, 100_000):
            used_until, leased = pace.after(now, some), leased + some
    assert leased == pytest.approx(120 * rate, abs=max(1, 0.2 * rate))


def test_a_lease_of_next_to_nothing_waits_until_there_is_more() -> None:
    pace = Pace(1_000, NOON)
    assert [pace.allowed(NOON + timedelta(milliseconds=at), 500) for at in (0, 99, 100)] == [0, 0, 100]


def test_what_was_used_up_by_a_clock_that_was_set_back_does_not_stop_everything() -> None:
    pace = Pace(10, NOON)
    assert pace.allowed(NOON - timedelta(seconds=9), 100) == 0
    assert pace.allowed(NOON - timedelta(hours=1), 100) == 5


def test_after_a_pause_the_rate_doubles_every_five_seconds_up_to_the_limit_or_for_a_minute() -> None:
    def rates(pacing: Pacing) -> list[float]:
        return [pacing.rate(NOON + timedelta(seconds=at), NOON) for at in (-1, 0, 5, 10, 50, 60)]

    growing = [START, START * 2, START * 4, START * 2**10]
    assert rates(Pacing(starts_slowly=True)) == [0, *growing, 0]
    assert rates(Pacing(300, starts_slowly=True)) == [300, 100, 200, 300, 300, 300]
    assert rates(Pacing(300)) == [300] * 6
    assert Pacing(starts_slowly=True).rate(NOON, None) == 0
    assert Pacing(30, starts_slowly=True).rate(NOON + STARTED / 2, NOON) == 30
