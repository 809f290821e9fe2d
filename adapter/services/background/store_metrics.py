"""What metrics say of the store: how much waits, was given up, or stands in quarantine."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from adapter.metrics import Metrics
from adapter.services.periodic import pause, tried
from adapter.store.contract import Store

#: Processes that serve together are this far behind when another one is asked.
_BEHIND = timedelta(seconds=1)


class Gauges:
    """Reads the gauges from the store every `interval`: several processes see the same numbers."""

    def __init__(self, store: Store, metrics: Metrics, interval: timedelta = timedelta(seconds=10)) -> None:
        self._store = store
        self._metrics = metrics
        self._interval = interval

    async def read(self) -> None:
        """Set the gauges to what the store holds now. Raises Unavailable."""
        counts = await self._store.counts()
        self._metrics.deliveries_due.set(counts["deliveries_due"])
        self._metrics.deliveries_dead.set(counts["deliveries_dead"])
        self._metrics.quarantined.set(counts["quarantined"])

    async def run(self, stop: asyncio.Event) -> None:
        """Read them until `stop` is set, and have this process's own numbers catch up every second."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_reading(stop))
            group.create_task(self._keep_up(stop))

    async def _keep_reading(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await tried("count what waits", self.read)
            await pause(stop, self._interval)

    async def _keep_up(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await pause(stop, _BEHIND)
            self._metrics.flush()
