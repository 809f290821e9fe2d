"""Reads moments as JavaScript's `new Date` does, of the forms that senders write.

V8 reads more than ECMAScript asks. The forms below give what V8 gives; text without a digit is no date to V8.
Every other text with a digit is refused: it may be a date to V8.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

from adapter.mapping import javascript
from adapter.mapping.liquid.context import Failed
from adapter.mapping.liquid.values import number
from adapter.mapping.values import is_number

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - clocks are of a zone that is kept apart
#: No date is longer.
_LONGEST = 100
#: The most milliseconds from 1970 that JavaScript's dates have.
_FARTHEST = 8.64e15
_TIME = r"(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<part>\d+))?)?"
_ZONE = r"(?P<zone>Z|UTC|GMT)?(?:(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d))?"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<name>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)\.?"
_WEEKDAY = r"(?:(?:sun|mon|tue|wed|thu|fri|sat)[a-z]*,? +)?"
_CLOCK = rf"(?:,? +{_TIME}(?: ?(?P<half>[ap]m))?(?: ?{_ZONE})?(?: ?\([^()]*\))?)?"
_FORMS = [
    re.compile(form + r"\Z", re.ASCII | re.IGNORECASE)
    for form in (
        rf"(?P<year>\d{{4}})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?(?:T{_TIME}(?:Z|{_ZONE}))?",
        rf"(?P<year>\d{{4}})([-/])(?P<month>\d\d?)\2(?P<day>\d\d?){_CLOCK}",
        rf"(?P<month>\d\d?)/(?P<day>\d\d?)/(?P<year>\d{{4}}){_CLOCK}",
        rf"{_WEEKDAY}(?P<day>\d\d?)[ -]{_MONTH}[ -](?P<year>\d{{4}}){_CLOCK}",
        rf"{_WEEKDAY}{_MONTH} (?P<day>\d\d?),? (?P<year>\d{{4}}){_CLOCK}",
    )
]


#: A time of day alone is no date.
_TIME_ALONE = re.compile(_TIME + r"\Z", re.ASCII)


def milliseconds(value: Any) -> float | None:
    """Return the milliseconds since 1970 of a number of seconds or of a text; None for what is no date."""
    if is_number(value):
        return _within(number(value) * 1000)
    if type(value) is bool:
        return float(value)
    if type(value) is dict:
        return None
    text = javascript.text(value)
    if text and text.isascii() and text.isdigit() and type(value) is str:
        return _within(number(text) * 1000)
    if not any(sign in "0123456789" for sign in text) or _TIME_ALONE.match(text):
        return None
    return _read(text)


def _within(moment: float) -> float | None:
    return float(math.trunc(moment)) if abs(moment) <= _FARTHEST else None


def _read(text: str) -> float | None:
    if len(text) <= _LONGEST:
        for form in _FORMS:
            if found := form.match(text.strip(" ")):
                return _moment(found.groupdict())
    raise Failed(
        f"`{text[:_LONGEST]}` is in no form of dates that is known here; write it as `2026-03-04T05:06:07Z`"
    )


def _moment(found: dict[str, str | None]) -> float | None:
    """Return the moment; None where a part is out of its range. A day after its month's last counts on."""
    month = _MONTHS.index(named[:3].lower()) + 1 if (named := found.get("name")) else int(found["month"] or 1)
    day, hour = int(found["day"] or 1), _hour(found)
    minute, second = int(found["minute"] or 0), int(found["second"] or 0)
    if hour is None or not (1 <= month <= 12 and 1 <= day <= 31 and minute < 60 and second < 60):
        return None
    year = int(found["year"] or 0)
    if not year:
        raise Failed("a date before the year 1 has no place here")
    if hour > 24 or (hour == 24 and (minute or second)):
        return None
    start = datetime(year, month, 1) - EPOCH  # noqa: DTZ001 - its zone is counted below
    days = start.days + day - 1
    part = int((found["part"] or "0").ljust(3, "0")[:3])
    return float((((days * 24 + hour) * 60 + minute - _ahead(found)) * 60 + second) * 1000 + part)


def _hour(found: dict[str, str | None]) -> int | None:
    hour = int(found["hour"] or 0)
    half = (found.get("half") or "").lower()
    if not half:
        return hour
    return hour % 12 + (12 if half == "pm" else 0) if 1 <= hour <= 12 else None


def _ahead(found: dict[str, str | None]) -> int:
    """Return by how many minutes the zone that a text names is ahead of UTC."""
    minutes = int(found["hours"] or 0) * 60 + int(found["minutes"] or 0)
    return -minutes if found["sign"] == "-" else minutes
