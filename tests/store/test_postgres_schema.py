"""Schemas of the engine for many processes: made once, stepwise or at once, while others run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from adapter.errors import Unavailable
from adapter.store.contract import Store, Wanted
from adapter.store.engines import open_store
from adapter.store.postgres.connection import connect
from adapter.store.postgres.engine import PostgresStore
from adapter.store.postgres.migrate import migrate
from adapter.store.postgres.statements import MIGRATIONS


@pytest.fixture
def store_url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
async def running(store_url: str) -> AsyncIterator[Store]:
    """A store that is open already, as an older process would have it."""
    store = open_store(store_url)
    await store.open()
    yield store
    await store.close()


async def test_a_newer_schema_is_refused(running: Store, store_url: str) -> None:
    await running.ping()
    connection = await asyncpg.connect(store_url)
    await connection.execute("INSERT INTO schema_version (number, name) VALUES (999, 'future')")
    await connection.close()
    with pytest.raises(
        Unavailable, match=r"has schema 999, and this program knows \d+: start the newer program"
    ):
        await open_store(store_url).open()


async def test_many_processes_may_start_at_once_on_a_new_database(postgres_server: Any) -> None:
    connection = await asyncpg.connect(postgres_server.dsn())
    await connection.execute("DROP DATABASE IF EXISTS fresh")
    await connection.execute("CREATE DATABASE fresh")
    await connection.close()
    stores = [PostgresStore(postgres_server.dsn("fresh"), "fresh") for _ in range(6)]
    await asyncio.gather(*(store.open() for store in stores))
    assert (await stores[0].counts())["customers"] == 0
    for store in stores:
        await store.close()


_SCHEMA = """
SELECT table_name || '.' || column_name || ' ' || data_type || is_nullable || coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT relname || reloptions::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT attrelid::regclass::text || '.' || attname || attcompression::text FROM pg_attribute
WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
ORDER BY 1
"""


async def test_a_migrated_schema_equals_a_fresh_one(postgres_server: Any, store_url: str) -> None:
    connection = await connect(postgres_server.dsn(), {})
    await connection.execute("DROP DATABASE IF EXISTS stepped")
    await connection.execute("CREATE DATABASE stepped")
    await connection.close()
    stepped = await connect(postgres_server.dsn("stepped"), {})
    for count in range(1, len(MIGRATIONS) + 1):
        await migrate(stepped, MIGRATIONS[:count], "stepped")
    fresh = await connect(store_url, {})
    schemas = [[row[0] for row in await each.fetch(_SCHEMA)] for each in (fresh, stepped)]
    assert schemas[0] == schemas[1]
    assert len(schemas[0]) > 100
    await fresh.close()
    await stepped.close()


async def test_a_schema_that_changes_meanwhile_stops_nobody(
    running: Store, store_url: str, run: Any, make: Any
) -> None:
    """What a migration of a newer process does to the older ones that still run."""
    await run.save(Wanted(customers=["c1"]), customers=[make.customer("c1")])
    connection = await asyncpg.connect(store_url)
    for change in ("ADD COLUMN later text", "DROP COLUMN later"):
        await connection.execute(f"ALTER TABLE customers {change}")
        loaded = await run.save(Wanted(customers=["c1"]), customers=[make.customer("c1")])
        assert set(loaded.customers) == {"c1"}
        assert await running.customer("c1") is not None
    await connection.close()
