"""Texts of cells as values: numbers, moments, lists. Nothing is guessed that can be read two ways."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from adapter.datamodel.declarations import Declared

_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,12})?\Z")
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")
_ISO_DAYISH = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?\Z")
_SLASHED = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})\Z")
_SHORTENED = re.compile(r"\d(\.\d+)?[eE]\+\d+\Z")
_TOKENS = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH": "%H", "mm": "%M", "SS": "%S"}
_TOKEN = re.compile("|".join(_TOKENS))


class BadCell(ValueError):
    """A cell that cannot be taken: one sentence."""


class CellOptions(Struct, frozen=True, kw_only=True):
    """How cells are read.

    `decimal_comma` says that numbers are written 12,50. `date_format` is one as DD.MM.YYYY, ISO 8601 where
    it is empty. `zone` is that of times without one. With `clear_empty` an empty cell removes what is stored.
    """

    decimal_comma: bool = False
    date_format: str = ""
    zone: str = "UTC"
    clear_empty: bool = False


def number(text: str, options: CellOptions, what: str = "Value") -> Decimal:
    """Return the exact number of a cell; raises BadCell."""
    bare = text.strip()
    if options.decimal_comma:
        if "." in bare:
            raise BadCell(f"{what} `{bare}` has a point, and the numbers have a decimal comma")
        bare = bare.replace(",", ".")
    elif "," in bare and _NUMBER.match(bare.replace(",", ".")):
        raise BadCell(
            f"{what} `{bare}` is not a number with a point; say --decimal comma if the file writes 12,50"
        )
    if _NUMBER.match(bare) is None:
        raise BadCell(f"{what} `{bare[:40]}` is not a number")
    return Decimal(bare)


def moment(text: str, options: CellOptions, *, end_of_day: bool = False) -> datetime:
    """Return the moment of a cell; a day alone begins, or with `end_of_day` ends, in the zone.

    Of a local time that occurs twice it is the first. Raises BadCell.
    """
    bare = text.strip()
    found = _formatted(bare, options.date_format) if options.date_format else _iso(bare)
    if end_of_day and found == date.max:  # it stands for never
        return datetime.max.replace(microsecond=0, tzinfo=UTC)
    try:
        if isinstance(found, datetime):
            zoned = found if found.tzinfo is not None else found.replace(tzinfo=_zone(options.zone))
            return zoned.astimezone(UTC)
        day = found + timedelta(days=1) if end_of_day else found
        return datetime.combine(day, time(), _zone(options.zone)).astimezone(UTC)
    except OverflowError:
        raise BadCell(f"`{bare[:40]}` lies outside of the calendar") from None


def day(text: str, options: CellOptions) -> str:
    """Return the day of a cell as ISO 8601 writes it, as of a birthdate; raises BadCell."""
    bare = text.strip()
    if not options.date_format:
        _iso(bare)
        return bare
    found = _formatted(bare, options.date_format)
    return (found.date() if isinstance(found, datetime) else found).isoformat()


def is_ambiguous(text: str, options: CellOptions) -> bool:
    """Return whether a time without a zone occurs twice in the zone."""
    try:
        found = _formatted(text, options.date_format) if options.date_format else _iso(text.strip())
    except BadCell:
        return False
    if not isinstance(found, datetime) or found.tzinfo is not None:
        return False
    local = found.replace(tzinfo=_zone(options.zone))
    return local.utcoffset() != local.replace(fold=1).utcoffset()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadCell(f"there is no time zone `{name}`") from None


def _iso(bare: str) -> datetime | date:
    try:
        if _ISO_DAY.match(bare):
            return date.fromisoformat(bare)
        if _ISO_DAYISH.match(bare):
            return datetime.fromisoformat(bare)
    except ValueError:
        raise BadCell(_no_day(bare)) from None
    if bare.isdecimal() and len(bare) in (10, 13):
        return datetime.fromtimestamp(int(bare) / (1000 if len(bare) == 13 else 1), UTC)
    slashed = _SLASHED.match(bare)
    if slashed is not None and int(slashed[1]) <= 12 and int(slashed[2]) <= 12 and slashed[1] != slashed[2]:
        raise BadCell(f"`{bare}` can be read two ways; say --date-format")
    if slashed is not None:
        raise BadCell(f"`{bare}` is not ISO 8601; say --date-format")
    raise BadCell(f"`{bare[:40]}` is not a time such as 2030-12-31 or 2030-12-31T12:00:00Z")


def _no_day(bare: str) -> str:
    day = bare[:10]
    try:
        date.fromisoformat(day)
    except ValueError:
        return f"{day} is not a day"
    return f"`{bare[:40]}` is not a time such as 2030-12-31T12:00:00Z"


def _formatted(bare: str, form: str) -> datetime | date:
    """Return a time in a form such as DD.MM.YYYY; raises BadCell."""
    pattern = _TOKEN.sub(lambda found: _TOKENS[found[0]], form)
    try:
        found = datetime.strptime(bare, pattern)  # noqa: DTZ007 - the caller knows the zone
    except ValueError:
        if "HH" not in form and (bare.endswith("Z") or "T" in bare):
            raise BadCell(f"`{bare[:40]}` is not a date as {form}") from None
        raise BadCell(f"`{bare[:40]}` is not a date as {form}") from None
    return found if "HH" in form else found.date()


def identifier(text: str, what: str) -> str:
    """Return an id as text; raises BadCell for an empty one, and for a number that lost its digits."""
    bare = text.strip()
    if not bare:
        raise BadCell(f"{what} is empty")
    if _SHORTENED.match(bare):
        raise BadCell(
            f"{what} `{bare}` was shortened by a spreadsheet: format the column as text, and save it again"
        )
    return bare


def boolean(text: str, what: str) -> bool:
    """Return true or false; raises BadCell."""
    found = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}.get(
        text.strip().lower()
    )
    if found is None:
        raise BadCell(f"{what} `{text[:40]}` is neither true nor false")
    return found


def json_value(text: str, what: str) -> Any:
    """Return the value of a cell of JSON; raises BadCell."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise BadCell(f"{what} is not JSON") from None


def listed(text: str) -> list[Any]:
    """Return the members of a list: a JSON array, or texts between commas."""
    bare = text.strip()
    if bare.startswith("["):
        try:
            found = msgspec.json.decode(bare)
        except (msgspec.DecodeError, RecursionError):
            found = None
        if isinstance(found, list):
            return found
    return [each for part in bare.split(",") if (each := part.strip())]


def value(text: str, declared: Declared | None, options: CellOptions, what: str) -> Any:
    """Return the value of a cell of a trait or attribute; None where it says nothing.

    Without a declaration it is text. `null` says nothing unless text is declared. Text in the form of a date
    must be one. Raises BadCell.
    """
    if declared is None:
        if text == "null":
            return None
        if text[4:5] == "-" and _ISO_DAY.match(text):
            try:
                date.fromisoformat(text)
            except ValueError:
                raise BadCell(f"{what} {text} is no date") from None
        return text
    name, many = declared.type.name, declared.type.many
    if many:
        return None if text.strip() == "null" else [_one(each, name, options, what) for each in listed(text)]
    if name != "string" and text.strip() == "null":
        return None
    return _one(text, name, options, what)


def _one(text: Any, name: str, options: CellOptions, what: str) -> Any:
    if not isinstance(text, str):
        return text
    if name in {"number", "money"} and (options.decimal_comma or "," in text):
        return plain_number(number(text, options, what))
    if name in {"date", "datetime"} and options.date_format:
        found = moment(text, options)
        return found.date().isoformat() if name == "date" else found.isoformat().replace("+00:00", "Z")
    if name == "datetime" and _ISO_DAYISH.match(text.strip()):
        return moment(text, options).isoformat().replace("+00:00", "Z")
    return text


def plain_number(found: Decimal) -> int | Decimal:
    """Return a whole number as int."""
    return int(found) if found == found.to_integral_value() else found
