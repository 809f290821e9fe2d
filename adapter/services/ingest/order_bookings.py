"""Where the corridor meets the checkout: orders are booked before their message is decided, or after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from adapter.model.discounts import Discount
from adapter.model.operations import DiscountMove, Operation, OrderOperation
from adapter.services.ingest.work_item import Work


class BookedWork(Struct, frozen=True):
    """A work without what was booked of it, the discounts that moved, and why nothing was booked."""

    work: Work
    discounts: Sequence[Discount] = ()
    reason: str | None = None


class OrderBookings(Protocol):
    """Books orders (`adapter.services.checkout.stream`). Verbs may be repeated, and raise Unavailable."""

    async def redeem(self, work: Work) -> BookedWork:
        """Redeem the codes of a completed order before its message is decided."""
        ...

    async def roll_back(self, work: Work) -> None:
        """Roll back a cancelled or refunded order once its message was decided."""
        ...


def of_orders(works: Sequence[Work], shares: Callable[[str], bool] = lambda _code: True) -> list[int]:
    """Return the places of works that say something of orders, or redeem codes that everybody may use.

    By default any code may be one of these: the store knows which codes are vouchers.
    """
    return [
        at
        for at, work in enumerate(works)
        if work.operations and any(_of_order(each, shares) for each in work.operations)
    ]


def _of_order(operation: Operation, shares: Callable[[str], bool]) -> bool:
    if isinstance(operation, DiscountMove):
        return operation.verb == "redeem" and shares(operation.code)
    return isinstance(operation, OrderOperation)
