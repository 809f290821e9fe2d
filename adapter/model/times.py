"""Timestamps as sources write them, read to aware UTC datetimes.

Sources write ISO-8601 with any offset, Go's `time.String()` (Segment's delete messages), and Unix times
in seconds, milliseconds, microseconds or nanoseconds, as numbers or as text. Other forms of text are read in
`written_times`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from adapter.model.written_times import read_written

#: How far a sender's clock may be ahead of ours before its times are replaced by the time of receipt.
CLOCK_SKEW = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[-+]?[0-9]{1,20}(\.[0-9]{1,20})?\Z")
_COMPACT_DATE = re.compile(r"[12][0-9]{7}\Z")
#: 14 digits, which would be milliseconds in the far future.
_COMPACT_MOMENT = re.compile(r"([12][0-9]{7})([0-9]{6})\Z")
#: Upper bounds of seconds, milliseconds, microseconds: 1e11 s is the year 5138, 1e11 ms is 1973.
_SECONDS, _MILLISECONDS, _MICROSECONDS, _NANOSECONDS = 10**11, 10**14, 10**17, 10**20
#: The latest time that a number can mean, 1e10 s: a larger number is not a time.
_LAST = datetime(2286, 11, 20, 17, 46, 40, tzinfo=UTC)
_KINDS: dict[type, str] = {
    str: "text", int: "a number", float: "a number", bool: "a boolean", dict: "an object",
}  # fmt: skip


def parse_timestamp(value: Any) -> datetime | None:
    """Return the instant in UTC, or None where `value` is not a timestamp; never raises.

    Text without an offset is UTC. A number below 1e11 is in seconds, else by its size in milliseconds
    (12 or 13 digits), microseconds or nanoseconds, up to the year 2286. Eight digits of text are a date, and
    14 digits a date and a time. Other text is read where it is unambiguous: `2/3/2015` is not.
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


class MessageTime(Struct, frozen=True):
    """The time of an event or message, `at`.

    `misfit` is a sentence where the time that was sent cannot be read; `undated` says that `at` is only the
    time of sending or receipt, so that the event may have occurred long before.
    """

    at: datetime
    misfit: str = ""
    undated: bool = False


def message_time(document: dict[str, Any], received_at: datetime) -> MessageTime:
    """Return the time of a message's document; a time in the future is replaced by the time of receipt.

    That is `timestamp`, else `originalTimestamp`, else `sentAt`, else the time of receipt. Where a source's
    decoder replaced `timestamp`, `unreadTimestamp` has the value that was sent.
    """
    sent = document.get("timestamp")
    given = parse_timestamp(sent)
    if given is not None and "unreadTimestamp" not in document:
        return MessageTime(given if given <= received_at else _at_most(received_at, given))
    return _without_timestamp(document, received_at, given)


def event_time(value: Any, document: dict[str, Any], received_at: datetime) -> MessageTime:
    """Return the time of an event: the value that a mapping gives, else that of the message."""
    if value is None or _is_blank(value):
        return message_time(document, received_at)
    given = parse_timestamp(value)
    if given is not None:
        return MessageTime(_at_most(received_at, given))
    of_message = message_time(document, received_at).at
    misfit = f"`occurred_at` is {_kind(value)} that cannot be read as a time; the message's time is used"
    return MessageTime(of_message, misfit, undated=True)


def _without_timestamp(
    document: dict[str, Any], received_at: datetime, given: datetime | None
) -> MessageTime:
    sent = document.get("unreadTimestamp", document.get("timestamp"))
    read = {
        "`originalTimestamp`": parse_timestamp(document.get("originalTimestamp")),
        "the batch's time": given,
        "`sentAt`": parse_timestamp(document.get("sentAt")),
        "the time of receipt": received_at,
    }
    name, moment = next((name, moment) for name, moment in read.items() if moment is not None)
    at = _at_most(received_at, moment)
    if _is_blank(sent):
        return MessageTime(at)
    misfit = f"`timestamp` is {_kind(sent)} that cannot be read as a time; {name} is used"
    return MessageTime(at, misfit, undated=name != "`originalTimestamp`")


def _at_most(received_at: datetime, given: datetime) -> datetime:
    return received_at if given > received_at and given > received_at + CLOCK_SKEW else given


def _is_blank(value: Any) -> bool:
    return value is None or (value.__class__ is str and not value.strip())


def _kind(value: Any) -> str:
    """Return the kind of a value for an error message, never the value: it may be personal data."""
    return _KINDS.get(value.__class__, "a list")


def _from_text(text: str) -> datetime | None:
    # Digits alone could pass for ISO-8601's basic format with an odd separator, so they go first.
    if text[4:5] != "-":
        text = text.strip()
        if _NUMBER.match(text):
            return _from_digits(text)
    try:
        return _in_utc(datetime.fromisoformat(text))
    except ValueError:
        moment = read_written(text)
    return None if moment is None else _in_utc(moment)


def _from_digits(text: str) -> datetime | None:
    if _COMPACT_DATE.match(text):
        try:
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            pass
    return _from_number(float(text) if "." in text else int(text))


def _from_number(number: float) -> datetime | None:
    try:
        moment = _of_epoch(number)
        if moment is None or moment <= _LAST:
            return moment
        compact = _COMPACT_MOMENT.match(str(number))
        return compact and datetime.fromisoformat("T".join(compact.groups())).replace(tzinfo=UTC)
    except (OverflowError, ValueError):
        return None


def _of_epoch(number: float) -> datetime | None:
    size = abs(number)
    if size < _SECONDS:
        return _EPOCH + timedelta(seconds=number)
    if size < _MILLISECONDS:
        return _EPOCH + timedelta(milliseconds=number)
    if size < _MICROSECONDS:
        return _EPOCH + timedelta(microseconds=number)
    return _EPOCH + timedelta(microseconds=number / 1000) if size < _NANOSECONDS else None


def _in_utc(moment: datetime) -> datetime | None:
    zone = moment.tzinfo
    if zone is UTC:
        return moment
    try:
        return moment.replace(tzinfo=UTC) if zone is None else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
