"""Schemas of the engine for many processes: made once, stepwise or at once, while others run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from adapter.errors import Unavailable
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.migrations import Migration
from adapter.store.postgres.connection import connect
from adapter.store.postgres.engine import PostgresStore
from adapter.store.postgres.migrate import applied, migrate
from adapter.store.postgres.statements import MIGRATIONS
from adapter.store.values import LoadRequest


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


async def test_many_processes_may_start_at_once_on_a_new_database(new_postgres: str) -> None:
    stores = [PostgresStore(new_postgres, "fresh") for _ in range(6)]
    await asyncio.gather(*(store.open() for store in stores))
    assert (await stores[0].counts())["customers"] == 0
    for store in stores:
        await store.close()


_SCHEMA = """
SELECT table_name || '.' || column_name || ' ' || data_type || is_nullable || coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND proname <> 'empty_store'
UNION ALL SELECT relname || reloptions::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT attrelid::regclass::text || '.' || attname || attcompression::text FROM pg_attribute
WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
ORDER BY 1
"""


async def test_a_migrated_schema_equals_a_fresh_one(new_postgres: str, store_url: str) -> None:
    stepped = await connect(new_postgres, {})
    for count in range(1, len(MIGRATIONS) + 1):
        await migrate(stepped, MIGRATIONS[:count], "stepped")
    fresh = await connect(store_url, {})
    schemas = [[row[0] for row in await each.fetch(_SCHEMA)] for each in (fresh, stepped)]
    assert schemas[0] == schemas[1]
    assert len(schemas[0]) > 100
    await fresh.close()
    await stepped.close()


async def test_a_concurrent_schema_change_stops_no_transaction(
    running: Store, store_url: str, run: Any, make: Any
) -> None:
    """What a migration of a newer process does to the older ones that still run."""
    await run.save(LoadRequest(customers=["c1"]), customers=[make.customer("c1")])
    connection = await asyncpg.connect(store_url)
    for change in ("ADD COLUMN later text", "DROP COLUMN later"):
        await connection.execute(f"ALTER TABLE customers {change}")
        loaded = await run.save(LoadRequest(customers=["c1"]), customers=[make.customer("c1")])
        assert set(loaded.customers) == {"c1"}
        assert await running.customer("c1") is not None
    await connection.close()


@pytest.fixture
async def older(new_postgres: str) -> AsyncIterator[Callable[..., Any]]:
    """Opens connections to a new database that has the schema of a migration."""
    opened: list[Any] = []

    async def open_(number: int | None = None) -> Any:
        opened.append(await connect(new_postgres, {}))
        if number is not None:
            await migrate(opened[-1], MIGRATIONS[:number], "older")
        return opened[-1]

    yield open_
    for connection in opened:
        await connection.close()


_INDEXES = """
SELECT pg_get_indexdef(indexrelid) || indisvalid FROM pg_index
WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) ORDER BY 1
"""
BESIDE_TRAFFIC = [step for step in MIGRATIONS if step.beside_traffic]
#: Of an erasure: a trigger notes what else is sent, so that two of one customer would wait for each other.
_DELIVERY = "INSERT INTO deliveries VALUES ('c1', '{0}', 1, 'shop', 'customer.erased', '', 1, 1, 1, 0, 'due')"
WRITES = {
    "folded_codes": "INSERT INTO codes VALUES ('{0}', 'c1')",
    "event_indexes": (
        "INSERT INTO events (source_id, occurred_at, event_id, body) VALUES ('c1', 1, '{0}', '')"
    ),
    "discount_lists": (
        "INSERT INTO discounts (source_id, code, event_id, issued_at, open, body) "
        "VALUES ('c1', '{0}', 'e', 1, true, '{{\"rule\":\"r\"}}')"
    ),
    "ordered_deliveries": _DELIVERY,
    "delivery_lists": _DELIVERY,
    "fresh_deliveries": _DELIVERY,
}
_WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE query LIKE 'CREATE%INDEX%' AND wait_event_type = 'Lock' AND datname = current_database()
"""


@pytest.mark.parametrize("step", BESIDE_TRAFFIC, ids=lambda step: step.name)
async def test_an_index_is_built_while_older_programs_write(older: Callable[..., Any], step: Any) -> None:
    write = WRITES[step.name]
    migrating, writing, another = await older(step.number - 1), await older(), await older()
    under_way = writing.transaction()
    await under_way.start()
    await writing.execute(write.format("under way"))
    task = asyncio.create_task(migrate(migrating, MIGRATIONS, "older"))
    async with asyncio.timeout(20):
        while not await another.fetchval(_WAITING):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await another.execute("SET lock_timeout = '1s'")
    await another.execute(write.format("meanwhile"))
    await under_way.commit()
    await task
    assert await another.fetchval("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0


@pytest.mark.parametrize("step", BESIDE_TRAFFIC, ids=lambda step: step.name)
async def test_an_interrupted_online_migration_starts_again(
    older: Callable[..., Any], store_url: str, step: Any
) -> None:
    half_way = await older(step.number - 1)
    for statement in step.statements[: len(step.statements) // 2 + 1]:
        await half_way.execute(statement)
    await migrate(half_way, MIGRATIONS, "older")
    fresh = await connect(store_url, {})
    indexes = [[row[0] for row in await each.fetch(_INDEXES)] for each in (fresh, half_way)]
    await fresh.close()
    assert indexes[0] == indexes[1]


async def test_a_step_that_fails_leaves_the_steps_before_it(older: Callable[..., Any]) -> None:
    connection = await older(1)
    broken = Migration(3, "broken", "CREATE TABLE half (n int); SELECT 1 / 0", spares_older=True)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(connection, [*MIGRATIONS[:2], broken], "older")
    assert [step.number for step in await applied(connection)] == [1, 2]
    assert await connection.fetchval("SELECT to_regclass('half')") is None
    await migrate(connection, MIGRATIONS, "older")
