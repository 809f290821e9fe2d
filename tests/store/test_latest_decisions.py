"""The latest decisions over all customers: bounded, in pages, and by an index."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import apsw
import asyncpg
from msgspec.structs import replace

from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.postgres.statements import SQL as POSTGRES
from adapter.store.sqlite.statements import SQL as SQLITE
from tests.databases import SharedServer
from tests.store.conftest import NOW


async def test_the_latest_decisions_come_in_pages_whoever_they_are_about(
    store: Store, run: Any, make: Any
) -> None:
    times = [timedelta(days=-400), timedelta(hours=-30), timedelta(seconds=-20), timedelta(0)]
    made = [
        replace(make.decision(f"c{at % 2}", f"e{at}"), decided_at=NOW + after)
        for at, after in enumerate(times)
    ]
    for decision in made:
        await run.save(decisions=[decision])
    first = await store.latest_decisions(NOW, 3)
    assert [each.event_id for each in first] == ["e3", "e2", "e1"]
    second = await store.latest_decisions(NOW, 3, first.next)
    assert ([each.event_id for each in second], second.next) == (["e0"], None)


async def test_sqlite_reads_them_by_their_numbers(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'adapter.db'}")
    await store.open()
    await store.close()
    plan = apsw.Connection(str(tmp_path / "adapter.db")).execute(
        f"EXPLAIN QUERY PLAN {SQLITE['latest_decisions']}", (5, 10)
    )
    assert [row[3] for row in plan] == ["SEARCH decisions USING INTEGER PRIMARY KEY (rowid<?)"]


async def test_postgres_looks_only_in_the_pages_of_a_span_of_time(postgres_server: SharedServer) -> None:
    with postgres_server.store() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(
            "INSERT INTO decisions (source_id, decided_at, body) "
            "SELECT 'c' || n % 1000, n::bigint * 1000000, convert_to(repeat('x', 200), 'UTF8') "
            "FROM generate_series(1, 400000) AS n"
        )
        await connection.execute("VACUUM ANALYZE decisions")
        await connection.execute(f"PREPARE latest AS {POSTGRES['latest_decisions']}")
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        # So few rows are read by their key; the cost of that grows with the table, and this one does not.
        await connection.execute("SET enable_indexscan = off")
        asked = "EXECUTE latest (399000000000, 400000000000, 99999999, 500)"
        plan = [row[0] for row in await connection.fetch(f"EXPLAIN {asked}")]
        await connection.close()
    assert not [line for line in plan if "Seq Scan" in line]
    assert [line for line in plan if "_decided_at_idx" in line or "decisions_by_age" in line]
