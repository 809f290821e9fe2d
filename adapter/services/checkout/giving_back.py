"""Gives back what a redemption took, whole or in part: amounts at once, uses with the whole of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from adapter.discounts.budgets import budget_currency
from adapter.model.actions import StoreCredit, UnitOff
from adapter.model.discounts import CounterReservation, DiscountRecord, Status
from adapter.model.ids import is_personal
from adapter.model.money import from_minor_units
from adapter.model.redemptions import CodeUse, Redemption
from adapter.pricing.numbers import quantity
from adapter.services.checkout.ledger import Ledger, refill
from adapter.services.checkout.prorating import give_back_part, prorates


class Back(Struct, frozen=True, kw_only=True):
    """What comes back: amounts in minor units and millionths of units by benefit; `whole` with the uses."""

    returned: Mapping[str, int]
    units: Mapping[str, int]
    whole: bool
    now: datetime


def everything(redemption: Redemption, now: datetime) -> Back:
    """Return all that is left of a redemption."""
    uses = redemption.uses
    return Back(
        returned={use.key: use.left for use in uses},
        units={use.key: use.units for use in uses},
        whole=True,
        now=now,
    )


def give_back(ledger: Ledger, redemption: Redemption, back: Back) -> tuple[CodeUse, ...]:
    """Give back what `back` says of each use, and return the uses as they are after it."""
    return tuple(_given(ledger, redemption, use, back) for use in redemption.uses)


def _given(ledger: Ledger, redemption: Redemption, use: CodeUse, back: Back) -> CodeUse:
    amount, units = back.returned.get(use.key, 0), back.units.get(use.key, 0)
    held = None if use.shared else ledger.records.get(use.key)
    if use.shared:
        claims = _uncounted(ledger, redemption, use, amount, back)
    elif held is None:
        claims = use.claims
    elif isinstance(held.discount.action, StoreCredit | UnitOff):
        money = from_minor_units(amount, redemption.currency or "")
        after = refill(held, money, quantity(units), redemption, back.now)
        if held.terms.applied_in == redemption.id:
            after = _not_applied(after)
        ledger.write(after)
        claims = _expired_balance(ledger, after, use, amount, back.now)
    elif prorates(held, redemption, use):
        claims = give_back_part(
            ledger, _no_longer_held(held, redemption), redemption, use, amount, now=back.now
        )
    elif redemption.state == "held" and not _reserves(held, redemption):
        claims = use.claims  # what ended the discount has freed its counters, or keeps them
    else:
        claims = _once(ledger, held, use, amount, back, reopens=_reopens(redemption, use, back))
    return replace(use, claims=claims, returned=use.returned + amount, units=use.units - units)


def _uncounted(
    ledger: Ledger, redemption: Redemption, use: CodeUse, amount: int, back: Back
) -> tuple[CounterReservation, ...]:
    """Give back what a shared code counts: money as it comes back, uses with the whole."""
    left, reopens = [], _reopens(redemption, use, back)
    for claim in use.claims:
        scope = redemption.source_id if personal(claim) else claim.scope
        counted = replace(claim, scope=scope)
        if budget_currency(claim) is not None:
            taken = _money_back(claim, use, amount, back)
        else:
            taken = claim.amount if reopens else 0
        ledger.count(counted, -taken)
        left.append(replace(counted, amount=claim.amount - taken))
    return tuple(left)


def _money_back(claim: CounterReservation, use: CodeUse, amount: int, back: Back) -> int:
    """Return what a budget gets back: the amount, or all where the use was booked without one."""
    unknown = use.amount is None
    return claim.amount if unknown and back.whole else min(amount, claim.amount)


def personal(claim: CounterReservation) -> bool:
    """Tell whether a counter follows its customer through merges."""
    return is_personal(claim.scope)


def _expired_balance(
    ledger: Ledger, held: DiscountRecord, use: CodeUse, amount: int, now: datetime
) -> tuple[CounterReservation, ...]:
    """Let budgets have back what came back to a balance that cannot be spent any more."""
    if held.status_at(now) not in ("expired", "revoked"):
        return use.claims
    for claim in use.claims:
        ledger.count(claim, -min(amount, claim.amount))
    return tuple(replace(claim, amount=claim.amount - min(amount, claim.amount)) for claim in use.claims)


def _no_longer_held(held: DiscountRecord, redemption: Redemption) -> DiscountRecord:
    """Return a discount that a hold which is over reserves no more."""
    if held.terms.held_by != redemption.id:
        return held
    status: Status = "issued" if held.discount.status == "applied" else held.discount.status
    return replace(
        held, discount=replace(held.discount, status=status), checkout=replace(held.terms, held_by=None)
    )


def _reopens(redemption: Redemption, use: CodeUse, back: Back) -> bool:
    """Tell whether a use comes back; `on_refund` is about redemptions: of a hold it always does."""
    return back.whole and (redemption.state == "held" or use.on_refund != "keep")


def _reserves(held: DiscountRecord, hold: Redemption) -> bool:
    """Tell whether a discount is still reserved by a hold: another call may have revoked or redeemed it."""
    terms = held.terms
    return hold.id in (terms.held_by, terms.applied_in) and held.discount.status in ("issued", "applied")


def _not_applied(held: DiscountRecord) -> DiscountRecord:
    """Return a discount with a balance whose application is over."""
    status: Status = "issued" if held.discount.status == "applied" else held.discount.status
    terms = replace(held.terms, applied_in=None)
    return replace(held, discount=replace(held.discount, status=status), checkout=terms, order_id=None)


def confirmable(held: DiscountRecord, hold: Redemption) -> bool:
    """Tell whether what a hold took of a discount may still be redeemed; a balance was taken from already."""
    if isinstance(held.discount.action, StoreCredit | UnitOff):
        return held.discount.status != "revoked"
    return _reserves(held, hold)


def _once(
    ledger: Ledger, held: DiscountRecord, use: CodeUse, amount: int, back: Back, *, reopens: bool
) -> tuple[CounterReservation, ...]:
    """Give back what a discount took that is used once; its use comes back with the whole.

    One that was revoked or has expired meanwhile has given back its claims already.
    """
    if held.discount.status in ("revoked", "expired"):
        return use.claims
    claims = []
    for claim in held.claims:
        taken = _money_back(claim, use, amount, back) if budget_currency(claim) is not None else 0
        ledger.count(claim, -taken)
        claims.append(replace(claim, amount=claim.amount - taken))
    after = replace(held, claims=tuple(claims), moved_at=back.now)
    if reopens and held.discount.status in ("redeemed", "applied", "issued"):
        after = _usable_again(ledger, after, use, back.now)
    ledger.write(after)
    return tuple(claim for claim in after.claims if budget_currency(claim) is not None)


def _usable_again(ledger: Ledger, held: DiscountRecord, use: CodeUse, now: datetime) -> DiscountRecord:
    """Return a discount that may be used again, with what it had reserved, or expired without any claim."""
    reopened = replace(
        held,
        discount=replace(held.discount, status="issued"),
        order_id=None,
        checkout=replace(held.terms, held_by=None, applied_in=None),
    )
    if reopened.status_at(now) == "expired":
        for claim in held.claims:
            ledger.count(claim, -claim.amount)
        expired = replace(reopened.discount, status="expired")
        return replace(reopened, discount=expired, claims=tuple(replace(c, amount=0) for c in held.claims))
    before = {(claim.scope, claim.key): claim.amount for claim in use.restored}
    claims = []
    for claim in held.claims:
        wanted = before.get((claim.scope, claim.key), claim.amount)
        granted = claim.amount + min(max(wanted - claim.amount, 0), ledger.room(claim))
        ledger.count(claim, granted - claim.amount)
        claims.append(replace(claim, amount=granted))
    return replace(reopened, claims=tuple(claims))
