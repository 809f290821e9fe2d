"""Moves of discounts that wait until two customers are merged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from adapter.model.erasures import fingerprint
from adapter.store.contract import Store
from adapter.store.engines import open_store
from tests.store.conftest import Run


async def test_pending_moves_of_customers_are_loaded_with_their_discounts_and_holders(
    store: Store, run: Any, make: Any
) -> None:
    moves = [
        make.pending("p1", "c1"),
        make.pending("p2", "c2", "B2", status="refused"),
        make.pending("p3", "c3"),
    ]
    await run.save(
        customers=[make.customer("holder"), make.customer("c2")],
        discounts=[make.held("A1", "holder"), make.held("B2", "other", expires_at=make.at(days=-1))],
        pending=moves,
    )
    loaded = await run.load(customers=["c1", "c2"])
    assert sorted(loaded.pending, key=lambda move: move.id) == moves[:2]
    assert loaded.discounts == {}
    loaded = await run.load(customers=["c1", "holder"])
    assert (loaded.pending, list(loaded.discounts)) == (moves[:1], ["A1"])
    assert (await run.load(customers=["nobody"])).pending == []


async def test_a_discount_that_a_move_waits_for_is_loaded_though_it_has_expired(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(
        customers=[make.customer("holder")],
        discounts=[make.held("A1", "holder", expires_at=make.at(days=-1))],
        pending=[make.pending()],
    )
    assert list((await run.load(customers=["c1", "holder"])).discounts) == ["A1"]
    assert await store.lapsed(make.now, 9) == []
    await run.save(pending=[make.pending(status="refused")])
    assert await store.lapsed(make.now, 9) == ["A1"]


async def test_a_merge_moves_them_and_keeps_one_of_two_that_are_the_same(
    store: Store, run: Any, make: Any
) -> None:
    ours, theirs, same = make.pending("p1", "c1"), make.pending("p2", "c2"), make.pending("p1", "c2")
    await run.save(customers=[make.customer("c1"), make.customer("c2")], pending=[ours, theirs, same])
    await run.save(moved=[("c2", "c1")], customers=[make.customer("c1")])
    assert await store.pending_moves(source_id="c2") == [ours, replace(theirs, source_id="c1")]
    await run.save(ended=[ours])
    assert [move.id for move in await store.pending_moves(source_id="c1")] == ["p2"]


async def test_programs_of_the_version_before_merge_and_erase_them(
    postgres_url: str, postgres_run: Any, make: Any
) -> None:
    """They know nothing of pending moves: a redirect that they write, or a receipt, takes them along."""
    moves = [make.pending("p1", "old"), make.pending("p2", "gone"), make.pending("p1", "new")]
    await postgres_run.save(pending=moves)
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("INSERT INTO identities VALUES ('source_id', 'old', 'new')")
    await connection.execute(
        "INSERT INTO receipts (customer, erased_at, origin, request, removed) "
        "VALUES ($1, 1, 'api', '', '{}')",
        fingerprint("gone"),
    )
    await connection.close()
    assert (await postgres_run.load(customers=["old", "new", "gone"])).pending == [moves[2]]


@pytest.fixture
async def postgres_run(postgres_url: str, make: Any) -> AsyncIterator[Run]:
    store = open_store(postgres_url)
    await store.open()
    yield Run(store, make)
    await store.close()
