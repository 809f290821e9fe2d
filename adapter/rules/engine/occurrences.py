"""When schedules are due: pure functions of the calendar of a time zone.

A time that a clock change leaves out is moved on by what the clock skips (02:30 is 03:30 then), and of a time
that comes twice it is the first.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from adapter.model.triggers import Every, Scheduled

_DAY = timedelta(days=1)
#: No schedule has more days between two occurrences.
_LONGEST = 366 * 2


def next_due(trigger: Scheduled, after: datetime) -> datetime:
    """Return the first occurrence after a moment, in UTC."""
    zone = ZoneInfo(trigger.time_zone)
    start = after.astimezone(zone).date() - _DAY
    for day in _days(start, +1):
        if _falls_on(trigger, day):
            due = _moment(trigger, day, zone)
            if due > after:
                return due
    raise AssertionError("a schedule without an occurrence in two years")


def latest_due(trigger: Scheduled, until: datetime) -> datetime:
    """Return the last occurrence at a moment or before, in UTC."""
    zone = ZoneInfo(trigger.time_zone)
    start = until.astimezone(zone).date() + _DAY
    for day in _days(start, -1):
        if _falls_on(trigger, day):
            due = _moment(trigger, day, zone)
            if due <= until:
                return due
    raise AssertionError("a schedule without an occurrence in two years")


def local_day(trigger: Scheduled, due_at: datetime) -> date:
    """Return the day of an occurrence in its time zone."""
    return due_at.astimezone(ZoneInfo(trigger.time_zone)).date()


def _days(start: date, step: int) -> Iterator[date]:
    return (start + step * n * _DAY for n in range(_LONGEST))


def _moment(trigger: Scheduled, day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, trigger.at, zone).astimezone(UTC)


def _falls_on(trigger: Scheduled, day: date) -> bool:
    if not isinstance(trigger, Every):
        return True
    length = monthrange(day.year, day.month)[1]
    wanted = length if trigger.day < 0 else min(trigger.day, length)
    match trigger.recurrence:
        case "day":
            return True
        case "week":
            return day.weekday() == trigger.weekday
        case "month":
            return day.day == wanted
        case "month_weekday":
            nth = -1 if day.day + 7 > length and trigger.day < 0 else (day.day - 1) // 7 + 1
            return day.weekday() == trigger.weekday and nth == trigger.day
        case "quarter":
            return day.day == wanted and day.month in ((3, 6, 9, 12) if trigger.day < 0 else (1, 4, 7, 10))
        case "year":
            return day.day == wanted and day.month == (12 if trigger.day < 0 else 1)
