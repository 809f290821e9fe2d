"""Times as programs and people write them, where the text is unambiguous.

JavaScript's `toString` and `toUTCString`, Go's and Ruby's, Java's zones in brackets, HTTP's and e-mail's
dates, one-digit months, slashes after a year, AM and PM. `2/3/2015` could be in February or in March, and is
not read; nor are names of zones other than UTC, because CST is three zones, nor a zone only in brackets.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?"
_DATES = (
    r"(?P<year>\d{4})(?P<sign>[-/.])(?P<number>\d{1,2})(?P=sign)(?P<day>\d{1,2})",
    rf"{_WEEKDAY}{_DAY}[\s-]+{_MONTH},?[\s-]+(?P<year>\d{{4}})",
    rf"{_WEEKDAY}{_MONTH}\s+{_DAY},?\s+(?P<year>\d{{4}})",
)
_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,20}))?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?"
)
#: A zone's name, which is redundant, and Go's monotonic clock may follow an offset.
_OFFSET = (
    r"(?:(?P<zone>z|(?:utc|gmt)?(?P<east>[-+])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})"
    r"(?:\s*\([^()]{1,60}\)|\s+[a-z]{3,5}|\s+[-+]\d{2,4})?(?:\s+m=[-+]\S+)?|utc|gmt)"
    r"(?:\[[\w/+:-]{1,60}\])?)?"
)
_FORMS = (
    *(rf"{date}(?:(?:t|,?\s+(?:at\s+)?){_TIME}\s*{_OFFSET})?" for date in _DATES),
    rf"{_WEEKDAY}{_MONTH}\s+{_DAY}\s+{_TIME}\s+(?:{_OFFSET}\s+)?(?P<year>\d{{4}})",
)
_PATTERNS = tuple(re.compile(rf"{form}\Z", re.ASCII | re.IGNORECASE) for form in _FORMS)
#: The longest of these forms has a third of it; the limit bounds the time of matching.
_LONGEST = 200


def read_written(text: str) -> datetime | None:
    """Return the time in a text, without a zone where it has none; None for other text."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    for pattern in _PATTERNS:
        found = pattern.match(text)
        if found is not None:
            return _moment(found.groupdict())
    return None


def _moment(parts: dict[str, str | None]) -> datetime | None:
    month = parts.get("month")
    number = _MONTHS.index(month[:3].lower()) + 1 if month else int(parts["number"] or 0)
    try:
        day = datetime(int(parts["year"] or 0), number, int(parts["day"] or 0), tzinfo=_zone(parts))
        return day + _of_day(parts)
    except (ValueError, OverflowError):
        return None


def _of_day(parts: dict[str, str | None]) -> timedelta:
    """Return the time since midnight; 24:00 is the end of the day, and a leap second the next minute."""
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    half = parts["half"]
    if half is not None:
        if not 1 <= hour <= 12:
            raise ValueError(half)
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    past = timedelta(hours=hour, minutes=minute, seconds=second)
    if minute > 59 or second > 60 or past > timedelta(days=1):
        raise ValueError(hour)
    return past + timedelta(microseconds=int((parts["fraction"] or "").ljust(6, "0")[:6]))


def _zone(parts: dict[str, str | None]) -> timezone | None:
    if parts["east"] is None:
        return UTC if parts["zone"] else None
    offset = timedelta(hours=int(parts["hours"] or 0), minutes=int(parts["minutes"] or 0))
    return timezone(offset if parts["east"] == "+" else -offset)
