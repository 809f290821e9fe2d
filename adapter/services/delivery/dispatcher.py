"""The relay: takes due deliveries out of the outbox, sends them, and records what came of it.

Each destination has a lane of its own, which leases only that destination's deliveries and only as many
as it can send at once: a slow endpoint fills its own lane and no other. A lease outlives every timeout, and
recording is fenced by the attempt's number, so that two relays never record the same attempt. A relay that
dies between the receiver's answer and the record sends again, with the same id.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from adapter.destinations.contract import Destination
from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.model.deliveries import Delivery
from adapter.services.delivery.destination_worker import Clock, DestinationWorker, Jitter, Pace
from adapter.store.contract import Store
from adapter.store.values import DeliveryResult

log = logging.getLogger(__name__)

#: Seconds between two looks for deliveries whose destination is not configured (any more).
STRAYS_EVERY: Final = 5.0


class Dispatcher:
    """Sends what is due to `destinations`, by name.

    `clock` gives aware moments, `jitter` numbers from 0 to 1 that spread the retries.
    """

    def __init__(
        self,
        store: Store,
        destinations: Mapping[str, Destination],
        clock: Clock,
        jitter: Jitter,
        metrics: Metrics,
        *,
        pace: Pace | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._pace = pace or Pace()
        self._leasing = asyncio.Lock()
        self._lanes = {
            name: DestinationWorker(
                destination,
                store,
                clock=clock,
                jitter=jitter,
                pace=self._pace,
                metrics=metrics,
                leasing=self._leasing,
            )
            for name, destination in destinations.items()
        }

    def wake(self) -> None:
        """Look for due deliveries at once; call it from the relay's event loop, after a commit."""
        for lane in self._lanes.values():
            lane.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then let what is being sent finish, and record it."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_strays(stop))
            for lane in self._lanes.values():
                group.create_task(lane.run(stop))
            await stop.wait()
            self.wake()

    async def _watch_strays(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._bury_strays()
            except Unavailable as error:
                log.warning("the store is away, unknown destinations are looked for later: %s", error)
            except Exception:
                log.exception("looking for unknown destinations failed")
            try:
                await asyncio.wait_for(stop.wait(), STRAYS_EVERY)
            except TimeoutError:
                continue

    async def _bury_strays(self) -> int:
        """Give up what is due to destinations that are not configured, and return how many those were."""
        buried = 0
        while strays := await self._lease_strays():
            buried += await self._store.settle([_unknown(delivery) for delivery in strays])
            for delivery in strays:
                self._metrics.deliveries.labels("unknown", "dead").inc()
                log.warning("delivery %s: no destination %s", delivery.id, delivery.destination)
        return buried

    async def _lease_strays(self) -> list[Delivery]:
        """Lease for any destination, as far as every lane has room: what has a lane goes there."""
        async with self._leasing:
            room = min((lane.room for lane in self._lanes.values()), default=self._pace.width)
            if room <= 0:
                return []
            now = self._clock()
            leased = await self._store.lease(now, now + self._pace.lease, room)
            for delivery in leased:
                if delivery.destination in self._lanes:
                    self._lanes[delivery.destination].begin(delivery)
        return [delivery for delivery in leased if delivery.destination not in self._lanes]


def _unknown(delivery: Delivery) -> DeliveryResult:
    return DeliveryResult(
        id=delivery.id,
        attempt=delivery.attempt,
        done=False,
        error=f"no destination `{delivery.destination}` is configured: "
        f"set `destinations.{delivery.destination}.url` again, then `adapter deliveries --retry-all`",
    )
