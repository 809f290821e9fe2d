"""Dates in a form that is written out, as `%d.%m.%Y %H:%M`: strftime's letters, read strictly.

Names of months and weekdays are English, whatever the machine's language. A field of one or two digits has
exactly two where another number follows or precedes it without a separator.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: By letter: the name of the group, and its pattern; `#` is one or two digits.
_FIELDS = {
    "Y": ("year", r"\d{4}"), "y": ("short_year", r"\d{2}"), "m": ("month", "#"), "d": ("day", "#"),
    "b": ("month_name", r"[a-z]{3,9}\.?"), "B": ("month_name", r"[a-z]{3,9}\.?"),
    "a": ("weekday", r"[a-z]{3,9}\.?"), "A": ("weekday", r"[a-z]{3,9}\.?"),
    "H": ("hour", "#"), "I": ("half_hour", "#"), "p": ("half", r"[ap]\.?m\.?"), "M": ("minute", r"\d{2}"),
    "S": ("second", r"\d{2}"), "f": ("fraction", r"\d{1,9}"), "z": ("zone", r"z|[-+]\d{2}:?\d{2}"),
}  # fmt: skip
_NUMBERS = frozenset("YymdHIMSf")
_PARTS = re.compile(r"%(.)|(\s+)|([^%\s]+)", re.DOTALL)
#: Longer text is no date.
_LONGEST = 100


class BadFormat(ValueError):
    """A form that cannot be read: what is wrong with it, and what to write."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class DateFormat(NamedTuple):
    """A form of dates; `timed` ones have a time of day, `zoned` ones an offset from UTC too."""

    text: str
    pattern: re.Pattern[str]
    timed: bool
    zoned: bool

    def read(self, text: str) -> date | datetime | None:
        """Return the date, or the time (with a zone where the form is `zoned`); None for other text."""
        found = self.pattern.match(text.strip()) if len(text) <= _LONGEST else None
        if found is None:
            return None
        try:
            return _moment(found.groupdict(), timed=self.timed)
        except (ValueError, OverflowError):
            return None


@lru_cache(maxsize=512)
def date_format(text: str) -> DateFormat:
    """Compile a form; raises BadFormat."""
    parts = list(_PARTS.finditer(text))
    letters = [part[1] or "" for part in parts]
    if "".join(part[0] for part in parts) != text:
        raise BadFormat("a `%` has no letter", "write `%%` for the sign itself")
    _check(letters)
    source = "".join(_source(part, letters, place) for place, part in enumerate(parts))
    timed = not {"H", "I"}.isdisjoint(letters)
    return DateFormat(text, re.compile(rf"{source}\Z", re.ASCII | re.IGNORECASE), timed, "z" in letters)


def _check(letters: list[str]) -> None:
    used = [letter for letter in letters if letter not in ("", "%")]
    for letter in used:
        if letter not in _FIELDS:
            raise BadFormat(
                f"`%{letter}` is not known", f"write one of {' '.join(f'%{key}' for key in _FIELDS)}"
            )
    names = [_FIELDS[letter][0].removeprefix("short_").removesuffix("_name") for letter in used]
    if len(set(names)) < len(names) or {"H", "I"} <= set(used):
        raise BadFormat(
            "a part of the date is written twice", "write year, month, day and each part of the time once"
        )
    if missing := [name for name in ("year", "month", "day") if name not in names]:
        raise BadFormat(f"the date has no {missing[0]}", "write %Y, %m (or %b) and %d")
    if ("I" in used) != ("p" in used):
        raise BadFormat("`%I` and `%p` need each other", "write `%I:%M %p`, or `%H:%M` for 24 hours")
    if {"M", "S", "f", "z"} & set(used) and not {"H", "I"} & set(used):
        raise BadFormat("a time has no hour", "write `%H`")


def _source(part: re.Match[str], letters: list[str], place: int) -> str:
    if part[2]:
        return r"\s+"
    if part[3] or part[1] == "%":
        return re.escape(part[3] or "%")
    name, pattern = _FIELDS[part[1]]
    beside = letters[max(place - 1, 0) : place] + letters[place + 1 : place + 2]
    digits = r"\d{2}" if _NUMBERS.intersection(beside) else r"\d{1,2}"
    return f"(?P<{name}>{digits if pattern == '#' else pattern})"


def _moment(parts: dict[str, str | None], *, timed: bool) -> date | datetime:
    year = int(parts.get("year") or 0) if parts.get("year") else _century(int(parts["short_year"] or 0))
    name = parts.get("month_name")
    month = _index(name, _MONTHS) + 1 if name else int(parts.get("month") or 0)
    day = date(year, month, int(parts["day"] or 0))
    weekday = parts.get("weekday")
    if weekday and _index(weekday, _WEEKDAYS) != day.weekday():
        raise ValueError(weekday)
    if not timed:
        return day
    microsecond = int((parts.get("fraction") or "").ljust(6, "0")[:6])
    minute, second = int(parts.get("minute") or 0), int(parts.get("second") or 0)
    zone = _offset(parts.get("zone"))
    return datetime(day.year, day.month, day.day, _hour(parts), minute, second, microsecond, zone)


def _century(year: int) -> int:
    """Return the year of two digits as POSIX does: 69 to 99 are of the last century."""
    return year + (1900 if year > 68 else 2000)


def _index(name: str, names: tuple[str, ...]) -> int:
    """Return the place of a name, written whole or by its first letters; raises ValueError for others."""
    word = name.lower().rstrip(".")
    for place, one in enumerate(names):
        if one.startswith(word):
            return place
    raise ValueError(name)


def _hour(parts: dict[str, str | None]) -> int:
    half = parts.get("half")
    if half is None:
        return int(parts.get("hour") or 0)
    hour = int(parts.get("half_hour") or 0)
    if not 1 <= hour <= 12:
        raise ValueError(hour)
    return hour % 12 + (12 if half[0].lower() == "p" else 0)


def _offset(zone: str | None) -> timezone | None:
    if zone is None:
        return None
    if zone in "zZ":
        return UTC
    digits = zone[1:].replace(":", "")
    minutes = int(digits[2:])
    if minutes > 59:
        raise ValueError(zone)
    offset = timedelta(hours=int(digits[:2]), minutes=minutes)
    return timezone(-offset if zone[0] == "-" else offset)
