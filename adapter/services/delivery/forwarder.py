"""Moves what is to be forwarded to the outbox: the newest state of a customer when its interval is over.

The outbox holds little of it at a time. What a slow or paused destination cannot take yet waits in the store,
one entry for each customer, so that it gets the newest state once it can.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec import UNSET, Raw

from adapter.metrics import Metrics
from adapter.model.deliveries import Delivery, OutboxEvent
from adapter.model.encoding import encode
from adapter.model.forwards import (
    CUSTOMER_UPDATED,
    EVENT_OCCURRED,
    ForwardedCustomer,
    ForwardedEvent,
    ForwardTo,
)
from adapter.services.periodic import tried
from adapter.store.contract import Store
from adapter.store.forwarding_values import Forward

log = logging.getLogger(__name__)

#: How many are moved in one transaction, and how many deliveries of the destination may be due meanwhile.
AT_ONCE: Final = 200
BACKLOG: Final = 400
#: How long to wait for what becomes due, unless woken.
EVERY: Final = timedelta(seconds=1)


class Forwarder:
    """Moves what is due to the outbox of `destinations`, by name; `wake` wakes the dispatcher.

    Several processes may do so at the same time.
    """

    def __init__(
        self,
        store: Store,
        destinations: Mapping[str, ForwardTo],
        clock: Callable[[], datetime],
        metrics: Metrics,
        *,
        new_id: Callable[[], str],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._destinations = destinations
        self._clock = clock
        self._new_id = new_id
        self._wake = wake
        self._metrics = metrics
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look for what is due at once; call it from the event loop, after a commit."""
        if self._destinations:
            self._woken.set()

    async def step(self) -> int:
        """Move some of what is due, of each destination, and return how many. Raises Unavailable."""
        moved = 0
        for name in self._destinations:
            now = self._clock()
            some = await self._store.forward(now, name, self._delivery, limit=AT_ONCE, backlog=BACKLOG)
            if some:
                self._metrics.forwarded.labels(name).inc(some)
                self._wake()
            moved += some
        return moved

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; nothing to do without destinations."""
        if not self._destinations:
            return
        while not stop.is_set():
            if not await tried("forward customers and events", self.step):
                await self._rest(stop)

    def _delivery(self, forward: Forward) -> Delivery | None:
        """Return the outbox entry; None for a customer that was removed meanwhile."""
        now = self._clock()
        if forward.event is not None:
            said = ForwardedEvent(forward.source_id, forward.event)
            event = OutboxEvent(EVENT_OCCURRED, forward.event.occurred_at, said)
        elif forward.customer is not None:
            state, version = ForwardedCustomer.of(forward.customer), forward.customer.version
            event = OutboxEvent(CUSTOMER_UPDATED, now, state, version=version or UNSET)
        else:
            return None
        return Delivery(
            id=f"msg_{self._new_id()}",
            destination=forward.destination,
            source_id=forward.source_id,
            type=event.type,
            event=Raw(encode(event)),
            created_at=now,
            due_at=now,
        )

    async def _rest(self, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop.wait())
        woken = asyncio.create_task(self._woken.wait())
        try:
            await asyncio.wait(
                {stopping, woken}, timeout=EVERY.total_seconds(), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            stopping.cancel()
            woken.cancel()
        self._woken.clear()
