"""Tax on what discounts leave of the lines: rounded half up once for each rate, then split over its lines."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from adapter.pricing.allocation import allocate
from adapter.pricing.numbers import half_up

if TYPE_CHECKING:
    from adapter.pricing.scope import Sheet


def taxes(sheet: Sheet, taxed: Sequence[int]) -> list[int] | None:
    """Return the tax on, or in, each line's amount; None where no line names a rate.

    Where prices include tax, the net amount is rounded half up, and the tax is the rest. Credit is a means of
    payment: it is not taken off what is taxed.
    """
    order = sheet.order
    rates = [line.tax_rate for line in order.lines] + [one.tax_rate for one in order.shipping]
    found = [0] * len(rates)
    named = {rate for rate in rates if rate is not None}
    if not named:
        return None
    for rate in named:
        lines = [at for at, own in enumerate(rates) if own == rate and taxed[at]]
        amounts = [taxed[at] for at in lines]
        tax = _tax(sum(amounts), rate, included=order.prices_include_tax)
        parts = allocate(tax, amounts, [tax] * len(lines)) if lines else []
        for at, part in zip(lines, parts, strict=True):
            found[at] = part
    return found


def _tax(amount: int, rate: Decimal, *, included: bool) -> int:
    numerator, denominator = rate.as_integer_ratio()
    if included:
        return amount - half_up(amount * 100 * denominator, 100 * denominator + numerator)
    return half_up(amount * numerator, 100 * denominator)
