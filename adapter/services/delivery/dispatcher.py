"""The dispatcher: takes due deliveries from the outbox, sends them, and records the results.

Each destination has a worker of its own, which leases only that destination's deliveries and only as many
as it can send soon: a slow endpoint delays no other. A lease lasts longer than every timeout, and results
are fenced by the number of the lease, so that two dispatchers never record the same attempt. The body is
rendered and stored with the first lease. So a dispatcher that is killed at any moment sends again the same
body under the same id.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from adapter.destinations.contract import Destination, Manner
from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.model.deliveries import Delivery
from adapter.services.delivery.destination_worker import Clock, DestinationWorker, Jitter, Pace
from adapter.services.delivery.erasures import noted
from adapter.services.delivery.outcomes import given_up
from adapter.store.contract import Store
from adapter.store.values import DeliveryResult

log = logging.getLogger(__name__)

#: Seconds between two searches for deliveries whose destination is not configured (any more).
STRAYS_EVERY: Final = 5.0
#: How many of them are taken at a time, and for how long.
STRAYS: Final = 100
STRAYS_LEASE: Final = timedelta(minutes=1)


class Dispatcher:
    """Sends the due deliveries of `destinations`, by name, each in its manner.

    `clock` returns aware times, `jitter` numbers from 0 to 1 that spread the retries.
    """

    def __init__(
        self,
        store: Store,
        destinations: Mapping[str, Destination],
        clock: Clock,
        jitter: Jitter,
        metrics: Metrics,
        *,
        manners: Mapping[str, Manner] | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._jitter = jitter
        self._metrics = metrics
        self._pace = pace or Pace()
        self._strange_since: dict[str, datetime] = {}
        self._workers: dict[str, DestinationWorker] = {}
        self._stops: dict[str, asyncio.Event] = {}
        self._group: asyncio.TaskGroup | None = None
        self.exchange((), destinations, manners or {})

    def wake(self) -> None:
        """Look for due deliveries at once; call it from the dispatcher's event loop, after a commit."""
        for worker in self._workers.values():
            worker.wake()

    def exchange(
        self,
        gone: Collection[str],
        fresh: Mapping[str, Destination],
        manners: Mapping[str, Manner],
    ) -> None:
        """Send no more to those that are `gone`, and from now on to the `fresh` ones in place of others.

        Attempts that have started are finished and recorded.
        """
        for name in {*gone, *fresh}:
            self._end(name)
        for name, destination in fresh.items():
            self._workers[name] = DestinationWorker(
                destination,
                self._store,
                manners.get(name, Manner()),
                clock=self._clock,
                jitter=self._jitter,
                pace=self._pace,
                metrics=self._metrics,
            )
            if self._group is not None:
                self._start(name, self._group)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish the attempts that have started, and record them."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._watch_strays(stop))
            for name in self._workers:
                self._start(name, group)
            await stop.wait()
            self._group = None
            for name in [*self._workers]:
                self._stops[name].set()
            self.wake()

    def _start(self, name: str, group: asyncio.TaskGroup) -> None:
        self._stops[name] = asyncio.Event()
        group.create_task(self._workers[name].run(self._stops[name]))

    def _end(self, name: str) -> None:
        worker, stop = self._workers.pop(name, None), self._stops.pop(name, None)
        if worker is not None and stop is not None:
            stop.set()
            worker.wake()

    async def _watch_strays(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._bury_strays()
            except Unavailable as error:
                log.warning("the store is unavailable, unknown destinations are searched later: %s", error)
            except Exception:
                log.exception("the search for unknown destinations failed")
            try:
                await asyncio.wait_for(stop.wait(), STRAYS_EVERY)
            except TimeoutError:
                continue

    async def _bury_strays(self) -> int:
        """Give up due deliveries of destinations that are not configured, and return how many those were.

        While settings are rolled out, another process may have a destination that this one does not have yet.
        """
        now, since = self._clock(), self._strange_since
        strange = [name for name in await self._store.due_destinations() if name not in self._workers]
        self._strange_since = {name: since.get(name, now) for name in strange}
        return sum([await self._bury(name) for name in strange if self._is_given_up(name, now)])

    def _is_given_up(self, name: str, now: datetime) -> bool:
        return now - self._strange_since[name] >= self._pace.strange_for

    async def _bury(self, name: str) -> int:
        buried = 0
        now = self._clock()
        while strays := await self._store.lease(now, now + STRAYS_LEASE, STRAYS, name):
            buried += await self._store.settle([noted(each, _unknown(each), now) for each in strays])
            for delivery in strays:
                self._metrics.deliveries.labels("unknown", "dead").inc()
                log.warning("delivery %s: no destination %s", delivery.id, delivery.destination)
        return buried


def _unknown(delivery: Delivery) -> DeliveryResult:
    name = delivery.destination
    return given_up(
        delivery,
        f"no destination `{name}` is configured: set `destinations.{name}.url` again, "
        "then `adapter deliveries --retry-all`",
    )
