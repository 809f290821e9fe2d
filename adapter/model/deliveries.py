"""The outbox: what happened, for one destination each, and what was made of it there."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from msgspec import UNSET, Raw, Struct, UnsetType, field

from adapter.model.discounts import Discount
from adapter.model.encoding import decode

#: Attempts of one round, more than are ever made: a delivery that is sent again after it was given up begins
#: the next one, so that the attempts of before stay behind its fence.
ROUND: Final = 1_000

DeliveryStatus = Literal["due", "done", "dead"]


class OutboxEvent(Struct, frozen=True):
    """What happened: its type, as `discount.issued`, when, and the discount or redemption of that moment."""

    type: str
    timestamp: datetime
    data: Any


class DiscountEvent(Struct, frozen=True):
    """An event about a discount."""

    type: str
    timestamp: datetime
    data: Discount


class Rendered(Struct, frozen=True):
    """The body that a destination of the type `by` sends; None where that is the event as it is stored."""

    by: str
    body: Raw | None = None


class Delivery(Struct, frozen=True):
    """One outbox entry on its way to one destination.

    `id` is constant over all attempts (the receiver's idempotency key). `event` is the JSON of an
    `OutboxEvent`, and `rendered` what the destination made of it at the first attempt, for all attempts.
    `attempt` counts leases taken and fences them: only the holder of the latest lease may settle.
    `not_after` is the moment after which sending makes no sense (the discount has expired).
    """

    id: str
    destination: str
    source_id: str
    type: str
    event: Raw = field(name="body")
    created_at: datetime
    due_at: datetime
    attempt: int = 0
    status: DeliveryStatus = "due"
    not_after: datetime | None = None
    last_error: str | None = None
    rendered: Rendered | UnsetType = UNSET

    @property
    def body(self) -> bytes:
        """The bytes that are sent: what was rendered, or else the event as it is stored."""
        rendered = self.rendered
        return bytes(self.event if rendered is UNSET or rendered.body is None else rendered.body)

    def discount_event(self) -> DiscountEvent:
        """Return the event; raises msgspec.ValidationError where it is about something else."""
        return decode(bytes(self.event), DiscountEvent)

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
