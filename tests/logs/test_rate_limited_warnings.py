"""What happens by the thousand is a line a minute in the log."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from adapter.logs import RateLimitedWarning

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Minutes:
    """A clock that tests set."""

    now = 0.0

    def __call__(self) -> datetime:
        return NOON + timedelta(minutes=self.now)


@pytest.fixture
def minutes() -> Minutes:
    return Minutes()


@pytest.fixture
def tally(minutes: Minutes) -> RateLimitedWarning:
    return RateLimitedWarning(logging.getLogger("test"), "it happens", minutes)


def counts(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int]]:
    return [(vars(record)["door"], vars(record)["count"]) for record in caplog.records]


def test_the_first_is_logged_at_once_and_the_rest_once_a_minute(
    tally: RateLimitedWarning, minutes: Minutes, caplog: pytest.LogCaptureFixture
) -> None:
    for at in (0, 0.1, 0.99, 1, 1.5, 3):
        minutes.now = at
        tally.note(2, door="a")
    assert counts(caplog) == [("a", 2), ("a", 6), ("a", 4)]
    assert {record.getMessage() for record in caplog.records} == {"it happens"}


def test_kinds_do_not_silence_each_other(tally: RateLimitedWarning, caplog: pytest.LogCaptureFixture) -> None:
    for door in ("a", "b", "a"):
        tally.note(door=door)
    assert counts(caplog) == [("a", 1), ("b", 1)]


def test_a_clock_that_jumps_back_silences_nothing(
    tally: RateLimitedWarning, minutes: Minutes, caplog: pytest.LogCaptureFixture
) -> None:
    tally.note(door="a")
    minutes.now = -60
    tally.note(door="a")
    assert counts(caplog) == [("a", 1), ("a", 1)]
