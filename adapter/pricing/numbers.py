"""Exact numbers as integers: minor units of money, millionths of a quantity."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from adapter.model.money import digits

#: Decimals of a quantity, and so many parts has one unit: exact to a millionth, as `unit_off` counts.
QUANTITY_DIGITS = 6
MILLION: int = 10**QUANTITY_DIGITS
#: No amount of an order, its sums included, has more minor units: 64 bits of a store hold it.
MOST: int = 10**18
_PLAIN = re.compile(r"(-?)([0-9]{1,18})(?:\.([0-9]{1,18}))?")
_LONGEST = 40


def scaled(value: Any, places: int) -> int | None:
    """Return a number times `10 ** places`; None where that is no whole number, or the value no number.

    Numbers are int, float (its shortest decimal), Decimal, or text such as `12.50`. Zeros behind the last
    place change nothing and are read.
    """
    if isinstance(value, str):
        return _scaled_text(value, places)
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value * 10**places if abs(value) <= MOST else None
    if isinstance(value, float):
        return _scaled_text(text if "e" not in (text := repr(value)) else f"{Decimal(text):f}", places)
    return _scaled_text(f"{value:f}", places) if _writable(value) else None


def _writable(value: Any) -> bool:
    """Tell whether a Decimal is finite and short enough to be written in full."""
    return isinstance(value, Decimal) and value.is_finite() and -_LONGEST < value.adjusted() < _LONGEST


def _scaled_text(text: str, places: int) -> int | None:
    found = _PLAIN.fullmatch(text)
    if found is None:
        return None
    minus, whole, fraction = found.groups()
    fraction = (fraction or "").rstrip("0")
    if len(fraction) > places:
        return None
    number = int(whole + fraction.ljust(places, "0"))
    return -number if minus else number


def half_up(numerator: int, denominator: int) -> int:
    """Return a fraction, not below zero, rounded to the nearest whole number, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)


def minor(amount: Decimal, currency: str) -> int | None:
    """Return an amount in minor units, None where the currency cannot pay it exactly."""
    return scaled(amount, digits(currency))


def money(amount: int, currency: str) -> str:
    """Return minor units as text with the currency's digits: `12.50`, `456`, `0.333`."""
    places = digits(currency)
    if amount < 0:
        return f"-{money(-amount, currency)}"
    if places == 2:
        return f"{amount // 100}.{amount % 100:02}"
    return f"{amount // 10**places}.{amount % 10**places:0{places}}" if places else str(amount)


def quantity(millionths: int) -> Decimal:
    """Return millionths as a quantity: 2, 0.5."""
    if millionths % MILLION == 0:
        return Decimal(millionths // MILLION)
    return Decimal(millionths).scaleb(-QUANTITY_DIGITS).normalize()
