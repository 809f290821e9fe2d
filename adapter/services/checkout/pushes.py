"""What destinations are sent of a booking: the discounts that moved, and the redemption with its amounts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET, Raw, Struct, UnsetType

from adapter.model.actions import StoreCredit, UnitOff
from adapter.model.deliveries import Delivery, OutboxEvent, Recipients
from adapter.model.discounts import DiscountRecord
from adapter.model.encoding import encode

_BY_STATUS = {
    "issued": "discount.released",
    "applied": "discount.applied",
    "redeemed": "discount.redeemed",
    "expired": "discount.expired",
    "revoked": "discount.revoked",
}


class Pushes(Struct, frozen=True):
    """Where pushes go; `new_id` returns a unique id."""

    destinations: Recipients
    new_id: Callable[[], str]

    def of(
        self, kind: str, data: Any, source_id: str, moved: Iterable[DiscountRecord], now: datetime
    ) -> Sequence[Delivery]:
        """Return the deliveries of one booking."""
        if not self.destinations.events:
            return ()
        records = list(moved)
        events = [(_kind(held), held.discount, held.source_id, held.push) for held in records]
        return [
            Delivery(
                id=f"msg_{self.new_id()}",
                destination=destination,
                source_id=owner,
                type=type_,
                event=Raw(encode(OutboxEvent(type_, now, what))),
                created_at=now,
                due_at=now,
            )
            for type_, what, owner, push in [*events, (kind, data, source_id, _of_any(records))]
            for destination in self.destinations.of(type_, push)
        ]


def _of_any(records: Sequence[DiscountRecord]) -> Collection[str] | UnsetType:
    """Return where a booking is sent: to each destination that receives one of its discounts."""
    names: set[str] = set()
    for record in records:
        if record.push is UNSET:
            return UNSET
        names.update(record.push)
    return names if records else UNSET


def _kind(held: DiscountRecord) -> str:
    action, status = held.discount.action, held.discount.status
    spent = isinstance(action, StoreCredit | UnitOff) and action.remaining < action.value
    return "discount.used" if status == "issued" and spent else _BY_STATUS[status]
