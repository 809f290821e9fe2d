"""Shared codes on an order without lines: the use counts, and budgets take the most that it can cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from adapter.discounts.budgets import budget_currency
from adapter.model.counter_key import ScopedKey
from adapter.model.discounts import CounterReservation
from adapter.model.redemptions import CodeUse
from adapter.pricing import Refusal
from adapter.services.checkout import reasons
from adapter.services.checkout.candidates import Candidate, Unusable, fitted
from adapter.services.checkout.ledger import Ledger
from adapter.services.checkout.offers import Offer
from adapter.services.checkout.taking import Booking, claimed


def unpriced(
    found: Iterable[Candidate], used: Mapping[ScopedKey, int]
) -> tuple[list[Candidate], list[Unusable]]:
    """Return the shared codes that may be used without amounts, with what each takes, and the others."""
    able: list[Candidate] = []
    refused: list[Unusable] = []
    for one in found:
        fits = fitted(one, used)
        made = fits if isinstance(fits, Refusal) else _within_budgets(fits, used)
        if isinstance(made, Refusal):
            refused.append(Unusable(one.offer.code, made))
        else:
            able.append(made)
    return able, refused


def take_unpriced(ledger: Ledger, offer: Offer, booking: Booking) -> CodeUse:
    """Take a use of a shared code, and return it; its amount is not known."""
    for claim in offer.claims:
        ledger.count(claim, claim.amount)
    return CodeUse(
        code=offer.code,
        rule=offer.rule,
        shared=True,
        claims=offer.claims,
        on_refund=offer.on_refund,
        discount=claimed(offer, booking) if booking.source_id else None,
        stackable=offer.stackable,
        stacking_group=offer.stacking_group,
        exclusive=offer.exclusive,
    )


def _within_budgets(one: Candidate, used: Mapping[ScopedKey, int]) -> Candidate | Refusal:
    claims: list[CounterReservation] = []
    for claim in one.offer.claims:
        left = claim.cap - used.get((claim.scope, claim.key), 0)
        if budget_currency(claim) is None or claim.amount <= left:
            claims.append(claim)
        elif one.offer.partial and left > 0:
            claims.append(replace(claim, amount=left))
        else:
            return reasons.budget_exhausted(one.offer.code)
    return replace(one, offer=replace(one.offer, claims=tuple(claims)))
