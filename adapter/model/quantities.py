"""Numbers of units (minutes, unlocks), exact to a millionth."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

_MOST = Decimal(10**12)
_MILLIONTH = Decimal("0.000001")


def units(number: Decimal) -> Decimal | None:
    """Return a number of units, rounded; None where it is not finite, below 0 or above 10^12."""
    if not number.is_finite() or not 0 <= number <= _MOST:
        return None
    rounded = number.quantize(_MILLIONTH, ROUND_HALF_EVEN)
    return rounded if rounded != number else number
