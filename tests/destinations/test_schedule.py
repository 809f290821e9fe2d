"""When a failed delivery is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.destinations.schedule import DELAYS, LONGEST, next_attempt

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("attempt", "seconds"),
    [
        (1, 5),
        (2, 5 * 60),
        (3, 30 * 60),
        (4, 2 * 3600),
        (5, 5 * 3600),
        (6, 10 * 3600),
        (7, 14 * 3600),
        (8, 20 * 3600),
        (9, 24 * 3600),
    ],
)
def test_delays_are_those_of_the_specification(attempt: int, seconds: int) -> None:
    assert next_attempt(attempt, NOW) == NOW + timedelta(seconds=seconds)


def test_the_whole_schedule_lasts_seventy_five_hours_and_a_half() -> None:
    # 5 s + 5 m + 30 m + 2 h + 5 h + 10 h + 14 h + 20 h + 24 h
    assert sum(DELAYS, timedelta(0)) == timedelta(hours=75, minutes=35, seconds=5)


def test_the_tenth_failure_is_the_last() -> None:
    assert next_attempt(9, NOW) is not None
    assert next_attempt(10, NOW) is None
    assert next_attempt(11, NOW, retry_after=SECOND) is None


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 240), (0.5, 300), (1.0, 360)])
def test_jitter_spreads_a_delay_by_a_fifth_either_way(jitter: float, seconds: int) -> None:
    assert next_attempt(2, NOW, jitter=jitter) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("attempt", "asked", "delay"),
    [
        (1, 120 * SECOND, 120 * SECOND),  # longer than the 5 s of the schedule: it wins
        (4, 10 * SECOND, 2 * HOUR),  # shorter: ten quick tries would use up three days of patience
        (1, 1000 * HOUR, 24 * HOUR),  # bounded
        (1, 0 * SECOND, 5 * SECOND),
    ],
)
def test_retry_after_puts_an_attempt_off_but_never_forward(
    attempt: int, asked: timedelta, delay: timedelta
) -> None:
    assert next_attempt(attempt, NOW, retry_after=asked) == NOW + delay


def test_nothing_is_tried_once_it_makes_no_sense() -> None:
    assert next_attempt(3, NOW, not_after=NOW + timedelta(minutes=30)) is None
    assert next_attempt(3, NOW, not_after=NOW + timedelta(minutes=31)) == NOW + timedelta(minutes=30)


@given(
    attempt=st.integers(0, 12),
    jitter=st.floats(0, 1),
    retry_after=st.none() | st.timedeltas(timedelta(0), timedelta(days=400)),
    not_after=st.none() | st.datetimes(timezones=st.just(UTC)),
)
def test_the_next_attempt_is_later_bounded_and_in_time(
    attempt: int, jitter: float, retry_after: timedelta | None, not_after: datetime | None
) -> None:
    due_at = next_attempt(attempt, NOW, retry_after=retry_after, not_after=not_after, jitter=jitter)
    if due_at is not None:
        assert NOW + 4 * SECOND <= due_at <= NOW + LONGEST * 1.2
        assert not_after is None or due_at < not_after
        assert retry_after is None or due_at >= NOW + min(retry_after, LONGEST)
