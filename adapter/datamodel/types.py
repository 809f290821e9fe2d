"""The types of the data model, and the coercions to each of them.

A coercion is safe: it loses nothing and is unambiguous, as `"145.75"` to a number, `"true"` to a boolean,
Unix seconds to a datetime. mParticle sends every custom attribute as text, so most of these are frequent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, Final

import msgspec
from msgspec import Struct

from adapter.model.amounts import read_amount, without_noise
from adapter.model.times import parse_timestamp

#: A reader returns this for a value that is not of its type.
MISFIT: Final = object()
#: A reader returns this for a value that is equal to a missing one.
ABSENT: Final = object()
Reader = Callable[[Any], Any]

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_BOOLEANS: dict[Any, bool] = {"true": True, "false": False, "1": True, "0": False}
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
#: Smaller numbers are not Unix times: they would be before March 1973.
_EARLIEST = 10**8


class Type(Struct, frozen=True):
    """One of `NAMES`, or an array of it."""

    name: str
    many: bool = False

    def __str__(self) -> str:
        return f"array of {self.name}" if self.many else self.name

    @property
    def classes(self) -> frozenset[type]:
        """The classes whose values are all of the type, so that none needs a check."""
        return frozenset() if self.many else _CLASSES.get(self.name, frozenset())

    @property
    def reader(self) -> Reader:
        """A function that returns a valid value unchanged, else the coerced value, else MISFIT."""
        read = _READERS[self.name]
        return _array(read, _CLASSES.get(self.name, frozenset())) if self.many else read

    @property
    def described(self) -> str:
        """The type in an error message: `a number`, `an array of text`."""
        return f"an array of {_PLURAL[self.name]}" if self.many else _DESCRIBED[self.name]


def parse_type(text: str) -> Type | None:
    """Return the type that `number`, `array of string` or `array` (of anything) names, else None."""
    words = text.split()
    if words == ["array"]:
        return Type("any", many=True)
    many = words[:2] == ["array", "of"]
    name = words[2:] if many else words
    return Type(name[0], many) if len(name) == 1 and name[0] in _READERS else None


def described(value: Any) -> str:
    """Return the kind of a value for an error message, never the value: it may be personal data."""
    return _CAME.get(value.__class__, f"a {value.__class__.__name__}")


def _string(value: Any) -> Any:
    if value.__class__ is str:
        return value
    return str(value) if value.__class__ is int else MISFIT


def _number(value: Any) -> Any:
    kind = value.__class__
    if kind is int:
        return value
    if kind is float:
        return value if value - value == 0 else MISFIT
    if kind is Decimal:
        return value if value.is_finite() else MISFIT
    return _number_of_text(value.strip()) if kind is str else MISFIT


def _number_of_text(text: str) -> Any:
    """Return the number in a text; MISFIT where a float would round it."""
    found = _NUMBER.match(text)
    if found is None:
        return MISFIT
    if found[2] is None:
        return int(text)
    number = float(text)
    return number if Decimal(repr(number)) == Decimal(text) else MISFIT


def _money(value: Any) -> Any:
    """Return an amount with at most four decimals, without the noise of a float (60.349999999999994).

    Text may have a currency sign and thousands separators where it is unambiguous.
    """
    kind = value.__class__
    if kind is not float:
        value = read_amount(value) if kind is str else _number(value)
    number = without_noise(value) if value.__class__ is float else value
    return MISFIT if number is None else number


def _currency(value: Any) -> Any:
    """Return a currency code; blank text is treated as missing."""
    if value.__class__ is not str:
        return MISFIT
    if _CURRENCY.match(value):
        return value
    code = value.strip().upper()
    if not code:
        return ABSENT
    return code if _CURRENCY.match(code) else MISFIT


def _boolean(value: Any) -> Any:
    kind = value.__class__
    if kind is bool:
        return value
    if kind is int and value in (0, 1):
        return value == 1
    return _BOOLEANS.get(value.strip().lower(), MISFIT) if kind is str else MISFIT


def _date(value: Any) -> Any:
    if value.__class__ is not str:
        return MISFIT
    if _DATE.match(value):
        try:
            date.fromisoformat(value)
        except ValueError:
            return MISFIT
        return value
    moment = parse_timestamp(value) if len(value) >= 8 and not _early(value) else None
    if moment is None or moment.time() != datetime.min.time():
        return MISFIT
    return moment.date().isoformat()


def _datetime(value: Any) -> Any:
    if value.__class__ is bool or _early(value):
        return MISFIT
    moment = parse_timestamp(value)
    if moment is None:
        return MISFIT
    if value.__class__ is str and value[10:11] == "T" and _has_offset(value):
        return value
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _has_offset(text: str) -> bool:
    return text[-1] in "Zz" or text[-6:-5] in ("+", "-")


def _early(value: Any) -> bool:
    """Return whether a number, or text of one, is too small to be a Unix time."""
    number = _number(value)
    return number is not MISFIT and abs(number) < _EARLIEST and len(str(value).strip()) != len("20240131")


def _object(value: Any) -> Any:
    if value.__class__ is dict:
        return value
    found = _json(value, "{")
    return found if found.__class__ is dict else MISFIT


def _any(value: Any) -> Any:
    return value


def _array(read: Reader, classes: frozenset[type]) -> Reader:
    def read_all(value: Any) -> Any:
        if value.__class__ is list:
            for item in value:
                if item.__class__ not in classes:
                    break
            else:
                return value
        items = value if value.__class__ is list else _json(value, "[")
        if items.__class__ is not list:
            return MISFIT
        found = [None if item is None else read(item) for item in items]
        if any(item is MISFIT for item in found):
            return MISFIT
        found = [None if item is ABSENT else item for item in found]
        same = items is value and all(one is other for one, other in zip(found, items, strict=True))
        return value if same else found

    return read_all


def _json(value: Any, opening: str) -> Any:
    """Return the value of a JSON text: an mParticle attribute can hold a list only in this form."""
    if value.__class__ is not str or value.lstrip()[:1] != opening:
        return MISFIT
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return MISFIT


_READERS: dict[str, Reader] = {
    "string": _string,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "money": _money,
    "currency": _currency,
    "object": _object,
    "any": _any,
}
#: The names of all types; each can also be written as `array of`.
NAMES: Final = tuple(_READERS)
_CLASSES: dict[str, frozenset[type]] = {
    "string": frozenset({str}),
    "number": frozenset({int}),
    "boolean": frozenset({bool}),
    "money": frozenset({int}),
    "object": frozenset({dict}),
    "any": frozenset({str, int, float, bool, dict, list}),
}
_DESCRIBED = {
    "string": "text",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date such as 2026-01-31",
    "datetime": "a moment such as 2026-01-31T12:00:00Z",
    "money": "an amount of at most four decimals",
    "currency": "a currency such as USD",
    "object": "an object",
    "any": "anything",
}
_PLURAL = {
    "string": "texts",
    "number": "numbers",
    "boolean": "true and false",
    "date": "dates",
    "datetime": "moments",
    "money": "amounts",
    "currency": "currencies",
    "object": "objects",
    "any": "anything",
}
_CAME: dict[type, str] = {
    str: "text", int: "a number", float: "a number", Decimal: "a number", bool: "a boolean",
    dict: "an object", list: "a list", NoneType: "null",
}  # fmt: skip
