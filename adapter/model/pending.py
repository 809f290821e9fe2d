"""Moves of discounts that wait until the customer who makes them turns out to be the holder."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Literal

from msgspec import Struct

from adapter.model.operations import DiscountMove

#: So many are kept of one customer; further moves are refused.
MOST_PENDING = 100
#: What a message can ask for.
Verb = Literal["apply", "release", "redeem"]


class PendingMove(Struct, frozen=True, omit_defaults=True):
    """A move by `source_id`, who does not hold the discount `code`.

    It is done as of `at`, when the source says that it happened. `reason` says why it waits, or, once it is
    `refused`, why it could not be done when the two customers were merged.
    """

    id: str
    source_id: str
    verb: Verb
    code: str
    at: datetime
    received_at: datetime
    reason: str
    status: Literal["pending", "refused"] = "pending"
    order_id: str | None = None
    units: Decimal | None = None

    def move(self) -> DiscountMove:
        """Return the move as it was asked for."""
        return DiscountMove(self.verb, self.code, self.source_id, self.order_id, units=self.units)


def pending_id(move: DiscountMove, code: str, message: str) -> str:
    """Return what tells pending moves of one customer apart: the order, or without one the message."""
    which = message if move.order_id is None else f"\0{move.order_id}"
    return blake2b(f"{move.verb}\0{code}\0{which}".encode(), digest_size=16).hexdigest()
