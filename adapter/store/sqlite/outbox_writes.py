"""What a dispatcher writes to the outbox."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TypeVar

import apsw

from adapter.model.breakers import Tally
from adapter.model.deliveries import DEAD, EVERYTHING, Delivery, DeliveryStatus, Pause, Selection
from adapter.model.pacing import UNPACED, Pacing
from adapter.store.sqlite import outbox
from adapter.store.sqlite.statements import SQL
from adapter.store.timestamps import micros
from adapter.store.values import UNORDERED, DeliveryResult, Favour, HolderReading, Ordering, Render

T = TypeVar("T")


class OutboxWrites(ABC):
    """These verbs of `adapter.store.contract.Store`; the engine says how a write runs."""

    @abstractmethod
    async def _write(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run a write in a transaction of its own."""

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
        return await self._write(
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
        return await self._write(lambda connection: outbox.settle(connection, settlements, tally))

    async def pause(self, pause: Pause) -> None:
        """Lease nothing for a destination in that time."""
        row = pause.destination, micros(pause.since), micros(pause.until), pause.reason
        await self._write(lambda connection: connection.execute(SQL["pause"], row))

    async def resume(self, destination: str | None = None) -> None:
        """End the pause of a destination and close its breaker, or all."""
        await self._write(lambda connection: outbox.resume(connection, destination))

    async def revive(
        self,
        now: datetime,
        selection: Selection = EVERYTHING,
        statuses: Collection[DeliveryStatus] = DEAD,
    ) -> int:
        """Make dead deliveries due, or those that wait."""
        return await self._write(lambda connection: outbox.revive(connection, now, selection, statuses))
