"""Reads that whoever asked has given up, because nothing came from the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from adapter.store.contract import Store
from adapter.store.engines import open_store
from tests.acceptance.wire import Wire, wired

Read = Callable[[Store], Awaitable[Any]]
READS: dict[str, Read] = {
    "discount": lambda store: store.discount("A1"),
    "discounts": lambda store: store.discounts("c1"),
    "customer": lambda store: store.customer("c1"),
    "events": lambda store: store.events("c1"),
    "decisions": lambda store: store.decisions("c1"),
    "receipts": lambda store: store.receipts("c1"),
    "held": lambda store: store.held("c1"),
}
#: As many as a process keeps for reads.
READERS = 4
#: How often the event loop may turn before a read that is given up has ended: without waiting for anything.
TURNS = 200


@pytest.fixture
async def wire(postgres_server: Any) -> AsyncIterator[Wire]:
    async with wired(postgres_server.port) as wire:
        yield wire


@pytest.fixture
async def store(postgres_url: str, wire: Wire) -> AsyncIterator[Store]:
    """A store whose way to the database is the wire.

    Without TLS: asyncpg forgets a future when it is cancelled while it asks for that, and the tests' loop
    takes that for a failure. It would be a line in the log, and no connection is lost by it.
    """
    host, _, name = postgres_url.rpartition("/")
    query = "application_name=given-up&sslmode=disable"
    store = open_store(f"{host.rpartition(':')[0]}:{wire.port}/{name}?{query}")
    await store.open()
    yield store
    await store.close()


async def given_up(read: Awaitable[Any], stalled: float = 0.2) -> bool:
    """Give up a read that gets no answer for so many seconds; return whether it then ends at once."""
    reading = asyncio.ensure_future(read)
    await asyncio.wait([reading], timeout=stalled)
    assert not reading.done()
    reading.cancel()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    return reading.cancelled()


async def connections(url: str) -> int:
    """Return how many the store has at the server."""
    connection = await asyncpg.connect(url)
    named = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND application_name <> 'kept by tests'"
    )
    count = await connection.fetchval(named)
    await connection.close()
    return int(count)


def handles() -> int:
    """Return how many files, sockets and pipes this process has open, with both ends of the wire."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("name", READS)
async def test_a_read_that_is_given_up_ends_at_once(store: Store, wire: Wire, name: str) -> None:
    await READS[name](store)
    wire.stall()
    assert await given_up(READS[name](store))


async def test_an_export_that_is_given_up_half_way_ends_at_once(store: Store, wire: Wire) -> None:
    await store.held("c1")
    wire.delay = 0.05
    reading = asyncio.create_task(store.held("c1"))
    await asyncio.sleep(0.35)
    wire.stall()
    assert await given_up(reading)


async def test_many_abandoned_reads_leave_every_connection_usable(
    store: Store, wire: Wire, postgres_url: str
) -> None:
    await asyncio.gather(*(read(store) for read in READS.values()))
    before = handles()
    wire.stall()
    for _ in range(3):
        assert all(
            await asyncio.gather(*(given_up(read(store)) for read in READS.values() for _ in range(6)))
        )
    wire.flow()
    for _ in range(3):
        async with asyncio.timeout(60):
            await asyncio.gather(*(read(store) for read in READS.values() for _ in range(6)))
    async with asyncio.timeout(60):
        while await connections(postgres_url) > READERS:  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(0.05)
    assert handles() <= before + 2 * READERS


async def test_the_server_stops_a_query_that_was_given_up(store: Any, postgres_url: str) -> None:
    running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600)%'"
    reading = asyncio.create_task(store._read(lambda connection: connection.fetch("SELECT pg_sleep(600)")))
    watching = await asyncpg.connect(postgres_url)
    while await watching.fetchval(running) == 0:  # noqa: ASYNC110 - another process is waited for
        await asyncio.sleep(0.05)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    async with asyncio.timeout(30):
        while await watching.fetchval(running):  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0.05)
    await watching.close()
