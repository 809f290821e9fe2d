"""What destinations are sent of a booking: the discounts that moved, and the redemption with its amounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Raw, Struct

from adapter.model.actions import StoreCredit, UnitOff
from adapter.model.deliveries import Delivery, OutboxEvent
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

    destinations: tuple[str, ...]
    new_id: Callable[[], str]

    def of(
        self, kind: str, data: Any, source_id: str, moved: Iterable[DiscountRecord], now: datetime
    ) -> Sequence[Delivery]:
        """Return the deliveries of one booking."""
        if not self.destinations:
            return ()
        pushed = [(_kind(held), held.discount, held.source_id) for held in moved]
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
            for type_, what, owner in [*pushed, (kind, data, source_id)]
            for destination in self.destinations
        ]


def _kind(held: DiscountRecord) -> str:
    action, status = held.discount.action, held.discount.status
    spent = isinstance(action, StoreCredit | UnitOff) and action.remaining < action.value
    return "discount.used" if status == "issued" and spent else _BY_STATUS[status]
