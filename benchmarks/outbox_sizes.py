"""What the relay, its gauges and health ask of a store while the outbox grows to a day's backlog.

A store is filled by script with entries for a remote core that is away, up to 86 of each of 50,000 customers:
4,320,000, a day at 50 messages a second. At each size the verbs of the store are timed; the reads after some
leases and settlements, so that what these leave in the indexes counts.

    .venv/bin/python -m benchmarks.outbox_sizes sqlite
    .venv/bin/python -m benchmarks.outbox_sizes postgres
    .venv/bin/python -m benchmarks.outbox_sizes sqlite --sizes 10000 100000

A line each: the median in ms at each size. The last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import asyncpg
import uvloop

from adapter.model.deliveries import Delivery
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.timestamps import micros
from adapter.store.values import DeliveryResult, Ordering
from benchmarks.postgres import PostgresServer

SIZES = (10_000, 100_000, 1_000_000, 4_320_000)
CUSTOMERS = 50_000
BEGIN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BATCH = 500
ORDER = Ordering(kept=True)
_COLUMNS = "id, destination, source_id, type, body, created_at, due_at, visible_at, attempt, status"
_ROW = (
    "'msg_' || n, 'core', 'c-' || (n * 7919 % {customers}), 'operations', {body}, {begin} + n * 20000, "
    "{begin} + n * 20000, {begin} + n * 20000, 0, 'due'"
)
_BODY = json.dumps({"type": "operations", "timestamp": "2026-11-21T12:00:00Z", "data": {"note": "x" * 300}})


def _row(body: str) -> str:
    return _ROW.format(customers=CUSTOMERS, begin=micros(BEGIN), body=body)


def fill_sqlite(file: Path, first: int, end: int) -> None:
    connection = apsw.Connection(str(file))
    connection.execute("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000")
    row = _row(f"CAST('{_BODY}' AS BLOB)")
    for start in range(first, end, 100_000):
        connection.execute(
            "WITH RECURSIVE numbers (n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?2) "
            f"INSERT INTO deliveries ({_COLUMNS}) SELECT {row} FROM numbers",
            (start, min(start + 100_000, end)),
        )
    connection.close()


async def fill_postgres(url: str, first: int, end: int) -> None:
    connection = await asyncpg.connect(url)
    row = _row(f"convert_to('{_BODY}', 'UTF8')")
    for start in range(first, end, 100_000):
        numbers = f"generate_series({start}::bigint, {min(start + 100_000, end) - 1})"
        await connection.execute(
            f"INSERT INTO deliveries ({_COLUMNS}) SELECT {row} FROM {numbers} AS n ORDER BY n", timeout=600
        )
    # As autovacuum does at this many rows.
    await connection.execute("ANALYZE deliveries", timeout=600)
    await connection.close()


class Work:
    """Leases and settles, as a relay does, at a moment after the outage."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._now = BEGIN + timedelta(days=2)
        self._leased: list[Delivery] = []

    async def lease(self) -> None:
        self._now += timedelta(seconds=1)
        self._leased = await self._store.lease(
            self._now, self._now + timedelta(days=1), BATCH, "core", order=ORDER, favour="new"
        )

    async def settle(self) -> None:
        results = [DeliveryResult(each.id, each.attempt, done=True) for each in self._leased]
        assert await self._store.settle(results) == len(results) == BATCH


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await work()
    return 1000 * (time.perf_counter() - started)


async def measure(store: Store, turns: int) -> dict[str, float]:
    relay, found = Work(store), dict[str, list[float]]()
    for _ in range(turns):
        found.setdefault("lease", []).append(await timed(relay.lease))
        found.setdefault("settle", []).append(await timed(relay.settle))
    reads: dict[str, Callable[[], Awaitable[object]]] = {
        "counts": store.counts,
        "oldest_due": store.oldest_due,
        "due_destinations": store.due_destinations,
        "crowded": lambda: store.crowded("core", 100, 1_000),
        "queue_levels": lambda: store.queue_levels(1_000),
        "deliveries": lambda: store.deliveries("due", 100, "core"),
        "due_of": lambda: store.due_of("core", [f"c-{number}" for number in range(100)], 100),
        "pauses": lambda: store.pauses(BEGIN),
        "breakers": store.breakers,
    }
    for name, verb in reads.items():
        found[name] = [await timed(verb) for _ in range(5)]
    return {name: round(statistics.median(each), 2) for name, each in found.items()}


async def at_sizes(
    url: str, sizes: list[int], turns: int, fill: Callable[[int, int], Awaitable[None]]
) -> dict[int, dict[str, float]]:
    found, filled = {}, 1
    for size in sizes:
        store = open_store(url)
        await store.open()
        await store.close()
        await fill(filled, size + 1)
        filled = size + 1
        await store.open()
        found[size] = await measure(store, turns)
        await store.close()
        print(size, found[size], flush=True)
    return found


def on_sqlite(sizes: list[int], turns: int) -> dict[int, dict[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "adapter.db"

        async def fill(first: int, end: int) -> None:
            await asyncio.to_thread(fill_sqlite, file, first, end)

        return uvloop.run(at_sizes(f"sqlite:///{file}", sizes, turns, fill))


def on_postgres(sizes: list[int], turns: int) -> dict[int, dict[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder), "shared_buffers=512MB", "max_wal_size=8GB")
        server.start()
        try:
            url = server.dsn()

            async def fill(first: int, end: int) -> None:
                await fill_postgres(url, first, end)

            return uvloop.run(at_sizes(url, sizes, turns, fill))
        finally:
            server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("engine", choices=("sqlite", "postgres"))
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--turns", type=int, default=10, help="leases and settlements at each size")
    given = parser.parse_args()
    run = on_sqlite if given.engine == "sqlite" else on_postgres
    found = run(sorted(given.sizes), given.turns)
    for name in next(iter(found.values())):
        print(f"{name:18}", *(f"{found[size][name]:12,.2f}" for size in found))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
