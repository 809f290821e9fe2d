"""Filters of dates, in UTC unless a filter names a zone; the words are English, as at Segment."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from adapter.mapping.engine.values import UNDEFINED, is_number
from adapter.mapping.liquid.context import Context, Failed
from adapter.mapping.liquid.filters.moments import EPOCH, milliseconds
from adapter.mapping.liquid.values import is_nil, number, shown

_LONG = "%A, %B %-e, %Y at %-l:%M %P %z"
_PART = re.compile("%([-_0^#:]+)?([0-9]+)?([EO])?([^\n\r\u2028\u2029])")
_WORDS = frozenset({"now", "today"})
_MOMENT = "name a moment of the message, such as `{{ timestamp | date: '%Y' }}`"
_LOCAL_FORMATS = "cxX"
_MINUTE = timedelta(minutes=1)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_WIDTHS = {"j": 3, "L": 3, **dict.fromkeys("deHIklmMSUW", 2)}
_PADDED_BY_SPACE = frozenset("aAbBceklpP")


@dataclass(frozen=True, slots=True)
class _Date:
    """A moment on the clock of a zone: `shown` is what the clock shows, `behind` its minutes behind UTC."""

    shown: datetime
    behind: float
    zone: str

    def offset(self, colon: bool) -> str:
        """Return the zone as `+01:00`."""
        away = int(abs(self.behind))
        return f"{'-' if self.behind > 0 else '+'}{away // 60:02}{':' if colon else ''}{away % 60:02}"


def doubts(written: list[Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the value and the arguments that a template writes for a filter of dates."""
    if any(type(part) is str and part in _WORDS for part in written):
        yield "`now` and `today` are no dates here: a mapping reads no clock", _MOMENT
    if len(written) > 1 and type(written[1]) is str and (local := _local(written[1])):
        yield (
            f"`%{local}` of a date depends on the machine's language",
            "write the parts: `%Y-%m-%d %H:%M`",
        )


def _local(form: str) -> str | None:
    return next((part[4] for part in _PART.finditer(form) if part[4] in _LOCAL_FORMATS), None)


def _date(context: Context, value: Any, form: Any = UNDEFINED, zone: Any = UNDEFINED) -> Any:
    date = _read(value, zone)
    return value if date is None else _formatted(context, date, _LONG if is_nil(form) else shown(form))


def _to_xmlschema(context: Context, value: Any) -> Any:
    return _date(context, value, "%Y-%m-%dT%H:%M:%S%:z")


def _to_rfc822(context: Context, value: Any) -> Any:
    return _date(context, value, "%a, %d %b %Y %H:%M:%S %z")


def _to_words(month: str) -> Callable[..., Any]:
    def words(context: Context, value: Any, kind: Any = UNDEFINED, style: Any = UNDEFINED) -> Any:
        date = _read(value, UNDEFINED)
        if date is None:
            return value
        if kind != "ordinal":
            return _formatted(context, date, f"%d {month} %Y")
        day = date.shown.day
        return _formatted(context, date, f"{month} {day}%q, %Y" if style == "US" else f"{day}%q {month} %Y")

    return words


def _read(value: Any, zone: Any) -> _Date | None:
    if is_nil(value):
        return None
    if type(value) is str and value in _WORDS:
        raise Failed(f"`{value}` is no date here: a mapping reads no clock")
    moment = milliseconds(value)
    if moment is None:
        return None
    behind, name = _zone(zone, moment)
    return _Date(_clock(moment - behind * 60_000), behind, name)


def _clock(moment: float) -> datetime:
    try:
        return EPOCH + timedelta(milliseconds=int(moment))
    except OverflowError:
        raise Failed("a date before the year 1 or after the year 9999 has no place here") from None


def _zone(zone: Any, moment: float) -> tuple[float, str]:
    """Return how many minutes a zone is behind UTC at a moment, and its name."""
    if is_nil(zone):
        return 0, "UTC"
    if is_number(zone):
        return number(zone), ""
    try:
        if type(zone) is not str:
            raise ValueError
        local = ZoneInfo(zone).utcoffset(_clock(moment))
    except (OSError, ValueError, KeyError):
        raise Failed(f"Invalid time zone specified: {shown(zone)}") from None
    return -((local or timedelta()) / _MINUTE), zone


def _formatted(context: Context, date: _Date, form: str) -> str:
    context.walk(form)
    return _PART.sub(lambda part: _part(context, date, part), form)


def _part(context: Context, date: _Date, part: re.Match[str]) -> str:
    flags, digits, conversion = part[1] or "", part[2], part[4]
    if conversion in _LOCAL_FORMATS:
        raise Failed(f"`%{conversion}` of a date depends on the machine's language")
    width = int(digits or 0) or _WIDTHS.get(conversion, 0)
    context.use(width)
    if conversion == "N":
        text = f"{date.shown.microsecond // 1000:03}"[: width or 9].ljust(width or 9, "0")
    elif conversion in _CONVERSIONS:
        text = str(_CONVERSIONS[conversion](date, flags))
    else:
        return part[0]
    if "^" in flags:
        text = text.upper()
    elif "#" in flags:
        text = text.upper() if any("a" <= sign <= "z" for sign in text) else text.lower()
    padding = " " if "_" in flags or (conversion in _PADDED_BY_SPACE and "0" not in flags) else "0"
    return text if "-" in flags else text.rjust(width, padding)


def _week(day: datetime, first: int) -> int:
    """Return the week of the year, which starts on Sunday (0) or Monday (1); week 1 holds the first."""
    start = day.timetuple().tm_yday + first - day.isoweekday() % 7
    january = datetime(day.year, 1, 1).isoweekday() % 7  # noqa: DTZ001 - a clock's day
    return (start - (7 - january + first)) // 7 + 1


def _ordinal(day: int) -> str:
    return "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


#: What each letter of a format writes, of the date and the flags before the letter.
_CONVERSIONS: dict[str, Callable[[_Date, str], object]] = {
    "a": lambda date, _: _DAYS[date.shown.weekday()][:3],
    "A": lambda date, _: _DAYS[date.shown.weekday()],
    "b": lambda date, _: _MONTHS[date.shown.month - 1][:3],
    "B": lambda date, _: _MONTHS[date.shown.month - 1],
    "h": lambda date, _: _MONTHS[date.shown.month - 1][:3],
    "C": lambda date, _: int(str(date.shown.year)[:2]),
    "d": lambda date, _: date.shown.day,
    "e": lambda date, _: date.shown.day,
    "H": lambda date, _: date.shown.hour,
    "I": lambda date, _: date.shown.hour % 12 or 12,
    "j": lambda date, _: date.shown.timetuple().tm_yday,
    "k": lambda date, _: date.shown.hour,
    "l": lambda date, _: date.shown.hour % 12 or 12,
    "L": lambda date, _: date.shown.microsecond // 1000,
    "m": lambda date, _: date.shown.month,
    "M": lambda date, _: date.shown.minute,
    "p": lambda date, _: "AM" if date.shown.hour < 12 else "PM",
    "P": lambda date, _: "am" if date.shown.hour < 12 else "pm",
    "q": lambda date, _: _ordinal(date.shown.day),
    "s": lambda date, _: ((date.shown - EPOCH) // timedelta(milliseconds=1) + 500) // 1000,
    "S": lambda date, _: date.shown.second,
    "u": lambda date, _: date.shown.isoweekday(),
    "U": lambda date, _: _week(date.shown, 0),
    "w": lambda date, _: date.shown.isoweekday() % 7,
    "W": lambda date, _: _week(date.shown, 1),
    "y": lambda date, _: str(date.shown.year)[2:4],
    "Y": lambda date, _: date.shown.year,
    "z": lambda date, flags: date.offset(":" in flags),
    "Z": lambda date, flags: date.zone or date.offset(":" in flags),
    "t": lambda *_: "\t",
    "n": lambda *_: "\n",
    "%": lambda *_: "%",
}

FILTERS: dict[str, Callable[..., Any]] = {
    "date": _date, "date_to_xmlschema": _to_xmlschema, "date_to_rfc822": _to_rfc822,
    "date_to_string": _to_words("%b"), "date_to_long_string": _to_words("%B"),
}  # fmt: skip
