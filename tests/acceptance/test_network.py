"""The network between adapter and database, cut, stalled, slow: 503 in time, then as if nothing had been."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.invariants import end_leases, kept, unsent, violations
from tests.acceptance.receiver import Receiver
from tests.acceptance.wire import Wire, wired

#: The longest that a sender waits for an answer, in seconds: as long as Segment does.
SENDER = 4
#: Seconds for a read that waits 3 in the queue or for the database, on a machine that is busy and slow.
READER = 10
#: What those ask who read; {n} is a number.
READS = (
    "/v1/discounts/CODE-{n}",
    "/v1/customers/shopper-{n}",
    "/v1/customers/shopper-{n}/discounts",
    "/v1/customers/shopper-{n}/events",
    "/v1/customers/shopper-{n}/export",
    "/v1/decisions?source_id=shopper-{n}",
)
#: The longest that a server takes to stop then: what is on its way to the database ends in its own time.
STOPPING = 28


@pytest.fixture
async def wire(postgres_server: Any) -> AsyncIterator[Wire]:
    async with wired(postgres_server.port) as wire:
        yield wire


@pytest.fixture
async def server(start_server: Any, postgres_store: str, wire: Wire, rules: Path, receiver: Receiver) -> Any:
    """A server whose way to the database is the wire."""
    host, _, name = postgres_store.rpartition("/")
    store = f"{host.rpartition(':')[0]}:{wire.port}/{name}"
    return await asyncio.to_thread(lambda: start_server(rules=rules, store=store, **receiver.environ))


@pytest.fixture
async def client(server: Any) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=server.url, timeout=SENDER * 4, limits=limits) as client:
        yield client


async def ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).status_code == 200


async def until_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(30):
        while not await ready(client):  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(0.1)


async def settled(load: Any, sending: Any, server: Any, store: str, receiver: Receiver) -> list[str]:
    """Let everything be acknowledged and pushed, and return every broken promise."""
    load.stopping = True
    await sending
    await end_leases(store)
    told = {code for codes in load.acknowledged.values() for code in codes}
    async with asyncio.timeout(30):
        while not receiver.pushed.keys() >= told:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.to_thread(server.stop)
    found = await kept(store)
    return violations(found, load.acknowledged, load.customers) + unsent(found, receiver.pushed)


async def acknowledged(load: Any, more: int) -> None:
    aim = len(load.acknowledged) + more
    async with asyncio.timeout(60):
        while len(load.acknowledged) < aim:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_cut_again_and_again_it_answers_503_and_recovers_with_nothing_lost(
    server: Any, wire: Wire, load_on: Any, client: httpx.AsyncClient, postgres_store: str, receiver: Receiver
) -> None:
    load = load_on(server.url)
    sending = asyncio.create_task(load.run())
    for _ in range(8):
        await acknowledged(load, 25)
        turned_away = load.turned_away
        await wire.cut()
        async with asyncio.timeout(5):
            while load.turned_away < turned_away + 20:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert not await ready(client)
        await wire.open()
    await until_ready(client)
    assert await settled(load, sending, server, postgres_store, receiver) == []
    assert load.longest < SENDER


async def test_stalled_it_answers_503_in_time_and_recovers_with_nothing_lost(
    server: Any, wire: Wire, load_on: Any, client: httpx.AsyncClient, postgres_store: str, receiver: Receiver
) -> None:
    load = load_on(server.url)
    sending = asyncio.create_task(load.run())
    await acknowledged(load, 100)
    wire.stall()
    started = time.monotonic()
    waits: list[float] = []
    statuses: Counter[int] = Counter()

    async def ask(number: int) -> None:
        await asyncio.sleep(number * 0.05)
        asked = time.monotonic()
        answer = await client.get(READS[number % len(READS)].format(n=number))
        waits.append(time.monotonic() - asked)
        statuses[answer.status_code] += 1
        assert int(answer.headers["Retry-After"]) >= 1

    asking = [asyncio.create_task(ask(number)) for number in range(100)]
    assert not await ready(client)
    assert time.monotonic() - started < 4
    async with asyncio.timeout(SENDER):
        while load.turned_away == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert (await client.get("/health/live")).status_code == 200
    await asyncio.gather(*asking)
    assert statuses == {503: 100}
    assert max(waits) < READER
    wire.flow()
    await until_ready(client)
    await acknowledged(load, 20)
    assert await settled(load, sending, server, postgres_store, receiver) == []
    assert load.longest < SENDER


async def test_after_a_stall_a_message_whose_commit_was_unanswered_is_a_duplicate(
    server: Any, wire: Wire, load_on: Any, client: httpx.AsyncClient, postgres_store: str, receiver: Receiver
) -> None:
    load = load_on(server.url)
    sending = asyncio.create_task(load.run())
    await acknowledged(load, 100)
    wire.stall()
    async with asyncio.timeout(SENDER):
        while load.turned_away < 100:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert (await client.get("/health/ready")).json()["checks"][1] == {
        "name": "queue", "ok": False, "detail": "a commit timed out; check the store and the connection to it"
    }  # fmt: skip
    wire.flow()
    await until_ready(client)
    await acknowledged(load, 20)
    assert await settled(load, sending, server, postgres_store, receiver) == []
    assert load.longest < SENDER


async def test_stalled_it_stops_in_bounded_time(
    server: Any, wire: Wire, load_on: Any, postgres_store: str
) -> None:
    load = load_on(server.url)
    sending = asyncio.create_task(load.run())
    await acknowledged(load, 50)
    wire.stall()
    await asyncio.sleep(0.5)
    started = time.monotonic()
    await asyncio.to_thread(server.stop)
    assert time.monotonic() - started < STOPPING
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending
    assert load.longest < SENDER


async def test_slow_it_is_slow_and_right(
    server: Any, wire: Wire, load_on: Any, postgres_store: str, receiver: Receiver
) -> None:
    load = load_on(server.url)
    sending = asyncio.create_task(load.run())
    await acknowledged(load, 50)
    wire.delay = 0.02
    await acknowledged(load, 60)
    assert load.turned_away == 0, "to be slow is no reason to turn anybody away"
    wire.delay = 0
    assert await settled(load, sending, server, postgres_store, receiver) == []
    assert load.longest < SENDER
