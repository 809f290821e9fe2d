"""Codes for an order on which others are booked: they must stack, and fit into what is left of it."""

from __future__ import annotations

from collections.abc import Iterable

from adapter.model.redemptions import Redemption
from adapter.pricing import Refusal, conflict
from adapter.services.checkout import reasons
from adapter.services.checkout.candidates import Candidate
from adapter.services.checkout.quote import Quote


def is_application(redemption: Redemption) -> bool:
    """Tell whether a hold is an application of a discount to a cart: it has no end, and no amounts."""
    return redemption.state == "held" and redemption.until is None


def conflicting(one: Candidate, booked: Iterable[Redemption]) -> tuple[str, Refusal] | None:
    """Return why a code cannot be used beside what is booked on the same order."""
    for use in (use for each in booked for use in each.uses):
        if conflict(one.terms, use):
            return one.offer.code, reasons.not_combinable(one.offer.code, use.code)
    return None


def refused_beside(found: Quote, booked: Iterable[Redemption]) -> tuple[str, Refusal] | None:
    """Return the first code that cannot be used beside what is booked on the same order, with the reason."""
    others = list(booked)
    uses = [(use, one.currency) for one in others for use in one.uses]
    for one in found.used:
        refusal = conflicting(one, others)
        if refusal is not None:
            return refusal
    totals, currency = found.pricing.totals, found.pricing.currency
    taken = sum(use.left for use, known in uses if known == currency)
    if uses and found.used and taken + totals.discount + totals.credit > totals.items + totals.shipping:
        code = found.used[0].offer.code
        return code, reasons.more_than_is_left(code, uses[0][0].code)
    return None
