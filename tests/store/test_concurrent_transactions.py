"""Transactions of one process that are under way beside one another, over PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from adapter.store.transaction_contract import Transaction
from adapter.store.values import LoadRequest


@pytest.fixture
def store_url(postgres_url: str) -> str:
    return postgres_url


async def test_a_transaction_that_begins_at_the_handover_sees_the_rows_of_the_one_before(
    store: Any, make: Any
) -> None:
    seen: list[int] = []

    async def visit(number: int) -> None:
        """Note which visit came before; the next begins as soon as this one lets it, well before its save."""
        following: list[asyncio.Task[None]] = []

        async def script(transaction: Transaction) -> None:
            loaded = await transaction.load(LoadRequest(customers=["c1"]), make.now)
            await asyncio.sleep(0.02)
            known = loaded.customers.get("c1")
            seen.append(known.customer.traits["visit"] if known else 0)
            await transaction.save(make.changes(customers=[make.customer("c1", traits={"visit": number})]))

        def on_locks_acquired() -> None:
            if number < 6:
                following.append(asyncio.create_task(visit(number + 1)))

        await store.transact(script, on_locks_acquired)
        await asyncio.gather(*following)

    await visit(1)
    assert seen == [0, 1, 2, 3, 4, 5]


async def test_the_next_transaction_begins_after_the_loaded_rows_are_locked(
    store: Any, store_url: str, make: Any
) -> None:
    async def keep(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(customers=["c1"]), make.now)
        await transaction.save(make.changes(customers=[make.customer("c1")]))

    await store.transact(keep)
    other = await asyncpg.connect(store_url)
    passed_on = asyncio.Event()
    async with other.transaction():
        await other.execute("SELECT FROM customers WHERE source_id = 'c1' FOR UPDATE")
        ours = asyncio.create_task(store.transact(keep, passed_on.set))
        await asyncio.sleep(0.2)
        assert not passed_on.is_set()
    await ours
    assert passed_on.is_set()
    await other.close()
