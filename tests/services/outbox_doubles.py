"""Test doubles of a dispatcher: a clock set by hand, endpoints, and outboxes that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Raw

from adapter.destinations.contract import Attempt, BatchLimits, Destination, Manner
from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.model.breakers import Tally
from adapter.model.deliveries import Delivery, Pause
from adapter.services.delivery.destination_worker import DestinationWorker, Pace
from adapter.services.delivery.dispatcher import Dispatcher
from adapter.store.contract import Store
from adapter.store.outbox_rows import rendered
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, DeliveryResult, LoadRequest, Render

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
        """Send what is due, up to `limit` for each destination; return how many results were recorded."""
        buried = await self._bury_strays()
        counts = await asyncio.gather(*(run_once(worker, limit) for worker in self._workers.values()))
        return buried + sum(counts)


async def run_once(worker: DestinationWorker, limit: int) -> int:
    """Send up to `limit` of what is due and return how many results were recorded."""
    recorded = await worker._flush()
    while limit > 0 and (begun := await worker._lease_some(limit)):
        limit -= begun
        recorded += await worker._flush()
    return recorded


def relay(
    store: Store,
    clock: Clock,
    *endpoints: Destination,
    pace: Pace | None = None,
    metrics: Metrics | None = None,
    manner: Manner | None = None,
) -> SteppedDispatcher:
    destinations = {endpoint.name: endpoint for endpoint in endpoints}
    manners = {endpoint.name: manner or Manner() for endpoint in endpoints}
    counted = metrics or Metrics()
    return SteppedDispatcher(store, destinations, clock, lambda: 0.5, counted, manners=manners, pace=pace)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Endpoint:
    """A destination that returns `answer`, once `open`, and keeps what it was sent."""

    type = "test"
    timeout = timedelta(seconds=15)
    batch = BatchLimits()

    def __init__(
        self,
        name: str,
        answer: Callable[[Delivery], Attempt] = lambda _: OK,
        render: Callable[[Delivery], Raw | None] = lambda _: None,
    ) -> None:
        self._name = name
        self.answer = answer
        self.render = render
        self.sent: list[tuple[str, int]] = []
        self.bodies: list[bytes] = []
        self.open = asyncio.Event()
        self.open.set()
        self.at_once = 0
        self.most_at_once = 0

    @property
    def name(self) -> str:
        return self._name

    async def send(self, deliveries: Sequence[Delivery], now: datetime) -> Sequence[Attempt]:
        self.sent += [(delivery.id, delivery.attempt) for delivery in deliveries]
        self.bodies += [delivery.body for delivery in deliveries]
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        await self.open.wait()
        self.at_once -= 1
        return [self.answer(delivery) for delivery in deliveries]


class Unleasing:
    """An outbox that returns due deliveries without a lease."""

    def __init__(self, store: Store) -> None:
        self.settle = store.settle
        self._store = store

    async def due_destinations(self) -> list[str]:
        return []

    async def lease(
        self, now: datetime, until: datetime, limit: int, destination: str, render: Render, **_: Any
    ) -> list[Delivery]:
        return [rendered(each, render) for each in await self._store.deliveries("due", limit, destination)]


class Away:
    """An outbox that refuses three times out of four."""

    def __init__(self, store: Store) -> None:
        self.refused = 0
        self._store = store
        self._calls = 0

    async def lease(self, *asked: Any, **more: Any) -> list[Delivery]:
        self._refuse()
        return await self._store.lease(*asked, **more)

    async def due_destinations(self) -> list[str]:
        return []

    async def settle(self, settlements: Sequence[DeliveryResult], tally: Tally | None = None) -> int:
        self._refuse()
        return await self._store.settle(settlements, tally)

    async def pause(self, pause: Pause) -> None:
        self._refuse()
        await self._store.pause(pause)

    def _refuse(self) -> None:
        self._calls += 1
        if self._calls % 4:
            self.refused += 1
            raise Unavailable("the store is away")
