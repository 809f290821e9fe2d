"""The deliveries that tell destinations of a move of a discount."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from msgspec import Raw

from adapter.model.deliveries import Delivery, OutboxEvent
from adapter.model.discounts import DiscountRecord
from adapter.model.encoding import encode


def of_move(
    kind: str, held: DiscountRecord, destinations: Iterable[str], now: datetime, new_id: Callable[[], str]
) -> list[Delivery]:
    """Return a delivery for each destination, of an event type (`discount.issued`) and what became of it.

    What tells of an issue is worth nothing once the discount is expired, and not sent then.
    """
    event = Raw(encode(OutboxEvent.about(kind, now, held)))
    return [
        Delivery(
            id=f"msg_{new_id()}",
            destination=destination,
            source_id=held.source_id,
            type=kind,
            event=event,
            created_at=now,
            due_at=now,
            not_after=held.discount.expires_at if kind == "discount.issued" else None,
        )
        for destination in destinations
    ]
