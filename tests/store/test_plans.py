"""Every statement on the hot path visits one partition per customer, by index, whatever the tables hold."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from adapter.store.engines import open_store
from adapter.store.postgres.connection import BY_KEY
from adapter.store.postgres.statements import SQL

#: What is bound, as SQL: one customer each.
HOT = {
    "lock_customers": "ARRAY['c1']",
    "hold_customers": "ARRAY['c9999']",
    "drop_held_customers": "ARRAY['c1']",
    "put_customers": "ARRAY['c1'], ARRAY['{}'::bytea], ARRAY[''::bytea]",
    "add_events": "ARRAY['c1'], ARRAY[1], ARRAY['e'], ARRAY['{}'::bytea]",
    "add_decisions": "ARRAY['c1'], ARRAY[9999], ARRAY['{}'::bytea]",
    "discounts_by_code": "ARRAY['code-c1']",
    "open_discounts": "ARRAY['c1'], 1",
    "put_discounts": (
        "ARRAY['code-c1'], ARRAY['c1'], ARRAY['e'], ARRAY[1], ARRAY[2], ARRAY[true], ARRAY['{}'::bytea]"
    ),
    "add_deliveries": (
        "ARRAY['d'], ARRAY['shop'], ARRAY['c1'], ARRAY['t'], ARRAY['{}'::bytea], ARRAY[1], ARRAY[1], "
        "ARRAY[0], ARRAY['due'], ARRAY[2], ARRAY[NULL]"
    ),
    "arm_timers": "ARRAY['c1'], ARRAY['r'], ARRAY[1], ARRAY[2], ARRAY['{}'::bytea]",
    "end_timers": "ARRAY['c1'], ARRAY['r'], ARRAY[1]",
    "waiting": "ARRAY['c1'], ARRAY['r']",
    "past": "ARRAY['c1']",
    "customer": "'c1'",
    "discount": "'code-c1'",
    "discounts": "'c1', 10",
    "events": "'c1', 10",
    "decisions": "'c1', 10",
    "resolve": "'c1'",
    "move_events": "'c1', 'c2'",
    "drop_events": "'c1'",
    "all_discounts": "'c1'",
}
#: These read nothing: they append, each row to its partition.
APPENDING = {
    "hold_customers",
    "put_customers",
    "add_events",
    "add_decisions",
    "put_discounts",
    "add_deliveries",
    "arm_timers",
}
PARTITIONED = ("customers_", "events_", "decisions_", "discounts_", "deliveries_", "timers_")
FILL = """
INSERT INTO customers SELECT 'c' || n, '{}', '' FROM generate_series(1, 2000) AS n;
INSERT INTO events SELECT 'c' || n, n, 'e' || n, '{}' FROM generate_series(1, 2000) AS n;
INSERT INTO decisions SELECT 'c' || n, n, n, '{}' FROM generate_series(1, 2000) AS n;
INSERT INTO codes SELECT 'code-c' || n, 'c' || n FROM generate_series(1, 2000) AS n;
INSERT INTO discounts SELECT 'c' || n, 'code-c' || n, n, 'e' || n, n, n, true, '{}'
FROM generate_series(1, 2000) AS n;
INSERT INTO timers SELECT 'c' || n, 'r', n, n, '{}' FROM generate_series(1, 2000) AS n;
"""


@pytest.fixture(scope="module")
def young_and_grown(postgres_server: Any) -> dict[str, str]:
    """Two databases of the same rows: one that was never analysed, and one that was."""
    urls = {name: postgres_server.dsn(name) for name in ("young", "grown")}

    async def make() -> None:
        server = await asyncpg.connect(postgres_server.dsn())
        for name, url in urls.items():
            await server.execute(f"DROP DATABASE IF EXISTS {name}")
            await server.execute(f"CREATE DATABASE {name}")
            store = open_store(url)
            await store.open()
            await store.close()
            filling = await asyncpg.connect(url)
            await filling.execute(FILL)
            if name == "grown":
                await filling.execute("ANALYZE")
            await filling.close()
        await server.close()

    asyncio.run(make())
    return urls


@pytest.fixture(params=["young", "grown"])
async def connection(
    request: pytest.FixtureRequest, young_and_grown: dict[str, str]
) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(young_and_grown[request.param], server_settings=BY_KEY)
    yield connection
    await connection.close()


def visited(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the partitions that an analysed plan has read, and how."""
    name = plan.get("Relation Name", "")
    if name.startswith(PARTITIONED) and "Scan" in plan["Node Type"] and plan["Actual Loops"] > 0:
        yield name, plan["Node Type"]
    for below in plan.get("Plans", ()):
        yield from visited(below)


async def partitions(connection: Any, statement: str, bound: str) -> list[tuple[str, str]]:
    async with connection.transaction():
        await connection.execute(f"PREPARE hot AS {statement}")
        explained = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE hot ({bound})")
        await connection.execute("DEALLOCATE hot")
    return sorted(set(visited(json.loads(explained)[0]["Plan"])))


@pytest.mark.parametrize("name", HOT)
async def test_a_hot_statement_visits_one_partition(connection: Any, name: str) -> None:
    read = await partitions(connection, SQL[name], HOT[name])
    assert bool(read) == (name not in APPENDING)
    assert len({relation.rsplit("_", 1)[0] for relation, _ in read}) == len(read)
    assert all("Index" in how or "Bitmap" in how for _, how in read)


async def test_the_check_finds_a_statement_that_visits_them_all(connection: Any) -> None:
    read = await partitions(
        connection, "SELECT body FROM customers WHERE source_id = ANY ($1::text[])", "ARRAY['c1']"
    )
    assert len(read) == 8
