"""The quota of a destination: several dispatchers stay within it together, and nothing is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapter.destinations.contract import Attempt, Manner
from adapter.model.deliveries import Delivery
from adapter.store.contract import Store
from adapter.store.engines import open_store
from tests.services.outbox_doubles import Clock, Endpoint, many, put, relay

HUNDRED = Manner(per_minute=100)


class Timed(Endpoint):
    """An endpoint that notes when it was called, and takes two calls for each delivery."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("shop")
        self.clock = clock
        self.called: list[datetime] = []

    def calls(self, delivery: Delivery) -> int:
        return 2

    async def send(self, deliveries: Sequence[Delivery], now: datetime) -> Sequence[Attempt]:
        self.called += [self.clock.now] * 2
        return await super().send(deliveries, now)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'relay.db'}")
    await store.open()
    yield store
    await store.close()


async def test_d45_two_dispatchers_send_at_most_the_quota_in_any_minute(store: Store) -> None:
    clock = Clock()
    endpoint = Timed(clock)
    await put(store, many(200))
    dispatchers = [relay(store, clock, endpoint, manner=HUNDRED) for _ in range(2)]
    for _ in range(60):
        for each in dispatchers:
            await each.run_once(30)
        clock.now += timedelta(seconds=7)
    assert len(await store.deliveries("done", 300)) == 200
    assert {attempt for _, attempt in endpoint.sent}.issubset(range(1, 60))
    assert len({id_ for id_, _ in endpoint.sent}) == len(endpoint.sent)
    for start in endpoint.called:
        assert sum(start <= at < start + timedelta(minutes=1) for at in endpoint.called) <= 100


async def test_a_used_up_month_pauses_until_the_next_one_and_no_attempt_is_lost(store: Store) -> None:
    clock = Clock()
    endpoint = Timed(clock)
    await put(store, many(9))
    each = relay(store, clock, endpoint, manner=Manner(per_month=10))
    await each.run_once(100)
    assert len(endpoint.sent) == 5
    [pause] = await store.pauses(clock.now)
    assert pause.until == datetime(2026, 12, 1, tzinfo=UTC)
    assert pause.reason == "the quota of 10 calls a month is used up"
    due = await store.deliveries("due")
    assert [(waiting.past.counted, waiting.past.latest) for waiting in due] == [(0, ())] * 4
    clock.now = pause.until
    await each.run_once(100)
    assert len(endpoint.sent) == 9
