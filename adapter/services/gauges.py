"""What metrics say of the store: how much waits, was given up, or stands in quarantine."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from adapter.metrics import Metrics
from adapter.services.rounds import pause, tried
from adapter.store.contract import Store


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
        """Read them until `stop` is set."""
        while not stop.is_set():
            await tried("count what waits", self.read)
            await pause(stop, self._interval)
