"""Pending moves: they wait until the requesting customer is merged with the holder of the discount."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Literal

from msgspec import Struct

from adapter.model.operations import DiscountMove

#: Pending moves of one customer; further ones are rejected.
MOST_PENDING = 100
#: Transitions that a message can request.
Verb = Literal["apply", "release", "redeem"]


class PendingMove(Struct, frozen=True, omit_defaults=True):
    """A move of the discount `code`, requested by the customer `source_id`, who does not hold it.

    It takes effect as of `at`, the time in the message. `reason` says why it is pending, or, once `refused`,
    why it was rejected when the two customers were merged.
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
    unit_type: str | None = None

    def move(self) -> DiscountMove:
        """Return the requested move."""
        return DiscountMove(
            self.verb, self.code, self.source_id, self.order_id, units=self.units, unit_type=self.unit_type
        )


def pending_id(move: DiscountMove, code: str, message: str) -> str:
    """Return an id that is unique within one customer: by the order, or without one by the message."""
    which = message if move.order_id is None else f"\0{move.order_id}"
    return blake2b(f"{move.verb}\0{code}\0{which}".encode(), digest_size=16).hexdigest()
