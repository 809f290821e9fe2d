"""`on_refund: prorate`: the part of a discount's amount that came back may be used again.

What a use has spent is counted in the use, and the discount reserves what is left of it. Once all of it came
back, the discount is as it was before its first redemption.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from adapter.discounts.budgets import budget_currency
from adapter.model.discounts import CheckoutTerms, CounterReservation, DiscountRecord, Rest, Status
from adapter.model.redemptions import CodeUse, Redemption
from adapter.services.checkout.ledger import Ledger

_Claims = tuple[CounterReservation, ...]


def prorates(held: DiscountRecord, redemption: Redemption, use: CodeUse) -> bool:
    """Tell whether a part that comes back of a use may be used again by itself."""
    if held.terms.rest is not None:
        return True
    return redemption.state != "held" and use.on_refund == "prorate" and use.amount is not None


def give_back_part(
    ledger: Ledger,
    held: DiscountRecord,
    redemption: Redemption,
    use: CodeUse,
    amount: int,
    *,
    now: datetime,
) -> _Claims:
    """Give an amount back to budgets and to the discount; returns what the use has still spent of budgets."""
    spent = []
    for claim in use.claims:
        returned = min(amount, claim.amount)
        ledger.count(claim, -returned)
        spent.append(replace(claim, amount=claim.amount - returned))
    if held.discount.status not in ("revoked", "expired"):
        ledger.write(_reopened(ledger, held, _rest(held, redemption, use), amount, now))
    return tuple(spent)


def take_part(
    ledger: Ledger, held: DiscountRecord, rest: Rest, amount: int, *, bounded: bool
) -> tuple[DiscountRecord, _Claims]:
    """Take an amount of what is left; returns the discount with the rest, and what the use has spent."""
    kept, spent = [], []
    for claim in held.claims:
        if budget_currency(claim) is None:
            kept.append(claim)
            continue
        ledger.count(claim, max(amount - claim.amount, 0), bounded=bounded)
        kept.append(replace(claim, amount=max(claim.amount - amount, 0)))
        spent.append(replace(claim, amount=amount))
    terms = replace(held.terms, rest=replace(rest, left=rest.left - amount))
    return replace(held, claims=tuple(kept), checkout=terms), tuple(spent)


def _rest(held: DiscountRecord, redemption: Redemption, use: CodeUse) -> Rest:
    if held.terms.rest is not None:
        return held.terms.rest
    return Rest(left=0, of=use.amount or 0, currency=redemption.currency or "", restored=use.restored)


def _reopened(ledger: Ledger, held: DiscountRecord, rest: Rest, amount: int, now: datetime) -> DiscountRecord:
    """Return a discount of which an amount more is left, with that amount reserved again in its budgets."""
    first = held.terms.rest is None  # its claims are what its only use has spent
    after = replace(rest, left=rest.left + amount)
    whole = after.left >= after.of
    wanted = {(claim.scope, claim.key): claim.amount for claim in rest.restored} if whole else {}
    expired = _expires(held, now)
    claims = []
    for claim in held.claims:
        if budget_currency(claim) is None:
            claims.append(claim)
            continue
        reserved = 0 if first else claim.amount
        more = wanted.get((claim.scope, claim.key), reserved + amount) - reserved
        granted = -reserved if expired else min(max(more, 0), ledger.room(claim))
        ledger.count(claim, granted)
        claims.append(replace(claim, amount=reserved + granted))
    if whole and expired:
        claims = [_released(ledger, claim) for claim in claims]
    terms = _terms(held, None if whole else after)
    return replace(
        held,
        discount=replace(held.discount, status=_status(held, expired=expired)),
        claims=tuple(claims),
        checkout=terms,
        order_id=held.order_id if terms.held_by else None,
        moved_at=now,
    )


def _released(ledger: Ledger, claim: CounterReservation) -> CounterReservation:
    ledger.count(claim, -claim.amount)
    return replace(claim, amount=0)


def _expires(held: DiscountRecord, now: datetime) -> bool:
    return replace(held, discount=replace(held.discount, status="issued")).status_at(now) == "expired"


def _status(held: DiscountRecord, *, expired: bool) -> Status:
    if expired:
        return "expired"
    return held.discount.status if held.discount.status == "applied" else "issued"


def _terms(held: DiscountRecord, rest: Rest | None) -> CheckoutTerms:
    return replace(held.terms, rest=rest)
