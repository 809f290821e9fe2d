"""What a relay is tried with: a clock put forward by hand, endpoints, and outboxes that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Raw

from adapter.destinations.contract import Attempt, Destination
from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.model.deliveries import Delivery, Pause
from adapter.services.delivery.destination_worker import DestinationWorker, Pace
from adapter.services.delivery.dispatcher import Dispatcher
from adapter.store.contract import Store, Transaction
from adapter.store.values import Changes, DeliveryResult, LoadRequest

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OK = Attempt(ok=True)


def delivery(id_: str, destination: str = "shop", not_after: datetime | None = None) -> Delivery:
    body = Raw(b'{"type":"discount.issued"}')
    return Delivery(id_, destination, "u-1", "discount.issued", body, NOON, due_at=NOON, not_after=not_after)


def many(count: int, destination: str = "shop") -> list[Delivery]:
    return [delivery(f"{destination}-{n}", destination) for n in range(count)]


async def put(store: Store, deliveries: Sequence[Delivery]) -> None:
    async def script(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(), NOON)
        await transaction.reserve([], [])
        await transaction.save(Changes(NOON, {}, [], {}, [], [], [], [], {}, [], list(deliveries), []))

    await store.transact(script)


class SteppedDispatcher(Dispatcher):
    """A dispatcher whose work is done when a test says so, instead of in loops."""

    async def run_once(self, limit: int) -> int:
        """Send what is due, up to `limit` for each destination; return how many outcomes were recorded."""
        buried = await self._bury_strays()
        counts = await asyncio.gather(*(run_once(lane, limit) for lane in self._lanes.values()))
        return buried + sum(counts)


async def run_once(worker: DestinationWorker, limit: int) -> int:
    """Send up to `limit` of what is due and return how many outcomes were recorded."""
    recorded = await worker._flush()
    while limit > 0 and (begun := await worker._lease(limit)):
        limit -= begun
        recorded += await worker._flush()
    return recorded


def relay(
    store: Store,
    clock: Clock,
    *endpoints: Destination,
    pace: Pace | None = None,
    metrics: Metrics | None = None,
) -> SteppedDispatcher:
    destinations = {endpoint.name: endpoint for endpoint in endpoints}
    return SteppedDispatcher(store, destinations, clock, lambda: 0.5, metrics or Metrics(), pace=pace)


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Endpoint:
    """A destination that answers as told, once `open`, and remembers what it was sent."""

    def __init__(self, name: str, answer: Callable[[Delivery], Attempt] = lambda _: OK) -> None:
        self._name = name
        self.answer = answer
        self.sent: list[tuple[str, int]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.at_once = 0
        self.most_at_once = 0

    @property
    def name(self) -> str:
        return self._name

    async def send(self, delivery: Delivery, now: datetime) -> Attempt:
        self.sent.append((delivery.id, delivery.attempt))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        await self.open.wait()
        self.at_once -= 1
        return self.answer(delivery)


class Unleasing:
    """An outbox that gives what is due to whoever asks."""

    def __init__(self, store: Store) -> None:
        self.settle = store.settle
        self._store = store

    async def lease(self, now: datetime, until: datetime, limit: int, *_: str) -> list[Delivery]:
        return await self._store.deliveries("due", limit)


class Away:
    """An outbox that refuses three times out of four."""

    def __init__(self, store: Store) -> None:
        self.refused = 0
        self._store = store
        self._calls = 0

    async def lease(self, *asked: Any) -> list[Delivery]:
        self._refuse()
        return await self._store.lease(*asked)

    async def settle(self, settlements: Sequence[DeliveryResult]) -> int:
        self._refuse()
        return await self._store.settle(settlements)

    async def pause(self, pause: Pause) -> None:
        self._refuse()
        await self._store.pause(pause)

    def _refuse(self) -> None:
        self._calls += 1
        if self._calls % 4:
            self.refused += 1
            raise Unavailable("the store is away")
