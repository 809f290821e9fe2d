"""The functions of the condition language: CEL's own and its strings extension, none of which can raise.

Sources: cel-spec doc/langdef.md "List of Standard Definitions"; cel-go ext/README.md "Strings".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import re2
from msgspec import Struct

from adapter.rules.expressions.typed_tree import Kind
from adapter.rules.expressions.values import ABSENT, NUMBERS, exact
from adapter.rules.expressions.zones import named

_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})\Z"
)
_DURATION = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?(?:h|ms|m|s|us|ns))+\Z")
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?)(h|ms|m|s|us|ns)")
_MICROSECONDS = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}
_OFFSET = re.compile(r"[+-]?[0-9]{2}:[0-9]{2}\Z")
_NUMERAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_LONGEST_NUMERAL = 64
_RE2 = re2.Options()
_RE2.log_errors = False
_RE2.max_mem = 1 << 20
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}


class Function(Struct, frozen=True):
    """A function: `accepts` gives the kinds of each argument, a method's receiver first.

    `optional` counts the arguments that may be left out at the end.
    """

    run: Callable[..., Any]
    accepts: tuple[tuple[Kind, ...], ...]
    gives: Kind
    method: bool = True
    free: bool = False
    optional: int = 0


def size(value: Any) -> Any:
    """Return the number of characters, elements or fields."""
    return len(value) if value.__class__ in (str, list, tuple, dict) else ABSENT


def _texts(run: Callable[[str, str], Any]) -> Callable[[Any, Any], Any]:
    def guarded(one: Any, other: Any) -> Any:
        return run(one, other) if one.__class__ is str and other.__class__ is str else ABSENT

    return guarded


def _mapped(table: dict[int, int]) -> Callable[[Any], Any]:
    return lambda value: value.translate(table) if value.__class__ is str else ABSENT


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
    """Return a time, read from RFC 3339 text where it is text (`timestamp()`)."""
    if value.__class__ is datetime:
        return value
    match = _RFC3339.match(value) if value.__class__ is str else None
    if match is None:
        return ABSENT
    day, time, fraction, zone = match.groups()
    try:
        return datetime.fromisoformat(f"{day}T{time}{(fraction or '')[:7]}{zone.upper()}")
    except ValueError:
        return ABSENT


def duration(value: Any) -> Any:
    """Return a duration, read from text such as 1h30m (`duration()`)."""
    if value.__class__ is timedelta:
        return value
    if value.__class__ is not str or len(value) > _LONGEST_NUMERAL or not _DURATION.match(value):
        return ABSENT
    parts = _DURATION_PART.findall(value)
    total = sum(float(amount) * _MICROSECONDS.get(unit, 0.001) for amount, unit in parts)
    try:
        return timedelta(microseconds=-total if value[0] == "-" else total)
    except OverflowError:
        return ABSENT


def pattern(text: str) -> Any:
    """Compile an author's regular expression with RE2 (linear time); None when it is not one."""
    try:
        return re2.compile(text, _RE2)
    except (re2.error, UnicodeEncodeError):
        return None


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


_TEXT: tuple[Kind, ...] = ("text",)
_TIME: tuple[Kind, ...] = ("timestamp",)
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
    "startsWith": Function(_texts(str.startswith), (_TEXT, _TEXT), "boolean"),
    "endsWith": Function(_texts(str.endswith), (_TEXT, _TEXT), "boolean"),
    "contains": Function(_texts(str.__contains__), (_TEXT, _TEXT), "boolean"),
    "lowerAscii": Function(_mapped(_LOWER), (_TEXT,), "text"),
    "upperAscii": Function(_mapped(_UPPER), (_TEXT,), "text"),
    "matches": Function(matches, (_TEXT, ("any",)), "boolean"),
    "double": Function(number, (("number", "text"),), "number", method=False, free=True),
    "int": Function(whole, (("number", "text", "timestamp"),), "number", method=False, free=True),
    "timestamp": Function(moment, (("text", "timestamp"),), "timestamp", method=False, free=True),
    "duration": Function(duration, (("text", "duration"),), "duration", method=False, free=True),
    **{name: Function(_clock(read), (_TIME, _TEXT), "number", optional=1) for name, read in CLOCKS.items()},
}
