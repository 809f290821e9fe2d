"""When schedules are due: across zones, clock changes, short months and leap days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.files import yaml
from adapter.model.dates import date_of, month_days
from adapter.model.triggers import Every, OnDate
from adapter.rules.blocks.block import Block
from adapter.rules.engine.occurrences import latest_due, next_due
from adapter.rules.engine.schedules import dates_of
from adapter.rules.files import scheduled


def every(text: str, zone: str = "Europe/Berlin") -> Every:
    document, _ = yaml.parse(f'every: "{text}"', "rule.yaml")
    assert document is not None
    block = Block(document, "", (), [])
    found = scheduled.every(block, zone)
    assert found is not None, block.problems
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "after", "due"),
    [
        ("day 09:00", "2026-03-01T08:59:00+01:00", "2026-03-01T09:00:00+01:00"),
        ("day 09:00", "2026-03-01T09:00:00+01:00", "2026-03-02T09:00:00+01:00"),
        ("monday 09:00", "2026-03-01T12:00:00+01:00", "2026-03-02T09:00:00+01:00"),
        ("first day of month 09:00", "2026-03-01T09:00:00+01:00", "2026-04-01T09:00:00+02:00"),
        ("last day of month 18:30", "2026-02-01T00:00:00+01:00", "2026-02-28T18:30:00+01:00"),
        ("last day of month 18:30", "2028-02-01T00:00:00+01:00", "2028-02-29T18:30:00+01:00"),
        ("31 of month 09:00", "2026-04-01T00:00:00+02:00", "2026-04-30T09:00:00+02:00"),
        ("last friday of month 18:00", "2026-03-01T00:00:00+01:00", "2026-03-27T18:00:00+01:00"),
        ("second tuesday of month 8:00", "2026-03-01T00:00:00+01:00", "2026-03-10T08:00:00+01:00"),
        ("first day of quarter 09:00", "2026-01-01T09:00:00+01:00", "2026-04-01T09:00:00+02:00"),
        ("last day of quarter 09:00", "2026-01-01T09:00:00+01:00", "2026-03-31T09:00:00+02:00"),
        ("first day of year 00:00", "2026-01-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00"),
        ("last day of year 00:00", "2026-01-01T00:00:00+01:00", "2026-12-31T00:00:00+01:00"),
        # In Berlin the clock goes from 02:00 to 03:00 on 29 March 2026, and back on 25 October.
        ("day 02:30", "2026-03-28T12:00:00+01:00", "2026-03-29T03:30:00+02:00"),
        ("day 02:30", "2026-03-29T12:00:00+02:00", "2026-03-30T02:30:00+02:00"),
        ("day 02:30", "2026-10-24T12:00:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("day 02:30", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"),
    ],
)
def test_the_next_occurrence(text: str, after: str, due: str) -> None:
    assert next_due(every(text), at(after)) == at(due)


@pytest.mark.parametrize(
    ("zone", "due"),
    [
        ("Pacific/Kiritimati", "2026-03-01T09:00:00+14:00"),
        ("Pacific/Pago_Pago", "2026-03-01T09:00:00-11:00"),
        ("Asia/Kathmandu", "2026-03-01T09:00:00+05:45"),
        # Lord Howe Island changes its clock by half an hour.
        ("Australia/Lord_Howe", "2026-03-01T09:00:00+11:00"),
    ],
)
def test_a_day_begins_when_its_zone_says(zone: str, due: str) -> None:
    trigger = every("first day of month 09:00", zone)
    assert next_due(trigger, at("2026-02-20T00:00:00+00:00")) == at(due)


NO_SCHEDULES = [
    "every day", "day", "0 of month 09:00", "32 of month 09:00", "day 25:00", "fifth monday of month 09:00",
    "first day of week 09:00", "day 9am",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_SCHEDULES)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    document, _ = yaml.parse(f'{{every: "{text}"}}', "rule.yaml")
    assert document is not None
    problems: list[Any] = []
    assert scheduled.every(Block(document, "", (), problems), "UTC") is None
    assert problems


TEXTS = st.sampled_from(
    [
        "day 02:30",
        "sunday 02:30",
        "31 of month 23:59",
        "last sunday of month 02:00",
        "last day of quarter 00:00",
    ]
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"])


@given(TEXTS, ZONES, st.integers(0, 8 * 365 * 24 * 60))
def test_occurrences_follow_each_other_without_a_gap(text: str, zone: str, minutes: int) -> None:
    trigger, now = every(text, zone), datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    due = next_due(trigger, now)
    assert due > now
    assert latest_due(trigger, due) == due
    assert latest_due(trigger, due - timedelta(microseconds=1)) <= now
    assert next_due(trigger, latest_due(trigger, now)) == due


@pytest.mark.parametrize(
    ("value", "month_day", "year"),
    [
        ("1990-02-28", 228, 1990), ("1990-02-28T23:30:00Z", 228, 1990), ("2000-02-29", 229, 2000),
        ("--12-31", 1231, None), ("12-31", 1231, None), (" 1990-02-28 ", 228, 1990),
    ],
)  # fmt: skip
def test_dates_are_read(value: str, month_day: int, year: int | None) -> None:
    found = date_of(value)
    assert found is not None
    assert (found.month_day, found.year) == (month_day, year)


@pytest.mark.parametrize("value", ["1990-02-30", "2001-02-29", "28.02.1990", "0000-01-01", "", 7, None])
def test_what_is_no_date_is_none(value: Any) -> None:
    assert date_of(value) is None


def test_29_february_is_celebrated_on_the_28th_of_common_years() -> None:
    assert month_days(date(2026, 2, 28)) == (228, 229)
    assert month_days(date(2028, 2, 28)) == (228,)
    assert month_days(date(2028, 2, 29)) == (229,)
    assert month_days(date(2100, 2, 28)) == (228, 229)


def test_days_before_are_counted_on_the_calendar() -> None:
    trigger = OnDate(trait="birthdate", at=every("day 09:00").at, time_zone="Europe/Berlin", days=-3)
    assert dates_of(trigger, at("2026-02-25T09:00:00+01:00")) == (date(2026, 2, 28), (228, 229))
    # 72 hours before are the day before at 23 o'clock, where the clock is put forward between.
    assert dates_of(trigger, at("2026-03-27T09:00:00+01:00"))[0] == date(2026, 3, 30)
