"""What leaves through the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from msgspec import Raw, Struct

#: Attempts of one round, more than are ever made: a delivery that is sent again after it was given up begins
#: the next one, so that the attempts of before stay behind its fence.
ROUND: Final = 1_000

DeliveryStatus = Literal["due", "done", "dead"]


class Delivery(Struct, frozen=True):
    """One outbox entry on its way to one destination.

    `id` is constant over all attempts (the receiver's idempotency key); `body` is the JSON that is sent;
    `attempt` counts leases taken and fences them: only the holder of the latest lease may settle.
    `not_after` is the moment after which sending makes no sense (the discount has expired).
    """

    id: str
    destination: str
    source_id: str
    type: str
    body: Raw
    created_at: datetime
    due_at: datetime
    attempt: int = 0
    status: DeliveryStatus = "due"
    not_after: datetime | None = None
    last_error: str | None = None

    @property
    def tries(self) -> int:
        """How many attempts were made, since it was sent again where it had been given up."""
        return self.attempt % ROUND


class Pause(Struct, frozen=True):
    """A time in which nothing is sent to a destination, because it asked for that; `reason` is its answer."""

    destination: str
    since: datetime
    until: datetime
    reason: str
