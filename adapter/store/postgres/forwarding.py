"""What is to be forwarded goes to the outbox, and calls are counted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from adapter.store.forwarding import call_rows, forgotten_before, made, month_of, refusal
from adapter.store.forwarding_values import CallLimits, MakeDelivery, Refusal
from adapter.store.outbox_rows import delivery_row
from adapter.store.postgres.connection import Connection, transaction
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import array, arrays
from adapter.store.timestamps import micros

T = TypeVar("T")


async def forward(
    connection: Connection,
    now: datetime,
    destination: str,
    make: MakeDelivery,
    *,
    limit: int,
    backlog: int,
) -> int:
    """Move due entries to the outbox, and return how many; those of another process are passed over."""
    async with transaction(connection):
        waiting = await connection.fetchval(SQL["few_due"], destination, backlog)
        room = min(limit, backlog - int(waiting))
        if room <= 0:
            return 0
        found = await connection.fetch(SQL["due_forwards"], destination, micros(now), room)
        if not found:
            return 0
        rows = [tuple(row) for row in found]
        # Read after the rows were locked, so that a change that was noted before is seen.
        keys = array({row[0] for row in rows})
        bodies = dict([tuple(row) for row in await connection.fetch(SQL["customer_bodies"], keys)])
        deliveries = made(destination, ((*row, bodies.get(row[0])) for row in rows), make)
        if deliveries:
            await connection.execute(SQL["add_deliveries"], *arrays(map(delivery_row, deliveries)))
        await connection.execute(SQL["end_forwards"], destination, *arrays([row[:3] for row in rows]))
    return len(rows)


async def spend(
    connection: Connection, now: datetime, destination: str, calls: int, limits: CallLimits
) -> Refusal | None:
    """Count calls that are about to be made, or return why they may not be."""
    async with transaction(connection):
        await connection.execute(SQL["lock_calls"], destination, micros(month_of(now)))
        await connection.execute(SQL["forget_calls"], *forgotten_before(destination, now))
        rows = [tuple(row) for row in await connection.fetch(SQL["calls_made"], destination)]
        refused = refusal(rows, calls, limits, now)
        if refused is None:
            await connection.executemany(SQL["add_calls"], call_rows(destination, calls, now))
    return refused


class ForwardingVerbs(ABC):
    """These verbs of `adapter.store.contract.Store`; the engine says on which connection they run."""

    @abstractmethod
    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run work on a connection."""

    async def forward(
        self, now: datetime, destination: str, make: MakeDelivery, *, limit: int, backlog: int
    ) -> int:
        """Move due forwards to the outbox."""
        return await self._read(
            lambda connection: forward(connection, now, destination, make, limit=limit, backlog=backlog)
        )

    async def spend(self, now: datetime, destination: str, calls: int, limits: CallLimits) -> Refusal | None:
        """Count calls, unless a limit refuses them."""
        return await self._read(lambda connection: spend(connection, now, destination, calls, limits))
