"""From the types that senders use to the types that rules need.

mParticle sends every custom attribute as text. A missing value stays missing, null stays null, and empty
text counts as missing; whatever else is not of the wanted type raises MappingError, so that the message
waits in quarantine instead of losing a field.

The error shows a value only where it is a number, a boolean or short text, as amounts, flags and dates are:
who mends the mapping needs it. Of anything else, which may be about a person, it tells the kind alone.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn

from adapter.errors import MappingError
from adapter.mapping.engine import javascript
from adapter.mapping.engine.values import UNDEFINED, is_number, type_of
from adapter.model.amounts import amount_of, read_amount
from adapter.model.locales import notation, read_number
from adapter.model.money import minor_units
from adapter.model.times import parse_timestamp

_NUMBER = re.compile(r"[+-]?([0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})([eE][+-]?[0-9]{1,3})?\Z")
_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_BOOLEANS = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}
_ROUNDING = {
    "half_up": "ROUND_HALF_UP",
    "half_even": "ROUND_HALF_EVEN",
    "up": "ROUND_UP",
    "down": "ROUND_DOWN",
}
ROUNDINGS = (*_ROUNDING, "exact")
#: A date with its offset and a fraction of a second is this long.
_MOST_SHOWN = 35


def is_absent(value: Any) -> bool:
    return value is None or value is UNDEFINED or (type(value) is str and not value.strip())


def absent(value: Any) -> Any:
    return None if value is None else UNDEFINED


def refuse(name: str, value: Any, wanted: str) -> NoReturn:
    raise MappingError(f"{name}: {_told(value)} is not {wanted}")


def _told(value: Any) -> str:
    if type(value) is dict:
        return "an object"
    if type(value) is list:
        return "a list"
    if type(value) is str and (len(value) > _MOST_SHOWN or "@" in value):
        return f"text of {len(value)} characters"
    return str(javascript.stringify(value))


def number(value: Any) -> Any:
    """Return a number; whole numbers written as text come out exact, however long."""
    if is_number(value):
        return value
    if is_absent(value):
        return absent(value)
    text = value.strip() if type(value) is str else ""
    if not _NUMBER.match(text):
        refuse("@number", value, "a number")
    found = int(text) if _INTEGER.match(text) else float(text)
    return found if math.isfinite(found) else refuse("@number", value, "a number")


def amount(value: Any) -> Any:
    """Return an amount: a number without a float's noise, of text also with a currency's sign and thousands.

    Text that could mean two amounts (`1,299`) is none.
    """
    if type(value) is not float and is_absent(value):
        return absent(value)
    found = amount_of(value)
    return refuse("@amount", value, "an amount") if found is None else found


def number_in(value: Any, locale: Any) -> Any:
    """Return a number as `number` does, of text as a locale writes it: of `1.234,50` in `de` 1234.5."""
    if is_number(value):
        return value
    return absent(value) if is_absent(value) else _number_of(_plain("@number", value, locale))


def amount_in(value: Any, locale: Any) -> Any:
    """Return an amount as `amount` does, of text as a locale writes it."""
    if type(value) is not str:
        return amount(value)
    return absent(value) if is_absent(value) else _number_of(_plain("@amount", value, locale))


def _plain(name: str, value: Any, locale: Any) -> str:
    """Return the digits of a text in plain form; raises MappingError where the locale does not write so."""
    written = notation(locale) if type(locale) is str else None
    if written is None:
        return refuse(name, None if locale is UNDEFINED else locale, "a locale, such as de, en-US or fr-CH")
    currency = name != "@number"
    found = read_number(value, written, currency=currency) if type(value) is str else None
    wanted = "an amount" if currency else "a number"
    return refuse(name, value, f"{wanted} as `{locale}` writes it") if found is None else found


def _number_of(plain: str) -> int | float:
    return float(plain) if "." in plain else int(plain)


def string(value: Any) -> Any:
    """Return text: numbers as JavaScript prints them, except that long whole numbers keep their digits."""
    if type(value) is str or value is None or value is UNDEFINED:
        return value
    if type(value) is int:
        return str(value)
    if type(value) is bool or is_number(value):
        return javascript.text(value)
    return refuse("@string", value, "text, a number or a boolean")


def boolean(value: Any) -> Any:
    """Return true or false, for these, for 1 and 0, and for the words true, yes, on, false, no, off."""
    if type(value) is bool:
        return value
    if is_absent(value):
        return absent(value)
    word = value.strip().lower() if type(value) is str else javascript.text(value)
    return _BOOLEANS[word] if word in _BOOLEANS else refuse("@boolean", value, "true or false")


def moment(value: Any) -> Any:
    """Return an instant as ISO-8601 text in UTC, as `2024-06-18T09:30:12.412Z`.

    Takes ISO-8601 with any offset (without one, UTC is meant) and Unix times in seconds, milliseconds,
    microseconds or nanoseconds, recognised by their size.
    """
    if is_absent(value):
        return absent(value)
    found = parse_timestamp(value)
    return shown_time(found) if found is not None else refuse("@datetime", value, "a date and time")


def members(value: Any) -> Any:
    """Return an object as it is; the error names only the type of another value (personal data)."""
    if type(value) is dict:
        return value
    if is_absent(value):
        return absent(value)
    raise MappingError(f"@object: the {type_of(value)} that came is not an object")


def shown_time(found: datetime) -> str:
    precision = "milliseconds" if found.microsecond % 1000 == 0 else "microseconds"
    return found.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def is_currency(value: Any) -> bool:
    """Say whether a value is written as ISO 4217 writes currencies, in small letters or capitals."""
    return type(value) is str and _CURRENCY.match(value.strip().upper()) is not None


def _exact(amount: Any) -> Decimal:
    """Return an amount with the digits that it is written in; text may be any that `read_amount` reads."""
    text = amount.strip() if type(amount) is str else ""
    if text and not _NUMBER.match(text):
        read = read_amount(text)
        return refuse("@money", amount, "an amount") if read is None else Decimal(repr(read))
    value = number(amount)
    return Decimal(text or (repr(value) if type(value) is float else value))


def money(amount: Any, currency: Any, rounding: str = "half_up") -> Any:
    """Return an amount in the currency's minor units (ISO 4217): 54.9 EUR is 5490, 500 JPY is 500.

    Exact: the digits are taken as they were written. A fraction of a minor unit is rounded as `rounding`
    says (half_up, half_even, up, down), or refused where it says exact.
    """
    if not is_number(amount) and is_absent(amount):
        return absent(amount)
    exact = _exact(amount)
    code = currency.strip().upper() if type(currency) is str else ""
    if not _CURRENCY.match(code):
        refuse(
            "@money", None if currency is UNDEFINED else currency, "a currency, which @money needs (ISO 4217)"
        )
    units = minor_units(exact, code, _ROUNDING.get(rounding, "ROUND_DOWN"))
    if rounding == "exact" and minor_units(exact, code, "ROUND_UP") != units:
        refuse("@money", amount, f"a whole number of minor units of {code}")
    return units


def money_in(amount: Any, currency: Any, rounding: str, locale: Any) -> Any:
    """Return an amount in minor units as `money` does, of text as a locale writes it."""
    text = type(amount) is str and not is_absent(amount)
    return money(_plain("@money", amount, locale) if text else amount, currency, rounding)
