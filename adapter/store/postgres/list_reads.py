"""Reads of lists over everything, newest first, each one bounded statement or two."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar

from adapter.model.deliveries import Delivery
from adapter.model.discounts import DiscountRecord
from adapter.model.pages import Page
from adapter.model.quarantine import Excerpt, Reason
from adapter.store.list_rows import (
    MOST_LOOKED_AT,
    deliveries_page,
    levels,
    numbered_page,
    read_discount,
    read_reason,
)
from adapter.store.outbox_rows import read_delivery
from adapter.store.owners import own_names, owned
from adapter.store.paging import LAST_ID, LAST_TEXT, owned_page, read_cursor
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.reads import Reads
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import array
from adapter.store.values import QueueLevel

T = TypeVar("T")


class Lists:
    """Reads on one connection; see the contract for what each returns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def discounts_by_time(
        self, rule: str | None, limit: int, before: str | None
    ) -> Page[DiscountRecord]:
        """Return a page of all discounts, or of a rule's, newest first."""
        begin = read_cursor(before, LAST_ID)
        statement = "discounts_by_time" if rule is None else "discounts_of_rule"
        rows = await self._rows(statement, rule, limit + 1, begin.moment, begin.tie, begin.skip)
        names = await self._names({row[3] for row in rows})
        return owned_page(rows, names, begin, limit, lambda _, body: read_discount(names, body))

    async def deliveries_of(self, source_id: str, limit: int, before: str | None) -> Page[Delivery]:
        """Return a page of a customer's deliveries, the latest made first."""
        begin = read_cursor(before, LAST_TEXT)
        key = str((await self._rows("resolve", source_id))[0][0])
        values = key, limit + 1, begin.moment, begin.tie, begin.skip, MOST_LOOKED_AT
        found = [read_delivery(row) for row in await self._rows("deliveries_of", *values)]
        return deliveries_page(owned(found, await self._names([key])), begin, limit)

    async def deliveries_to(self, destination: str, limit: int, before: str | None) -> Page[Delivery]:
        """Return a page of all deliveries to a destination, the latest made first."""
        begin = read_cursor(before, LAST_ID)
        rows = await self._rows("deliveries_to", destination, limit + 1, begin.moment, begin.tie, begin.skip)
        return numbered_page(rows, await self._names({row[2] for row in rows}), begin, limit)

    async def queue_levels(self, most: int) -> list[QueueLevel]:
        """Return what waits or was given up, by destination."""
        names = [row[0] for row in await self._rows("due_destinations")]
        due = await self._rows("due_levels", array(names), most)
        return levels(due, await self._rows("dead_levels", most))

    async def quarantine_reasons(self, before: int | None, limit: int) -> list[Reason]:
        """Return why messages before an id are kept, the latest first."""
        rows = await self._rows("quarantine_reasons", LAST_ID if before is None else before, limit)
        return [read_reason(row) for row in rows]

    async def oldest_quarantine_reasons(self, after: int, limit: int) -> list[Reason]:
        """Return why messages after an id are kept, the oldest first."""
        return [read_reason(row) for row in await self._rows("oldest_quarantine_reasons", after, limit)]

    async def _names(self, keys: Collection[str]) -> dict[str, str]:
        return own_names(await self._rows("known_as", array(keys))) if keys else {}

    async def _rows(self, statement: str, *values: Any) -> list[Any]:
        return [tuple(row) for row in await self._connection.fetch(SQL[statement], *values)]


class ListVerbs(ABC):
    """These verbs of `adapter.store.contract.Store`; the engine says on which connection a query runs."""

    @abstractmethod
    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run a query on a connection for reads."""

    @abstractmethod
    async def _read_or_peek(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run a query, also of a closed store."""

    async def discounts_by_time(
        self, rule: str | None = None, limit: int = 100, before: str | None = None
    ) -> Page[DiscountRecord]:
        """Return a page of all discounts, or of a rule's, newest first."""
        return await self._read(lambda connection: Lists(connection).discounts_by_time(rule, limit, before))

    async def deliveries_of(
        self, source_id: str, limit: int = 100, before: str | None = None
    ) -> Page[Delivery]:
        """Return a page of a customer's deliveries, the latest made first."""
        return await self._read_or_peek(
            lambda connection: Lists(connection).deliveries_of(source_id, limit, before)
        )

    async def deliveries_to(
        self, destination: str, limit: int = 100, before: str | None = None
    ) -> Page[Delivery]:
        """Return a page of all deliveries to a destination, the latest made first."""
        return await self._read_or_peek(
            lambda connection: Lists(connection).deliveries_to(destination, limit, before)
        )

    async def queue_levels(self, most: int) -> list[QueueLevel]:
        """Return what waits or was given up, by destination."""
        return await self._read(lambda connection: Lists(connection).queue_levels(most))

    async def quarantined(self, after: int = 0, limit: int = 100) -> list[Excerpt]:
        """Return quarantined messages after an id."""
        return await self._read(lambda connection: Reads(connection).quarantined(after, limit))

    async def latest_quarantined(self, before: int | None = None, limit: int = 100) -> list[Excerpt]:
        """Return quarantined messages before an id, the latest first."""
        return await self._read(lambda connection: Reads(connection).latest_quarantined(before, limit))

    async def quarantine_reasons(self, before: int | None = None, limit: int = 1_000) -> list[Reason]:
        """Return why messages before an id are kept, the latest first."""
        return await self._read(lambda connection: Lists(connection).quarantine_reasons(before, limit))

    async def oldest_quarantine_reasons(self, after: int = 0, limit: int = 1_000) -> list[Reason]:
        """Return why messages after an id are kept, the oldest first."""
        return await self._read(lambda connection: Lists(connection).oldest_quarantine_reasons(after, limit))
