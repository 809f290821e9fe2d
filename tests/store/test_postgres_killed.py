"""A PostgreSQL server that is killed: everything that was acknowledged is there when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from adapter.errors import Unavailable
from adapter.store.engines import open_store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import LoadRequest

CAP = ("", "high-cart:total")


@pytest.fixture
def store_url(mortal_database: str) -> str:
    """The database of a server that may be killed."""
    return mortal_database


@pytest.fixture
async def stores(store_url: str) -> AsyncIterator[list[Any]]:
    """Four stores on one database, as four processes would have."""
    stores = [open_store(store_url) for _ in range(4)]
    for store in stores:
        await store.open()
    yield stores
    for store in stores:
        await store.close()


async def test_acknowledged_messages_survive_a_killed_server(
    stores: list[Any], mortal_postgres: Any, run: Any, make: Any
) -> None:
    """Laws 1 and 2 through a kill -9: acknowledged messages are stored, others may be sent again."""
    acknowledged: set[int] = set()

    async def send(number: int) -> None:
        async def script(transaction: Transaction) -> None:
            loaded = await transaction.load(LoadRequest(messages=[("s", str(number))]), make.now)
            counted = ("s", str(number)) in loaded.answers
            await transaction.save(make.changes(counters={} if counted else {CAP: 1}))

        with suppress(Unavailable):
            await stores[number % 4].transact(script)
            acknowledged.add(number)

    sending = [asyncio.create_task(send(number)) for number in range(400)]
    async with asyncio.timeout(30):
        while not acknowledged:  # noqa: ASYNC110 - the database knows no event
            await asyncio.sleep(0.001)
    await asyncio.to_thread(mortal_postgres.kill)
    await asyncio.gather(*sending)
    before = set(acknowledged)
    assert len(before) < 400
    await asyncio.to_thread(mortal_postgres.start)
    answered = (await run.load(messages=[("s", str(number)) for number in before])).answers
    assert len(answered) == len(before)
    for _ in range(5):
        await asyncio.gather(*(send(number) for number in range(400) if number not in acknowledged))
    assert len(acknowledged) == 400
    assert await run.used(CAP) == {CAP: 400}
