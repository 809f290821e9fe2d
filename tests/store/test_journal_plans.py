"""The statements with which lists of messages are read use an index on both engines, whatever there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import apsw
import asyncpg
import pytest

from adapter.store.contract import Store
from adapter.store.postgres import statements as postgres
from adapter.store.sqlite import statements as sqlite
from adapter.store.sqlite.engine import SqliteStore

#: What is bound, by statement, for both engines.
SQLITE: dict[str, tuple[Any, ...]] = {
    "fresh_journal": (1, b"1", 10), "latest_journal": (9, 10), "latest_journal_of": (b"d", 9, 10),
    "journal_rows": (b"1",), "first_seen": (b"d",), "journal": (1, 10, 1), "journal_start": (1,),
}  # fmt: skip
POSTGRES = {
    "fresh_journal": "1, ARRAY[1::bigint], 10", "latest_journal": "9, 10",
    "latest_journal_of": "ARRAY[''::bytea], 9, 10", "first_seen": "ARRAY[''::bytea]", "journal": "1, 10, 1",
    "journal_start": "1",
}  # fmt: skip


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_sqlite_searches_and_never_scans(store: Store) -> None:
    assert isinstance(store, SqliteStore)

    def plans(connection: apsw.Connection) -> dict[str, list[str]]:
        return {
            name: [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sqlite.SQL[name]}", values)]
            for name, values in SQLITE.items()
        }

    found = await store._ask(plans)
    scanned = {
        name: step for name, steps in found.items() for step in steps
        if step.startswith("SCAN") and any(table in step for table in (" journal", " messages"))
    }  # fmt: skip
    assert scanned == {}
    assert all(steps for steps in found.values())


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
async def test_postgresql_searches_and_never_scans(store: Store, store_url: str) -> None:
    connection = await asyncpg.connect(store_url)
    try:
        await connection.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
        for name, values in POSTGRES.items():
            await connection.execute(f"PREPARE explained AS {postgres.SQL[name]}")
            plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE explained ({values})")
            await connection.execute("DEALLOCATE explained")
            kinds = set(_kinds(json.loads(plan)[0]["Plan"]))
            assert (name, "Seq Scan" in kinds) == (name, False)
            assert any("Index" in kind for kind in kinds)
    finally:
        await connection.close()


def _kinds(plan: dict[str, Any]) -> Iterator[str]:
    yield plan["Node Type"]
    for below in plan.get("Plans", []):
        yield from _kinds(below)
