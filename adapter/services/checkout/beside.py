"""Codes for an order on which others are booked: they must stack, and fit into what is left of it."""

from __future__ import annotations

from collections.abc import Iterable

from adapter.model.redemptions import Redemption
from adapter.pricing import Refusal, conflict
from adapter.services.checkout import reasons
from adapter.services.checkout.quote import Quote


def refused_beside(found: Quote, booked: Iterable[Redemption]) -> tuple[str, Refusal] | None:
    """Return the first code that cannot be used beside what is booked on the same order, with the reason."""
    uses = [(use, one.currency) for one in booked for use in one.uses]
    for one in found.used:
        for use, _ in uses:
            if conflict(one.terms, use):
                return one.offer.code, reasons.not_combinable(one.offer.code, use.code)
    totals, currency = found.pricing.totals, found.pricing.currency
    taken = sum(use.left for use, known in uses if known == currency)
    if uses and found.used and taken + totals.discount + totals.credit > totals.items + totals.shipping:
        code = found.used[0].offer.code
        return code, reasons.more_than_is_left(code, uses[0][0].code)
    return None
