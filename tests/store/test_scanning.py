"""A pass over all customers' data reads each table by an index, in slices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apsw
import asyncpg
import pytest

from adapter.store.engines import open_store
from adapter.store.postgres import statements as postgres
from adapter.store.scanning import Query, Spot, query
from adapter.store.sqlite import statements as sqlite
from adapter.store.tables.description import Engine
from adapter.store.tables.redaction_sql import Redaction

REDACTIONS: dict[Engine, dict[str, Redaction]] = {
    "sqlite": sqlite.REDACTIONS,
    "postgres": postgres.REDACTIONS,
}
TABLES = ["", "joined", "customers", *sqlite.REDACTIONS, "redirects"]
FILL = """
INSERT INTO customers (source_id, body, history) SELECT 'c' || n, '{}', '' FROM generate_series(1, 3000) AS n;
INSERT INTO identities SELECT 'mpid', 'i' || n, 'c' || n FROM generate_series(1, 3000) AS n;
INSERT INTO events (source_id, occurred_at, event_id, identity, body)
SELECT 'c' || n, n, 'e' || n, decode(md5('e' || n), 'hex'), '{}' FROM generate_series(1, 3000) AS n;
INSERT INTO decisions SELECT 'c' || n, n, n, '{}' FROM generate_series(1, 3000) AS n;
ANALYZE;
"""


def queries(engine: Engine, table: str) -> Iterator[Query]:
    """Yield the statements of a table's first slice, and of one behind a key."""
    first = query(Spot("c1", "c2", including=False, table=table), REDACTIONS[engine], engine)
    yield first
    key = (*first.values[:1], *[0] * (first.width - 1))
    yield query(Spot("c1", "c2", including=False, table=table, key=key), REDACTIONS[engine], engine)


@pytest.fixture
async def schema(tmp_path: Any) -> str:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    await store.open()
    await store.close()
    return str(tmp_path / "store.db")


@pytest.mark.parametrize("table", TABLES)
async def test_sqlite_reads_a_slice_in_the_order_of_an_index(schema: str, table: str) -> None:
    connection = apsw.Connection(schema)
    for asked in queries("sqlite", table):
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {asked.sql}", asked.values)]
        assert plan[0].startswith("SEARCH")
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan
        # Events that differ in nothing but their identity are few.
        assert ("USE TEMP B-TREE FOR LAST TERM OF ORDER BY" in plan) == (table == "events")
    connection.close()


@pytest.mark.postgres
async def test_postgres_can_read_a_slice_by_an_index(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url, server_settings={"enable_seqscan": "off"})
    await connection.execute(FILL)
    for table in TABLES:
        for asked in queries("postgres", table):
            await connection.execute(f"PREPARE slice AS {asked.sql}")
            bound = ", ".join("NULL" for _ in asked.values)
            plan = str(await connection.fetch(f"EXPLAIN EXECUTE slice ({bound})"))
            await connection.execute("DEALLOCATE slice")
            assert "Seq Scan" not in plan, table
    await connection.close()
