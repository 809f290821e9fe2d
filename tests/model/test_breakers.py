"""When a breaker opens, for how long, and what closes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from adapter.model.breakers import LEAST, LONGEST, SHORTEST, WINDOW, Breaker, Tally, after

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def tally(succeeded: int, failed: int, at: datetime = NOON) -> Tally:
    return Tally("shop", succeeded, failed, at, "answered 500" if failed else "")


def opened() -> Breaker:
    breaker = after(None, tally(0, LEAST))
    assert breaker is not None
    return breaker


@pytest.mark.parametrize(
    ("succeeded", "failed", "state"),
    [
        (0, 9, "closed"),
        (0, 10, "open"),
        (3, 7, "open"),
        (4, 6, "closed"),
        (30, 70, "open"),
        (31, 69, "closed"),
    ],
)
def test_it_opens_when_at_least_seven_of_ten_requests_fail(succeeded: int, failed: int, state: str) -> None:
    breaker = after(None, tally(succeeded, failed))
    assert breaker is not None
    assert breaker.state(NOON) == state


def test_success_alone_leaves_nothing_to_remember() -> None:
    assert after(None, tally(100, 0)) is None


def test_failures_of_an_earlier_window_are_forgotten() -> None:
    breaker = after(None, tally(0, 9))
    assert (breaker := after(breaker, tally(0, 1, NOON + WINDOW))) is not None
    assert breaker.state(NOON + WINDOW) == "closed"
    assert after(breaker, tally(1, 0, NOON + 2 * WINDOW)) is None


def test_an_open_breaker_allows_nothing_and_a_half_open_one_a_single_probe() -> None:
    breaker = opened()
    assert breaker.allowed(NOON + SHORTEST - timedelta(seconds=1), 8) == 0
    assert breaker.allowed(NOON + SHORTEST, 8) == 1
    probed = breaker.probing(NOON + 2 * SHORTEST)
    assert probed.allowed(NOON + SHORTEST, 8) == 0
    assert probed.allowed(NOON + 2 * SHORTEST, 8) == 1


def test_a_failed_probe_opens_it_for_twice_as_long_up_to_ten_minutes() -> None:
    breaker, now, rests = opened(), NOON, []
    for _ in range(7):
        assert breaker.until is not None
        rests.append(breaker.until - now)
        now = breaker.until
        again = after(breaker, tally(0, 1, now))
        assert again is not None
        breaker = again
    assert rests == [min(SHORTEST * 2**power, LONGEST) for power in range(7)]


def test_a_successful_probe_closes_it() -> None:
    assert after(opened().probing(NOON + 2 * SHORTEST), tally(1, 0, NOON + SHORTEST)) is None


def test_results_of_requests_that_began_before_it_opened_change_nothing() -> None:
    breaker = opened()
    assert after(breaker, tally(3, 0)) == after(breaker, tally(0, 3)) == breaker
