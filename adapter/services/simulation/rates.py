"""How much of what is issued is redeemed: rates that were observed, each with its interval."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from math import sqrt

from msgspec import Struct

from adapter.services.figures import RuleFigures

#: The normal distribution's value for an interval of 95 %.
_Z = 1.959964
#: With fewer closed discounts the rate of all rules is taken.
_LEAST = 30


class Rate(Struct, frozen=True):
    """`redeemed` of `closed` discounts, and the interval of 95 % (Wilson's) around that share.

    `of` is the rule that it was observed of, empty for all rules together.
    """

    of: str
    redeemed: int
    closed: int
    share: float
    low: float
    high: float


class Expected(Struct, frozen=True):
    """What is expected of issued discounts: how many are redeemed, and what they cost at most by currency."""

    rate: Rate
    redeemed: tuple[float, float, float]
    cost: dict[str, tuple[Decimal, Decimal, Decimal]]


def wilson(successes: int, of: int) -> tuple[float, float]:
    """Return Wilson's interval of 95 % for a share (https://doi.org/10.1080/01621459.1927.10502953)."""
    if not of:
        return 0.0, 1.0
    share, spread = successes / of, _Z * _Z / of
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


class Rates:
    """The rates of the rules of a store. What is still open has no outcome yet, and is left out."""

    def __init__(self, figures: Iterable[RuleFigures]) -> None:
        self._closed: dict[str, tuple[int, int]] = {}
        for each in figures:
            totals = each.totals().values()
            closed = sum(one.issued - one.open for one in totals)
            redeemed = min(closed, sum(one.redeemed for one in totals))
            if closed > 0:
                self._closed[each.rule] = (redeemed, closed)

    def of(self, rule: str) -> Rate | None:
        """Return the rate of a rule, or of all rules where too little is known of it; None without any."""
        redeemed, closed = self._closed.get(rule, (0, 0))
        if closed < _LEAST:
            rule = ""
            redeemed = sum(each[0] for each in self._closed.values())
            closed = sum(each[1] for each in self._closed.values())
        if not closed:
            return None
        return Rate(rule, redeemed, closed, redeemed / closed, *wilson(redeemed, closed))

    def expected(self, rule: str, issued: int, liability: dict[str, Decimal]) -> Expected | None:
        """Return what is expected of discounts of a rule; None where no rate was observed."""
        rate = self.of(rule)
        if rate is None:
            return None
        low, middle, high = rate.low, rate.share, rate.high
        cost = {
            currency: (_part(amount, low), _part(amount, middle), _part(amount, high))
            for currency, amount in liability.items()
        }
        return Expected(rate, (issued * low, issued * middle, issued * high), cost)


def _part(amount: Decimal, share: float) -> Decimal:
    return (amount * Decimal(repr(share))).quantize(Decimal("0.01"))
