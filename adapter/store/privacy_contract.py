"""What a store guarantees of all that it holds of a person: exports, searches and erasures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from adapter.model.decisions import Decision
from adapter.model.erasures import Receipt
from adapter.model.events import Event
from adapter.model.pages import Page
from adapter.store.scanning import Looks, Slice, Spot
from adapter.store.values import CustomerData, Forgotten


class PrivacyVerbs(Protocol):
    """The verbs of exports and erasures; erasing itself is a change of `transact`."""

    async def held(self, source_id: str, *, apart: bool = False) -> CustomerData:
        """Return all that is held of the person behind a name, as of one moment; redirects followed.

        Events and decisions `apart`: there may be many, and `oldest` returns them by pages.
        """
        ...

    async def oldest(
        self, kind: Literal["events", "decisions"], source_id: str, after: str | None = None
    ) -> Page[Event] | Page[Decision]:
        """Return a page of a customer's events or decisions, the oldest first; `next` is given as `after`."""
        ...

    async def note_addresses(self, limit: int) -> bool:
        """Index the addresses of up to `limit` customers that older programs stored.

        Returns whether none are left.
        """
        ...

    async def addressed(self, address: str, after: str = "", limit: int = 100) -> list[str]:
        """Return up to `limit` customers after one, in order, whose data may contain an email address.

        `address` is in its normal spelling. Raises Unavailable while addresses of some customers are not
        indexed yet.
        """
        ...

    async def scan(self, spot: Spot, looks: Looks) -> Slice:
        """Look at one slice of all customers' data: bounded rows and bytes, read by one statement.

        Returns by customer what `looks` found in their rows; it may run in another thread.
        """
        ...

    async def forgotten(self, limit: int) -> list[Forgotten]:
        """Return unfinished erasures, whose names are still to be searched for, the oldest first."""
        ...

    async def finish_erasure(self, done: Forgotten, removed: Mapping[str, int]) -> None:
        """Delete the names of an erasure, and add what else was removed, by kind, to its receipts."""
        ...

    async def receipts(self, source_id: str) -> list[Receipt]:
        """Return the receipts of erasures demanded for exactly this id, newest first."""
        ...
