"""What is to be forwarded goes to the outbox, and calls are counted; runs inside a transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import apsw

from adapter.store.forwarding import call_rows, forgotten_before, made, refusal
from adapter.store.forwarding_values import CallLimits, MakeDelivery, Refusal
from adapter.store.outbox_rows import delivery_row
from adapter.store.sqlite.statements import SQL
from adapter.store.timestamps import micros

T = TypeVar("T")


def forward(
    connection: apsw.Connection,
    now: datetime,
    destination: str,
    make: MakeDelivery,
    *,
    limit: int,
    backlog: int,
) -> int:
    """Move due entries to the outbox, and return how many."""
    waiting = connection.execute(SQL["few_due"], (destination, backlog)).get
    room = min(limit, backlog - int(waiting or 0))
    if room <= 0:
        return 0
    rows: list[Any] = connection.execute(SQL["due_forwards"], (destination, micros(now), room)).fetchall()
    deliveries = made(destination, (row[1:] for row in rows), make)
    connection.executemany(SQL["add_delivery"], map(delivery_row, deliveries))
    connection.executemany(SQL["end_forward"], [row[:1] for row in rows])
    return len(rows)


def spend(
    connection: apsw.Connection, now: datetime, destination: str, calls: int, limits: CallLimits
) -> Refusal | None:
    """Count calls that are about to be made, or return why they may not be."""
    connection.execute(SQL["forget_calls"], forgotten_before(destination, now))
    counted: list[Any] = connection.execute(SQL["calls_made"], (destination,)).fetchall()
    refused = refusal(counted, calls, limits, now)
    if refused is None:
        connection.executemany(SQL["add_calls"], call_rows(destination, calls, now))
    return refused


class ForwardingVerbs(ABC):
    """These verbs of `adapter.store.contract.Store`; the engine says how a write runs."""

    @abstractmethod
    async def _write(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run a write in a transaction of its own."""

    async def forward(
        self, now: datetime, destination: str, make: MakeDelivery, *, limit: int, backlog: int
    ) -> int:
        """Move due forwards to the outbox."""
        return await self._write(
            lambda connection: forward(connection, now, destination, make, limit=limit, backlog=backlog)
        )

    async def spend(self, now: datetime, destination: str, calls: int, limits: CallLimits) -> Refusal | None:
        """Count calls, unless a limit refuses them."""
        return await self._write(lambda connection: spend(connection, now, destination, calls, limits))
