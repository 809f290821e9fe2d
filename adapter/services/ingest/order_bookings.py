"""Where the corridor meets the checkout: orders are booked before their message is decided, or after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from adapter.model.discounts import Discount
from adapter.model.operations import OrderOperation
from adapter.services.ingest.work_item import Work


class Booked(Struct, frozen=True):
    """A work without what was booked of it, the discounts that moved, and why nothing was booked."""

    work: Work
    discounts: Sequence[Discount] = ()
    reason: str | None = None


class OrderBookings(Protocol):
    """Books orders (`adapter.services.checkout.stream`). Verbs may be repeated, and raise Unavailable."""

    async def redeem(self, work: Work) -> Booked:
        """Redeem the codes of a completed order before its message is decided."""
        ...

    async def roll_back(self, work: Work) -> None:
        """Roll back a cancelled or refunded order once its message was decided."""
        ...


def of_orders(works: Sequence[Work]) -> list[int]:
    """Return the places of works that say something of orders."""
    return [
        at
        for at, work in enumerate(works)
        if work.operations and any(isinstance(each, OrderOperation) for each in work.operations)
    ]
