"""A relay in a process of its own, which a test kills: it sends until nothing is due.

Arguments: the store's URL, the receiver's URL, and `works`, or `settles-first` for a relay that records what
it leases as done before it sends it, as no relay may.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from adapter.destinations.transport import guarded_client
from adapter.destinations.webhook import WebhookDestination
from adapter.metrics import Metrics
from adapter.model.deliveries import Delivery
from adapter.services.delivery.destination_worker import Pace
from adapter.services.delivery.dispatcher import Dispatcher
from adapter.settings.destinations.webhook import Webhook
from adapter.settings.scalars import Secret
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.values import DeliveryResult

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#: A killed relay's leases end soon.
PACE = Pace(lease=timedelta(seconds=2), soonest=timedelta(milliseconds=50), latest=timedelta(milliseconds=50))


class SettlesFirst:
    """An outbox in which all that is leased is done."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.due_destinations = store.due_destinations
        self.pause = store.pause

    async def lease(self, *asked: Any, **how: Any) -> list[Delivery]:
        leased = await self._store.lease(*asked, **how)
        await self._store.settle([DeliveryResult(each.id, each.attempt, done=True) for each in leased])
        return leased

    async def settle(self, results: Sequence[DeliveryResult], _: Any = None) -> int:
        return len(results)


async def main(url: str, receiver: str, way: str) -> None:
    """Send until nothing is due."""
    store = open_store(url)
    await store.open()
    client = guarded_client(allow_private=True, allow_http=True)
    settings = Webhook(url=receiver, secrets=(Secret(SECRET),), allow_private_addresses=True)
    destination = WebhookDestination("shop", settings, client)
    destination.timeout = timedelta(milliseconds=500)  # so that leases of a killed relay end soon
    outbox = cast("Store", SettlesFirst(store)) if way == "settles-first" else store
    stop = asyncio.Event()
    async with client:
        dispatcher = Dispatcher(
            outbox, {"shop": destination}, lambda: datetime.now(UTC), lambda: 0.5, Metrics(), pace=PACE
        )
        running = asyncio.create_task(dispatcher.run(stop))
        while (await store.counts())["deliveries_due"]:  # noqa: ASYNC110 - the store knows no event
            await asyncio.sleep(0.05)
        stop.set()
        await running
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
