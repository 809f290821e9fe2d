"""What is forwarded to destinations, what they were sent, and how many calls they take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from msgspec import Struct

from adapter.model.customers import Customer
from adapter.model.deliveries import Delivery
from adapter.model.events import Event


class NewForward(Struct, frozen=True):
    """To be forwarded at `due_at`: the newest state of a customer, or an `event` under its `ref`."""

    source_id: str
    destination: str
    kind: Literal["customer", "event"]
    due_at: datetime
    ref: str = ""
    event: Event | None = None


class Forward(Struct, frozen=True):
    """Something that is due: `customer` is the state now, None where there is no such customer any more."""

    source_id: str
    destination: str
    ref: str
    customer: Customer | None
    event: Event | None


#: Makes the outbox entry of what is due; None where there is nothing to send. It is pure, and may be called
#: again.
MakeDelivery = Callable[[Forward], Delivery | None]


class CallLimits(Struct, frozen=True):
    """The most calls in any minute, and in a calendar month (UTC); 0 is no limit."""

    per_minute: int = 0
    per_month: int = 0


class Refusal(Struct, frozen=True):
    """Calls that may not be made before a moment, because of the limit of a minute or of a month."""

    until: datetime
    limit: Literal["minute", "month"]


class SentTo(Struct, frozen=True):
    """A destination that was sent a customer under an id."""

    destination: str
    source_id: str
