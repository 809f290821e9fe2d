"""Budgets: the counters of a discount that count money."""

from __future__ import annotations

from msgspec import UNSET
from msgspec.structs import replace

from adapter.discounts.benefits import of_code, split
from adapter.model.actions import StoreCredit
from adapter.model.counter_key import decode
from adapter.model.discounts import CounterReservation, DiscountRecord
from adapter.model.money import minor_units

#: The first part of the keys of budgets; the others are the currency and the period.
_BUDGET = "budget"


def budget_currency(claim: CounterReservation) -> str | None:
    """Return the currency in whose minor units a counter counts, None where it counts uses."""
    _, parts = decode(claim.key)
    return parts[1] if len(parts) > 2 and parts[0] == _BUDGET else None


def budget_name(claim: CounterReservation) -> str:
    """Return a unique name of a budget."""
    return f"{claim.scope}\0{claim.key}"


def unspent(held: DiscountRecord) -> tuple[CounterReservation, ...]:
    """Return the reservations that an unused discount releases; of a partly used one the remainder."""
    if held.benefits is not UNSET:
        uses = () if held.discount.begun else of_code(held)
        left = [part for part in split(held) if part.discount.status != "redeemed"]
        return (*uses, *(claim for part in left for claim in unspent(part)))
    action = held.discount.action
    if held.terms.rest is not None:
        return tuple(claim for claim in held.claims if budget_currency(claim) is not None)
    if not held.discount.begun:
        return held.claims
    if not isinstance(action, StoreCredit):
        return ()
    return tuple(
        replace(claim, amount=min(claim.amount, minor_units(action.remaining, currency)))
        for claim in held.claims
        if (currency := budget_currency(claim)) is not None
    )
