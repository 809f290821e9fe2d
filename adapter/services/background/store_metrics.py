"""Metrics of the store: due and dead deliveries, quarantined messages, and codes left in pools."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from adapter.metrics import Metrics
from adapter.services.periodic import pause, tried
from adapter.store.contract import Store

#: The maximum delay of a process's metrics when another process renders them.
_FLUSH_INTERVAL = timedelta(seconds=1)


#: So many codes of a pool are counted at most: more are enough, and a large pool costs no more.
_MOST_CODES = 10_000


class StoreMetrics:
    """Reads the gauges from the store every `interval`; all processes read the same values.

    `pools` returns the code pools that rules name. With a `clock` the destinations at rest are counted too,
    and the age of the oldest delivery.
    """

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        interval: timedelta = timedelta(seconds=10),
        *,
        pools: Callable[[], Collection[str]] = tuple,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._pools = pools
        self._clock = clock
        self._interval = interval

    async def read(self) -> None:
        """Set the gauges to the current counts of the store. Raises Unavailable."""
        counts = await self._store.counts()
        self._metrics.deliveries_due.set(counts["deliveries_due"])
        self._metrics.deliveries_dead.set(counts["deliveries_dead"])
        self._metrics.quarantined.set(counts["quarantined"])
        if self._clock is not None:
            now = self._clock()
            self._metrics.destinations_at_rest.set(await self._at_rest(now))
            self._metrics.oldest_delivery.set(await self._age_of_the_oldest(now))
        if pools := sorted(self._pools()):
            for pool, left in (await self._store.pool_levels(pools, _MOST_CODES)).items():
                self._metrics.pool_codes.labels(pool).set(left)

    async def _at_rest(self, now: datetime) -> int:
        paused = {each.destination for each in await self._store.pauses(now)}
        failing = {each.destination for each in await self._store.breakers() if each.state(now) != "closed"}
        return len(paused | failing)

    async def _age_of_the_oldest(self, now: datetime) -> float:
        oldest = await self._store.oldest_due()
        return 0.0 if oldest is None else max((now - oldest).total_seconds(), 0.0)

    async def run(self, stop: asyncio.Event) -> None:
        """Read them until `stop` is set, and flush this process's own metrics every second."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_reading(stop))
            group.create_task(self._keep_flushing(stop))

    async def _keep_reading(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await tried("count deliveries and quarantined messages", self.read)
            await pause(stop, self._interval)

    async def _keep_flushing(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await pause(stop, _FLUSH_INTERVAL)
            self._metrics.flush()
