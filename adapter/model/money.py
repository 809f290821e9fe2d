"""Money as whole numbers of minor units, by the digits that ISO 4217 gives each currency."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

#: Currencies by the digits of their minor unit, where that is not a hundredth (ISO 4217, list one).
_BY_DIGITS = {
    0: ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
        "XAF", "XOF", "XPF"),
    3: ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"),
    4: ("CLF", "UYW"),
}  # fmt: skip
_DIGITS = {currency: count for count, currencies in _BY_DIGITS.items() for currency in currencies}


def digits(currency: str) -> int:
    """Return how many decimal digits the currency has: 2 for USD, 0 for JPY, 3 for KWD."""
    return _DIGITS.get(currency, 2)


def minor_units(amount: Decimal, currency: str, rounding: str = ROUND_CEILING) -> int:
    """Return the amount in minor units, rounded up by default."""
    return int(amount.scaleb(digits(currency)).to_integral_value(rounding))


def from_minor_units(amount: int, currency: str) -> Decimal:
    """Return minor units as an amount of the currency."""
    return Decimal(amount).scaleb(-digits(currency))


def neighbours(amount: Decimal, currency: str) -> tuple[Decimal, Decimal]:
    """Return the nearest amounts below and above in whole minor units; both equal this one if it is whole."""
    below, above = minor_units(amount, currency, ROUND_FLOOR), minor_units(amount, currency)
    return from_minor_units(below, currency), from_minor_units(above, currency)
