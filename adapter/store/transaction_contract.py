"""What one open transaction guarantees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from adapter.model.counter_key import CounterKey, ScopedKey
from adapter.model.discounts import DiscountRecord
from adapter.model.events import Event
from adapter.model.removals import Removal
from adapter.store.checkout_values import BookedState, BookingRequest
from adapter.store.values import Changes, CounterState, Known, LoadedState, LoadRequest, Place, Weight

#: Called, once or more often, when another transaction may begin while one is still open.
OnLocksAcquired = Callable[[], None]


class Transaction(Protocol):
    """One open transaction: load, then reserve, then save, each at most once and in this order.

    `past`, `past_weights`, `weigh`, `counters_of`, `open_discounts` and `latest_discounts` may be called
    between load and save.
    `known` is what earlier runs of the script have found. If a script saves the same again, it is stored
    once.
    """

    known: Known

    async def load(self, wanted: LoadRequest, now: datetime) -> LoadedState:
        """Claim the messages; lock and return what is known of the rest."""
        ...

    async def booked(self, wanted: BookingRequest) -> BookedState:
        """Lock and return what is booked; asked between load and reserve."""
        ...

    async def past(self, source_ids: Sequence[str]) -> dict[str, list[Event]]:
        """Return all stored events of loaded customers, in any order, by customer with events."""
        ...

    async def past_weights(self, source_ids: Sequence[str]) -> dict[str, int]:
        """Return how much `past` would return of customers: bytes, and 500 for each event.

        What is far more than a transaction should read is not measured to its end.
        """
        ...

    async def weigh(self, source_ids: Sequence[str], most: int) -> dict[str, Weight]:
        """Return how much is kept of customers, no more than `most` rows of each table counted."""
        ...

    async def counters_of(
        self, source_ids: Sequence[str], containing: str
    ) -> dict[str, dict[CounterKey, int]]:
        """Return, by customer, the counters scoped to loaded customers whose keys contain a text."""
        ...

    async def open_discounts(self, source_ids: Sequence[str]) -> list[DiscountRecord]:
        """Return every issued or applied discount of loaded customers, expired ones included."""
        ...

    async def latest_discounts(self, source_id: str, most: int) -> list[DiscountRecord]:
        """Return the newest discounts of a loaded customer, whatever their status."""
        ...

    async def reserve(self, counters: Sequence[ScopedKey], codes: Sequence[str]) -> CounterState:
        """Return the values of counters, and which codes exist in any spelling."""
        ...

    async def redact(
        self, source_id: str, removal: Removal, after: Place | None = None
    ) -> tuple[int, Place | None]:
        """Remove an address or ids from some of a loaded customer's rows, their record apart.

        Events whose id holds it go. Returns how many rows changed, and where to go on; None where all is done
        and an address is not noted for the customer any more.
        """
        ...

    async def save(self, changes: Changes) -> None:
        """Write everything; a code taken, or a counter moved, by others meanwhile makes it run again."""
        ...
