"""Timestamps as sources write them, read to aware UTC datetimes.

Sources write ISO-8601 with any offset, Go's `time.String()` (Segment's delete messages), and Unix times
in seconds, milliseconds, microseconds or nanoseconds, as numbers or as text.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

#: How far ahead of ours a sender's clock may run before its times count as ours.
CLOCK_SKEW = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[-+]?[0-9]{1,20}(\.[0-9]{1,20})?\Z")
_COMPACT_DATE = re.compile(r"[12][0-9]{7}\Z")
#: What Go's `time.String()` prints: the zone's name and the monotonic clock follow the offset.
_GO = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [-+]\d{4}) \S+(?: m=[-+]\S+)?\Z", re.ASCII)
#: Where a number stops meaning seconds, milliseconds, microseconds: 1e11 s is the year 5138, 1e11 ms is 1973.
_SECONDS, _MILLISECONDS, _MICROSECONDS, _NANOSECONDS = 10**11, 10**14, 10**17, 10**20


def parse_timestamp(value: Any) -> datetime | None:
    """Return the instant in UTC, or None where `value` is not a timestamp; never raises.

    Text without an offset is UTC. A number below 1e11 is in seconds, else by its size in milliseconds
    (12 to 14 digits), microseconds or nanoseconds. Eight digits of text are a date.
    """
    kind = type(value)
    if kind is str:
        return _from_text(value)
    if kind is int or kind is float:
        return _from_number(value)
    return _in_utc(value) if isinstance(value, datetime) else None


def iso_text(moment: datetime) -> str:
    """Return an instant in UTC as ISO-8601 text with milliseconds and `Z`."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def believed(value: Any, received_at: datetime) -> datetime:
    """Return the instant that a message gives, or that of its receipt where it gives none, or one to come."""
    given = parse_timestamp(value)
    if given is None or (given > received_at and given > received_at + CLOCK_SKEW):
        return received_at
    return given


def _from_text(text: str) -> datetime | None:
    # Digits alone could pass for ISO-8601's basic format with an odd separator, so they go first.
    if text[4:5] != "-":
        text = text.strip()
        if _NUMBER.match(text):
            return _from_digits(text)
    try:
        return _in_utc(datetime.fromisoformat(text))
    except ValueError:
        go = _GO.match(text.strip())
    if go is None:
        return None
    try:
        return _in_utc(datetime.fromisoformat(go[1]))
    except ValueError:
        return None


def _from_digits(text: str) -> datetime | None:
    if _COMPACT_DATE.match(text):
        try:
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            pass
    return _from_number(float(text) if "." in text else int(text))


def _from_number(number: float) -> datetime | None:
    size = abs(number)
    try:
        if size < _SECONDS:
            return _EPOCH + timedelta(seconds=number)
        if size < _MILLISECONDS:
            return _EPOCH + timedelta(milliseconds=number)
        if size < _MICROSECONDS:
            return _EPOCH + timedelta(microseconds=number)
        return _EPOCH + timedelta(microseconds=number / 1000) if size < _NANOSECONDS else None
    except (OverflowError, ValueError):
        return None


def _in_utc(moment: datetime) -> datetime | None:
    zone = moment.tzinfo
    if zone is UTC:
        return moment
    try:
        return moment.replace(tzinfo=UTC) if zone is None else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
