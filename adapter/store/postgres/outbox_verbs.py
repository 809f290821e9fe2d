"""What a dispatcher and operators have the outbox do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import TypeVar

from adapter.model.breakers import Breaker, Tally
from adapter.model.deliveries import DEAD, EVERYTHING, Delivery, DeliveryStatus, Pause, Selection
from adapter.model.pacing import UNPACED, Pacing
from adapter.model.pages import Page
from adapter.store.outbox_rows import read_delivery
from adapter.store.postgres import outbox
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.reads import Reads
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import array
from adapter.store.timestamps import micros, moment
from adapter.store.values import (
    CROWD_CUSTOMERS,
    CROWD_LOOKED_AT,
    UNORDERED,
    DeliveryResult,
    Favour,
    HolderReading,
    Ordering,
    Render,
)

T = TypeVar("T")


class OutboxVerbs(ABC):
    """The verbs of `adapter.store.outbox_contract.OutboxVerbs`; the engine says how a read runs."""

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

    async def lease(
        self,
        now: datetime,
        until: datetime,
        limit: int,
        destination: str | None = None,
        render: Render | None = None,
        *,
        order: Ordering = UNORDERED,
        reading: HolderReading = "nothing",
        pacing: Pacing = UNPACED,
        favour: Favour | None = None,
    ) -> list[Delivery]:
        """Lease due deliveries until a moment."""
        return await self._read(
            lambda connection: outbox.lease(
                connection,
                now,
                until,
                limit,
                destination,
                render=render,
                reading=reading,
                order=order,
                pacing=pacing,
                favour=favour,
            )
        )

    async def settle(self, settlements: Sequence[DeliveryResult], tally: Tally | None = None) -> int:
        """Record what came of leased deliveries."""
        return await self._read(lambda connection: outbox.settle(connection, settlements, tally))

    async def breakers(self) -> list[Breaker]:
        """Return the breakers, also of a closed store."""
        return await self._read_or_peek(lambda connection: Reads(connection).breakers())

    async def deliveries(
        self,
        status: str,
        limit: int = 100,
        destination: str | None = None,
        *,
        selection: Selection | None = None,
        after: str | None = None,
    ) -> Page[Delivery]:
        """Return deliveries of one status, also of a closed store; raises Refused for an unknown one."""
        wanted = selection or Selection(destination=destination)
        return await self._read_or_peek(
            lambda connection: Reads(connection).deliveries(status, limit, wanted, after)
        )

    async def revive(
        self,
        now: datetime,
        selection: Selection = EVERYTHING,
        statuses: Collection[DeliveryStatus] = DEAD,
    ) -> int:
        """Make dead deliveries due, or those that wait."""
        return await self._read(lambda connection: outbox.revive(connection, now, selection, statuses))

    async def pause(self, pause: Pause) -> None:
        """Lease nothing for a destination in that time."""
        row = pause.destination, micros(pause.since), micros(pause.until), pause.reason
        await self._read(lambda connection: connection.execute(SQL["pause"], *row))

    async def resume(self, destination: str | None = None) -> None:
        """End the pause of a destination and close its breaker, or all."""
        await self._read(lambda connection: outbox.resume(connection, destination))
