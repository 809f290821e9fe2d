"""Books the codes of a priced order: uses, balances and budgets, for a redemption or a hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from adapter.discounts.budgets import budget_currency
from adapter.model.actions import Action, StoreCredit, UnitOff, Use
from adapter.model.codes import benefit_of, code_of
from adapter.model.discounts import CounterReservation, Discount, DiscountRecord, Status
from adapter.model.money import from_minor_units
from adapter.model.redemptions import CodeUse
from adapter.pricing import CodeResult
from adapter.pricing.numbers import quantity
from adapter.services.checkout.candidates import Candidate
from adapter.services.checkout.ledger import Ledger, spend
from adapter.services.checkout.offers import Offer
from adapter.services.checkout.prorating import take_part


class Booking(Struct, frozen=True, kw_only=True):
    """The customer and order of a booking; `held` where it is a hold."""

    id: str
    source_id: str
    now: datetime
    currency: str
    order_id: str = ""
    held: bool = False


def units_of(result: CodeResult) -> int:
    """Return how many millionths of units a code made free."""
    return sum(result.units.values())


def take(ledger: Ledger, candidate: Candidate, result: CodeResult, booking: Booking) -> CodeUse:
    """Take what one code came to, and return its use."""
    offer = candidate.offer
    if offer.discount is None:
        return _shared(ledger, offer, result, booking)
    held = ledger.records[offer.code]
    if isinstance(held.discount.action, StoreCredit | UnitOff):
        claims = tuple(claim for claim in held.claims if budget_currency(claim) is not None)
        units = Use(quantity(units_of(result)), booking.now, booking.order_id or None, booking.id)
        amount = from_minor_units(result.amount, booking.currency)
        left = spend(held, amount, units if result.units else None, booking.now)
        ledger.write(unapplied(left))
        return _use(offer, result, claims=claims)
    rest = held.terms.rest
    if rest is not None:
        after, spent = take_part(ledger, held, rest, result.amount, bounded=not offer.partial)
        ledger.write(_moved(after, booking))
        return _use(offer, result, claims=spent, restored=held.claims)
    settled = _settled(ledger, held, result.amount, bounded=not offer.partial)
    ledger.write(_moved(replace(held, claims=settled), booking))
    return _use(
        offer,
        result,
        claims=tuple(claim for claim in settled if budget_currency(claim) is not None),
        restored=held.claims,
    )


def unapplied(held: DiscountRecord) -> DiscountRecord:
    """Return a discount without the hold that its application has made."""
    if held.terms.applied_in is None:
        return held
    return replace(held, checkout=replace(held.terms, applied_in=None))


def confirm(ledger: Ledger, use: CodeUse, booking: Booking) -> None:
    """Turn the held use of a code into a redeemed one."""
    held = ledger.records.get(use.key)
    if held is not None and not isinstance(held.discount.action, StoreCredit | UnitOff):
        ledger.write(_moved(held, booking))


def _moved(held: DiscountRecord, booking: Booking) -> DiscountRecord:
    status: Status = "applied" if booking.held else "redeemed"
    if held.terms.rest is not None and held.terms.rest.left > 0 and not booking.held:
        status = "issued"  # what is left may be used on another order
    terms = replace(held.terms, held_by=booking.id if booking.held else None, applied_in=None)
    return replace(
        held,
        discount=replace(held.discount, status=status),
        moved_at=booking.now,
        order_id=None if status == "issued" else booking.order_id or held.order_id,
        checkout=terms,
    )


def _settled(
    ledger: Ledger, held: DiscountRecord, amount: int, *, bounded: bool
) -> tuple[CounterReservation, ...]:
    """Replace what budgets have reserved by the real amount, and return the claims with it."""
    claims = []
    for claim in held.claims:
        if budget_currency(claim) is None:
            claims.append(claim)
            continue
        ledger.count(claim, amount - claim.amount, bounded=bounded)
        claims.append(replace(claim, amount=amount))
    return tuple(claims)


def _shared(ledger: Ledger, offer: Offer, result: CodeResult, booking: Booking) -> CodeUse:
    claims = []
    for claim in offer.claims:
        of_money = budget_currency(claim) is not None
        taken = replace(claim, amount=result.amount) if of_money else claim
        ledger.count(taken, taken.amount, bounded=not (of_money and offer.partial))
        claims.append(taken)
    discount = claimed(offer, booking) if booking.source_id else None
    return _use(offer, result, claims=tuple(claims), discount=discount)


def claimed(offer: Offer, booking: Booking) -> Discount | None:
    """Return the record of a customer's claim, in the shape of an issued discount."""
    try:
        action: Any = msgspec.convert(offer.action, Action)
    except msgspec.ValidationError:
        return None
    metadata = {
        "rule": offer.rule,
        "issued_for_event_id": f"claim_{booking.id}",
        "user_id": booking.source_id,
        **offer.metadata,
    }
    status: Status = "applied" if booking.held else "redeemed"
    return Discount(offer.code, action, offer.expires_at, metadata, offer.stackable, status)


def _use(offer: Offer, result: CodeResult, **given: Any) -> CodeUse:
    return CodeUse(
        code=code_of(offer.code),
        benefit=benefit_of(offer.code),
        rule=offer.rule,
        shared=offer.discount is None,
        amount=result.amount,
        units=units_of(result),
        on_refund=offer.on_refund,
        stackable=offer.stackable,
        stacking_group=offer.stacking_group,
        exclusive=offer.exclusive,
        **given,
    )
