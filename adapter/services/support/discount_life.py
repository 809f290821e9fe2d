"""The life of one discount: who got it and why, each move with its time, its uses and its pushes.

The record of a discount has its last move alone. The moves before are told by the events that were pushed,
as long as they are kept, and by redemptions and rollbacks, which are kept.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from adapter.errors import NotFound
from adapter.model.codes import folded
from adapter.model.decisions import Decision
from adapter.model.deliveries import Delivery
from adapter.model.discounts import BenefitTerms, CheckoutTerms, CounterReservation, DiscountRecord
from adapter.model.pending import PendingMove
from adapter.model.redemptions import Redemption, Rollback
from adapter.services.delivery.shown import ShownDelivery, shown
from adapter.services.read_timeout import ReadTimeout
from adapter.services.support.discount_list import DiscountRow, row
from adapter.store.contract import Store
from adapter.store.page_starts import cursor_at

#: So many of the customer's deliveries are looked at, and so many decisions at the moment of issue.
MOST = 300
_PAGE = 100


class Step(Struct, frozen=True, order=True):
    """A step of a discount's life: what happened `at` a time, and more about it."""

    at: datetime
    what: str
    detail: str = ""


class DiscountLife(Struct, frozen=True):
    """All about one discount; `steps` are the oldest first."""

    row: DiscountRow
    event_id: str
    terms: CheckoutTerms
    benefits: list[BenefitTerms]
    claims: list[CounterReservation]
    decision: Decision | None
    steps: list[Step]
    redemptions: list[Redemption]
    rollbacks: list[Rollback]
    pending: list[PendingMove]
    deliveries: list[ShownDelivery]


class _Told(Struct, frozen=True):
    """What a stored event says of its discount."""

    class Data(Struct, frozen=True):
        """The discount."""

        code: str = ""

    type: str = ""
    timestamp: datetime | None = None
    data: Data = Data()
    order_id: str | None = None


async def discount_life(store: Store, patience: ReadTimeout, code: str, now: datetime) -> DiscountLife:
    """Return the life of a discount; raises NotFound."""
    held = await patience.read(store.discount(code))
    if held is None:
        raise NotFound(f"no discount `{code}` was issued here")
    name = held.discount.code
    redemptions = list(await patience.read(store.redemptions("code", folded(name))))
    rollbacks = [
        each for booked in redemptions[:20] for each in await patience.read(store.rollbacks(booked.id))
    ]
    told = await _deliveries(store, patience, held)
    return DiscountLife(
        row=row(held, now),
        event_id=held.event_id,
        terms=held.terms,
        benefits=list(held.benefits or ()) if held.benefits is not msgspec.UNSET else [],
        claims=list(held.claims),
        decision=await _decision(store, patience, held),
        steps=_steps(held, told, redemptions, rollbacks),
        redemptions=redemptions,
        rollbacks=rollbacks,
        pending=await patience.read(store.pending_moves(code=name)),
        deliveries=[shown(delivery, None) for delivery, _ in told],
    )


async def _decision(store: Store, patience: ReadTimeout, held: DiscountRecord) -> Decision | None:
    """Return the decision that issued a discount, among those of that moment."""
    before = cursor_at("decisions", held.issued_at, 0)
    found = await patience.read(store.decisions(held.source_id, 20, before))
    code = held.discount.code
    return next((each for each in found if any(one.code == code for one in each.outcomes)), None)


async def _deliveries(
    store: Store, patience: ReadTimeout, held: DiscountRecord
) -> list[tuple[Delivery, _Told]]:
    """Return the pushes about a discount, the latest first, among the latest of its customer."""
    found: list[tuple[Delivery, _Told]] = []
    before, looked_at = None, 0
    while looked_at < MOST:
        page = await patience.read(store.deliveries_of(held.source_id, _PAGE, before))
        told = [(each, _told(each)) for each in page]
        found += [(each, event) for each, event in told if event.data.code == held.discount.code]
        looked_at, before = looked_at + len(page), page.next
        if before is None or (page and page[-1].created_at < held.issued_at):
            break
    return found


def is_about(delivery: Delivery, code: str) -> bool:
    """Return whether a delivery tells of the discount with a code."""
    return _told(delivery).data.code == code


def _told(delivery: Delivery) -> _Told:
    try:
        return msgspec.json.decode(delivery.event, type=_Told)
    except msgspec.DecodeError:
        return _Told()


def _steps(
    held: DiscountRecord,
    told: list[tuple[Delivery, _Told]],
    redemptions: list[Redemption],
    rollbacks: list[Rollback],
) -> list[Step]:
    status = held.discount.status
    steps = {Step(held.issued_at, "issued", f"by rule {held.rule}, for event {held.event_id}")}
    for _, event in told:
        what = event.type.removeprefix("discount.")
        if event.timestamp is not None and what != "issued":
            steps.add(Step(event.timestamp, what, f"order {event.order_id}" if event.order_id else ""))
    for each in redemptions:
        steps.add(Step(each.at, each.state, f"{each.id}, order {each.order_id or 'unknown'}"))
    for one in rollbacks:
        steps.add(Step(one.at, "rolled back", one.reason or one.id))
    if status != "issued" and not any(each.what == status for each in steps):
        steps.add(Step(held.moved_at, status, held.reason or ""))
    return sorted(steps)
