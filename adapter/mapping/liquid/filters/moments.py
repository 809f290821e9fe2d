"""Reads moments as `new Date` does in V8. A text without a zone is in UTC, as on Segment's servers."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from adapter.mapping.engine import javascript
from adapter.mapping.engine.values import is_number
from adapter.mapping.liquid.context import Failed
from adapter.mapping.liquid.filters.date_reading import NoDate, Reading, expect
from adapter.mapping.liquid.values import number

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - clocks are of a zone that is kept apart
#: Longer texts are not read as dates here.
_LONGEST = 1000
#: A zone's hours, above which V8 counts in 32 bits.
_MOST_HOURS = 100_000
#: The most milliseconds from 1970 that JavaScript's dates have.
_FARTHEST = 8.64e15


def milliseconds(value: Any) -> float | None:
    """Return the milliseconds since 1970 of a number of seconds or of a text; None for what is no date."""
    if is_number(value):
        return _within(number(value) * 1000)
    if type(value) is bool:
        return float(value)
    text = javascript.text(value)
    if type(value) is str and text.isascii() and text.isdigit():
        return _within(number(text) * 1000)
    if len(text) > _LONGEST:
        raise Failed(f"text over {_LONGEST} characters is no date here")
    try:
        read = Reading(text)
        return _day(read) + _time_of_day(read) - _ahead(read)
    except NoDate:
        return None


def _within(moment: float) -> float | None:
    return float(math.trunc(moment)) if abs(moment) <= _FARTHEST else None


def _day(read: Reading) -> float:
    """Return the milliseconds of the day; a day after its month's last counts on."""
    expect(bool(read.day))
    first, second, third = [*read.day, 1, 1][:3]
    if read.month:
        day, year = (first, second) if 1 <= first <= 31 else (second, first)
        month = read.month
    elif read.iso or not 1 <= first <= 31:
        year, month, day = first, second, third
    else:
        month, day, year = first, second, third
    if not read.iso and 0 <= year <= 99:
        year += 2000 if year <= 49 else 1900
    expect(1 <= month <= 12 and 1 <= day <= 31)
    if not 1 <= year <= 9999:
        raise Failed("a date before the year 1 or after the year 9999 has no place here")
    start = datetime(year, month, 1) - EPOCH  # noqa: DTZ001 - its zone is counted apart
    return float((start.days + day - 1) * 86_400_000)


def _time_of_day(read: Reading) -> int:
    hour, minute, second, part = [*read.time, 0, 0, 0, 0][:4]
    if read.half is not None:
        expect(hour <= 12)
        hour = hour % 12 + read.half
    whole = hour <= 23 and minute <= 59 and second <= 59 and part <= 999
    expect(whole or (hour, minute, second, part) == (24, 0, 0, 0))
    return ((hour * 60 + minute) * 60 + second) * 1000 + part


def _ahead(read: Reading) -> int:
    if (read.hours or 0) > _MOST_HOURS:
        raise Failed("a zone so far from UTC has no place here")
    return read.sign * ((read.hours or 0) * 60 + (read.minutes or 0)) * 60_000
