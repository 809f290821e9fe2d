"""The verbs of lists that people page through, newest first, which are part of the contract of a store."""

from __future__ import annotations

from typing import Protocol

from adapter.model.deliveries import Delivery
from adapter.model.discounts import DiscountRecord
from adapter.model.pages import Page
from adapter.model.quarantine import Reason
from adapter.store.values import QueueLevel


class ListVerbs(Protocol):
    """Lists over everything; each read is bounded, and goes by an index."""

    async def discounts_by_time(
        self, rule: str | None = None, limit: int = 100, before: str | None = None
    ) -> Page[DiscountRecord]:
        """Return a page of all discounts, or those of a rule, newest first.

        `before` is the `next` of the page before, or what `adapter.store.page_starts.cursor_at` returns.
        """
        ...

    async def deliveries_of(
        self, source_id: str, limit: int = 100, before: str | None = None
    ) -> Page[Delivery]:
        """Return a page of a customer's deliveries of any status, the latest made first; redirects followed.

        Of a customer with more than 10,000 deliveries only so many are looked at. A store that is not open is
        read too.
        """
        ...

    async def deliveries_to(
        self, destination: str, limit: int = 100, before: str | None = None
    ) -> Page[Delivery]:
        """Return a page of all deliveries to a destination, of any status, the latest made first.

        `before` is as for `discounts_by_time`. A store that is not open is read too.
        """
        ...

    async def queue_levels(self, most: int) -> list[QueueLevel]:
        """Return what waits or was given up, by destination; no more than `most` of each are counted."""
        ...

    async def oldest_quarantine_reasons(self, after: int = 0, limit: int = 1_000) -> list[Reason]:
        """Return why messages with an id above `after` are kept, the oldest first."""
        ...

    async def quarantine_reasons(self, before: int | None = None, limit: int = 1_000) -> list[Reason]:
        """Return why messages with an id below `before` (of all, without it) are kept, the latest first."""
        ...
