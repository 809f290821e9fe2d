"""What a store says of itself: its schema, and whether it is sound."""

from __future__ import annotations

from typing import Any

import asyncpg

from adapter.store.engines import open_store
from adapter.store.sqlite.engine import SqliteStore
from adapter.store.sqlite.statements import MIGRATIONS


async def test_a_used_store_is_sound(store: Any, run: Any, make: Any) -> None:
    await run.save(
        customers=[make.customer("c1"), make.customer("c2")],
        events=[("c1", make.event()), ("c2", make.event())],
        discounts=[make.held("A1"), make.held("A2", "c2")],
    )  # fmt: skip
    await run.save(moved=[("c1", "c2")], customers=[make.customer("c2")])
    await run.load(customers=["nobody"], identities=[("mpid", "nothing")])
    await store.purge("events", make.at(days=1))
    assert await store.check() == []
    await run.save(erased=["c2"])
    assert await store.check() == []


async def test_a_store_knows_its_schema(store: Any, store_url: str) -> None:
    schema = await open_store(store_url).schema()
    assert schema.applied == schema.latest >= 1


async def test_a_file_that_is_not_there_has_no_schema_and_is_not_made(tmp_path: Any) -> None:
    schema = await open_store(f"sqlite:///{tmp_path / 'none.db'}").schema()
    assert (schema.applied, schema.latest) == (0, len(MIGRATIONS))
    assert list(tmp_path.iterdir()) == []


async def test_counts_that_went_wrong_are_found(tmp_path: Any) -> None:
    store = SqliteStore(str(tmp_path / "a.db"))
    await store.open()
    await store._write(lambda connection: connection.execute("UPDATE totals SET n = 5 WHERE name = 'events'"))
    assert await store.check() == ["the count of events is 5, not 0"]
    await store.close()


async def test_inconsistent_rows_are_found(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(
        "INSERT INTO codes VALUES ('A1', 'c1'); INSERT INTO customers VALUES ('c9', '', '')"
    )
    await connection.close()
    store = open_store(postgres_url)
    await store.open()
    assert await store.check() == ["the code A1 has no discount", "the customer c9 is empty"]
    await store.close()
