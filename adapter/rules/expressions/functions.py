"""The functions of the condition language: CEL's own and its extensions, none of which can raise.

Sources: cel-spec doc/langdef.md "List of Standard Definitions"; cel-go ext/README.md "Strings".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from adapter.model.zones import named
from adapter.rules.expressions.function_contract import Function, Kinds
from adapter.rules.expressions.number_functions import NUMBER_FUNCTIONS
from adapter.rules.expressions.text_functions import TEXT_FUNCTIONS
from adapter.rules.expressions.values import ABSENT, NUMBERS, exact

_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})\Z"
)
_DURATION = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?(?:h|ms|m|s|us|ns))+\Z")
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?)(h|ms|m|s|us|ns)")
_MICROSECONDS = {"h": Fraction(3_600_000_000), "m": Fraction(60_000_000), "s": Fraction(1_000_000),
                 "ms": Fraction(1_000), "us": Fraction(1), "ns": Fraction(1, 1_000)}  # fmt: skip
_OFFSET = re.compile(r"[+-]?[0-9]{2}:[0-9]{2}\Z")
_NUMERAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_LONGEST_NUMERAL = 64


def size(value: Any) -> Any:
    """Return the number of characters, elements or fields."""
    return len(value) if value.__class__ in (str, list, tuple, dict) else ABSENT


def number(value: Any) -> Any:
    """Return a number, read from text where it is text (`double()`)."""
    if value.__class__ is str:
        if len(value) > _LONGEST_NUMERAL or not _NUMERAL.match(value):
            return ABSENT
        value = float(value)
        return value if value - value == 0 else ABSENT
    return value if value.__class__ in NUMBERS else ABSENT


def whole(value: Any) -> Any:
    """Return a number without its fraction, read from text, or the seconds since 1970 of a time (`int()`)."""
    if value.__class__ is datetime:
        return int((value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1))
    if value.__class__ is str:
        fits = len(value) <= _LONGEST_NUMERAL and re.match(r"-?[0-9]+\Z", value)
        return int(value) if fits else ABSENT
    value = number(value)
    return ABSENT if value is ABSENT else int(exact(value))


def moment(value: Any) -> Any:
    """Return a time, read from RFC 3339 text or from the seconds since 1970 (`timestamp()`).

    CEL knows the years 1 to 9999 of UTC. Digits after the microseconds are cut off.
    """
    if value.__class__ is datetime:
        return value
    if value.__class__ in NUMBERS:
        return _epoch(exact(value))
    match = _RFC3339.match(value) if value.__class__ is str else None
    if match is None:
        return ABSENT
    day, time, fraction, zone = match.groups()
    try:
        found = datetime.fromisoformat(f"{day}T{time}{(fraction or '')[:7]}{zone.upper()}")
        found.astimezone(UTC)
    except (ValueError, OverflowError):
        return ABSENT
    return found


def _epoch(seconds: Any) -> Any:
    if seconds.__class__ is not int:
        return ABSENT
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError:
        return ABSENT


def too_fine(text: str) -> bool:
    """Return whether a written time or duration has parts of a microsecond."""
    match = _RFC3339.match(text)
    if match is not None:
        return bool((match[3] or "")[7:].strip("0"))
    return bool(_DURATION.match(text)) and _microseconds(text).denominator != 1


def duration(value: Any) -> Any:
    """Return a duration, read from text such as 1h30m (`duration()`)."""
    if value.__class__ is timedelta:
        return value
    if value.__class__ is not str or len(value) > _LONGEST_NUMERAL or not _DURATION.match(value):
        return ABSENT
    total = _microseconds(value)
    if total.denominator != 1:
        return ABSENT
    try:
        return timedelta(microseconds=int(total))
    except OverflowError:
        return ABSENT


def _microseconds(text: str) -> Fraction:
    parts = _DURATION_PART.findall(text)
    total = sum((Fraction(amount.rstrip(".")) * _MICROSECONDS[unit] for amount, unit in parts), Fraction())
    return -total if text[0] == "-" else total


def matches(value: Any, compiled: Any) -> Any:
    """Tell whether a compiled pattern is found in the text."""
    if value.__class__ is not str:
        return ABSENT
    try:
        return compiled.search(value) is not None
    except UnicodeEncodeError:
        return ABSENT


def zone(name: str) -> ZoneInfo | timedelta | None:
    """Return the zone of a name, or the offset that `+02:00` says; None when it is neither."""
    if _OFFSET.match(name):
        sign = -1 if name[0] == "-" else 1
        hours, minutes = name.lstrip("+-").split(":")
        return timedelta(hours=sign * int(hours), minutes=sign * int(minutes))
    return named(name)


def _clock(read: Callable[[datetime], int]) -> Callable[..., Any]:
    def guarded(value: Any, name: Any = "UTC") -> Any:
        if value.__class__ is not datetime or name.__class__ is not str:
            return ABSENT
        found = zone(name)
        if found is None:
            return ABSENT
        try:
            shifted = (
                value.astimezone(UTC) + found if isinstance(found, timedelta) else value.astimezone(found)
            )
        except OverflowError:
            return ABSENT
        return read(shifted)

    return guarded


_TEXT: Kinds = ("text",)
_TIME: Kinds = ("timestamp",)
CLOCKS: dict[str, Callable[[datetime], int]] = {
    "getFullYear": lambda at: at.year,
    "getMonth": lambda at: at.month - 1,
    "getDate": lambda at: at.day,
    "getDayOfMonth": lambda at: at.day - 1,
    "getDayOfWeek": lambda at: at.isoweekday() % 7,
    "getDayOfYear": lambda at: at.timetuple().tm_yday - 1,
    "getHours": lambda at: at.hour,
    "getMinutes": lambda at: at.minute,
    "getSeconds": lambda at: at.second,
}

FUNCTIONS: dict[str, Function] = {
    "size": Function(size, (("text", "list", "object"),), "number", free=True),
    **TEXT_FUNCTIONS,
    **NUMBER_FUNCTIONS,
    "matches": Function(matches, (_TEXT, ("any",)), "boolean"),
    "double": Function(number, (("number", "text"),), "number", method=False, free=True),
    "int": Function(whole, (("number", "text", "timestamp"),), "number", method=False, free=True),
    "timestamp": Function(moment, (("text", "number", "timestamp"),), "timestamp", method=False, free=True),
    "duration": Function(duration, (("text", "duration"),), "duration", method=False, free=True),
    **{name: Function(_clock(read), (_TIME, _TEXT), "number", optional=1) for name, read in CLOCKS.items()},
}
