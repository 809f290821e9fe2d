"""Activity: series of counts by span of time, to which all processes add."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import apsw
import asyncpg

from adapter.model.activity import ActivityCount
from adapter.store.contract import Store
from adapter.store.postgres import statements as postgres
from adapter.store.sqlite import statements as sqlite
from adapter.store.sqlite.engine import SqliteStore

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def counted(name: str, minutes: int, amount: int = 1) -> ActivityCount:
    return ActivityCount(name, NOON + minutes * MINUTE, amount)


async def test_what_several_processes_count_in_one_minute_is_added_up(store: Store) -> None:
    both = [counted("b", 0, 3), counted("a", 0, 2)]
    await asyncio.gather(*(store.add_activity(each) for each in (both, both[::-1], both)))
    assert await store.activity(["a", "b"], NOON, NOON + MINUTE, MINUTE) == [
        counted("a", 0, 6),
        counted("b", 0, 9),
    ]


async def test_series_are_summed_by_longer_spans_from_a_moment_on_and_before_another(store: Store) -> None:
    await store.add_activity([counted("a", at) for at in (-1, 0, 59, 60, 119, 120)] + [counted("b", 0)])
    assert await store.activity(["a", "none"], NOON, NOON + 2 * HOUR, HOUR) == [
        counted("a", 0, 2),
        counted("a", 60, 2),
    ]


async def test_no_series_have_no_spans(store: Store) -> None:
    await store.add_activity([counted("a", 0)])
    assert await store.activity([], NOON, NOON + HOUR, MINUTE) == []
    assert await store.trim_activity(NOON + HOUR, []) == 0


async def test_old_spans_are_deleted_of_some_series_or_of_all(store: Store) -> None:
    await store.add_activity([counted(name, at) for name in ("a", "b") for at in (0, 1, 2)])
    assert await store.trim_activity(NOON + MINUTE, ["b"]) == 1
    assert await store.trim_activity(NOON + 2 * MINUTE) == 3
    assert await store.activity(["a", "b"], NOON, NOON + HOUR, MINUTE) == [counted("a", 2), counted("b", 2)]


async def test_more_old_spans_than_one_transaction_deletes_are_all_deleted(store: Store) -> None:
    await store.add_activity([counted(name, at) for name in ("a", "b") for at in range(1_100)])
    assert await store.trim_activity(NOON + 1_100 * MINUTE, ["b"]) == 1_100
    assert await store.trim_activity(NOON + 1_100 * MINUTE) == 1_100


async def test_a_series_is_read_and_trimmed_by_indexes(store_url: str, store: Store) -> None:
    await store.add_activity([counted(name, at) for name in ("a", "b") for at in range(500)])
    plans = await (_sqlite_plans(store) if store_url.startswith("sqlite") else _postgres_plans(store_url))
    assert [plan for plan in plans if "SCAN activity" in plan or "Seq Scan on activity" in plan] == []
    assert len(plans) >= 3


async def _sqlite_plans(store: Any) -> list[str]:
    assert isinstance(store, SqliteStore)
    bound: dict[str, tuple[Any, ...]] = {
        "activity": (b"", 0, 1, 1), "trim_activity": (1, 1), "trim_activity_of": (1, 1, b""),
    }  # fmt: skip

    def explained(connection: apsw.Connection) -> list[str]:
        plans = [
            connection.execute(f"EXPLAIN QUERY PLAN {sqlite.SQL[name]}", values)
            for name, values in bound.items()
        ]
        return ["\n".join(row[3] for row in plan) for plan in plans]

    return await store._ask(explained)


async def _postgres_plans(url: str) -> list[str]:
    bound = {
        "activity": "ARRAY['a'], 1, 2, 1", "trim_activity": "1, 10", "trim_activity_of": "1, 10, ARRAY['a']",
    }  # fmt: skip
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
        found = []
        for name, values in bound.items():
            await connection.execute(f"PREPARE explained AS {postgres.SQL[name]}")
            rows = await connection.fetch(f"EXPLAIN EXECUTE explained ({values})")
            found.append("\n".join(row[0] for row in rows))
            await connection.execute("DEALLOCATE explained")
        return found
    finally:
        await connection.close()
