"""What a dispatcher asks of the outbox without writing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import TypeVar

from adapter.model.deliveries import Delivery, Pause
from adapter.store.outbox_rows import read_delivery
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.reads import Reads
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import array
from adapter.store.timestamps import moment
from adapter.store.values import CROWD_CUSTOMERS, CROWD_LOOKED_AT

T = TypeVar("T")


class OutboxReads(ABC):
    """These verbs of `adapter.store.contract.Store`; the engine says how a read runs."""

    @abstractmethod
    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run a read on a connection."""

    @abstractmethod
    async def _read_or_peek(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run a read, also of a store that is not open."""

    async def pauses(self, now: datetime) -> list[Pause]:
        """Return the pauses in force, also of a closed store."""
        return await self._read_or_peek(lambda connection: Reads(connection).pauses(now))

    async def due_destinations(self) -> list[str]:
        """Return the names of the destinations of all due deliveries."""
        rows = await self._read(lambda connection: connection.fetch(SQL["due_destinations"]))
        return [row[0] for row in rows]

    async def due_of(self, destination: str, source_ids: Collection[str], most: int) -> list[Delivery]:
        """Return the first due deliveries of customers to a destination."""
        wanted = destination, array(source_ids), most
        rows = await self._read(lambda connection: connection.fetch(SQL["due_of_customers"], *wanted))
        return [read_delivery(tuple(row)) for row in rows]

    async def crowded(self, destination: str, above: int, limit: int) -> list[str]:
        """Return customers with many due deliveries to a destination."""
        wanted = destination, above, limit, CROWD_LOOKED_AT, CROWD_CUSTOMERS
        rows = await self._read(lambda connection: connection.fetch(SQL["crowded"], *wanted))
        return [row[0] for row in rows]

    async def oldest_due(self) -> datetime | None:
        """Return when the oldest due delivery was made."""
        at = await self._read(lambda connection: connection.fetchval(SQL["oldest_due"]))
        return None if at is None else moment(at)
