"""What the relay and its gauges ask looks at as many rows of a large outbox as of a small one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import asyncpg
import pytest

from adapter.model.pacing import UNPACED
from adapter.store.engines import open_store
from adapter.store.postgres import outbox
from adapter.store.postgres.connection import Connection, prepare
from adapter.store.postgres.statements import SQL
from adapter.store.sqlite.statements import SQL as SQLITE
from adapter.store.timestamps import micros
from adapter.store.values import DeliveryResult, Ordering
from tests.databases import SharedServer
from tests.store.conftest import NOW
from tests.store.test_query_plans import EXPLAINING

#: Rows of the small and the large outbox, and how many of them a lease takes.
SIZES, BATCH = (2_000, 20_000), 50
COLUMNS = "id, destination, source_id, type, body, created_at, due_at, visible_at, attempt, status"
ROW = "'d' || n, 'core', 'c' || (n % 500), 'operations', {body}, n, n, n, 0, 'due'"
READS: dict[str, tuple[Any, ...]] = {
    "oldest_due": (),
    "due_destinations": (),
    "due_deliveries": (101, 0, None, None, None, None, None, None),
    "crowded": ("core", 3, 10, 100, 10),
}
LEASES: dict[str, tuple[Any, ...]] = {
    "leasable_for": (micros(NOW), BATCH, "core", True, None),
    "leasable_new": (micros(NOW), BATCH, "core", 100),
}


@pytest.fixture(scope="module")
def small_and_large(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of a small and a large outbox."""
    files = [tmp_path_factory.mktemp("outbox") / f"{size}.db" for size in SIZES]

    async def make(file: Path) -> None:
        store = open_store(f"sqlite:///{file}")
        await store.open()
        await store.close()

    for file, size in zip(files, SIZES, strict=True):
        asyncio.run(make(file))
        numbers = f"(SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < {size})"
        row = ROW.format(body="CAST('' AS BLOB)")
        filling = apsw.Connection(str(file))
        filling.execute(
            f"WITH RECURSIVE numbers AS {numbers} "
            f"INSERT INTO deliveries ({COLUMNS}) SELECT {row} FROM numbers"
        )
        filling.close()
    return files


def steps(file: Path, statement: str, bound: tuple[Any, ...]) -> int:
    """Return how many hundreds of instructions SQLite runs for a statement."""
    connection = apsw.Connection(str(file))
    counted = 0

    def count() -> bool:
        nonlocal counted
        counted += 1
        return False

    connection.set_progress_handler(count, 100)
    connection.execute(statement, bound).fetchall()
    connection.close()
    return counted


@pytest.mark.parametrize("name", [*READS, *LEASES])
def test_sqlite_takes_as_many_steps_in_a_large_outbox(small_and_large: list[Path], name: str) -> None:
    few, many = (steps(file, SQLITE[name], (READS | LEASES)[name]) for file in small_and_large)
    assert many <= few + 2


@pytest.fixture(scope="module", params=["young", "grown"])
def database(request: pytest.FixtureRequest, postgres_server: SharedServer) -> Iterator[str]:
    """A large outbox; a young one was never analysed."""

    async def fill(url: str) -> None:
        filling = await asyncpg.connect(url)
        rows = f"SELECT {ROW.format(body=chr(39) * 2)} FROM generate_series(1, {SIZES[1]}) AS n"
        await filling.execute(f"INSERT INTO deliveries ({COLUMNS}) {rows}")
        if request.param == "grown":
            await filling.execute("ANALYZE")
        await filling.close()

    with postgres_server.new_store() as url:
        asyncio.run(fill(url))
        yield url


class Watched:
    """A connection as the store has it for reads and leases, and how many rows its statements look at."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._rows = 0.0
        connection.add_log_listener(self._note)

    def _note(self, _: Any, message: Any) -> None:
        self._rows += sum(looked_at(json.loads(message.message.partition("plan:")[2])["Plan"]))

    async def rows(self) -> float:
        """Return how many were looked at since the last time."""
        await self.connection.execute("SELECT 1")  # what the server said before is heard by then
        seen, self._rows = self._rows, 0.0
        return seen


def looked_at(plan: dict[str, Any]) -> Iterator[float]:
    """Yield how many rows each scan of an analysed plan has looked at."""
    if "Scan" in plan["Node Type"] and ("Relation Name" in plan or "Index Name" in plan):
        removed = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        yield (plan["Actual Rows"] + removed) * plan["Actual Loops"]
    for below in plan.get("Plans", ()):
        yield from looked_at(below)


@pytest.fixture
async def watched(database: str) -> Any:
    connection = await asyncpg.connect(database)
    await prepare(connection)
    await connection.execute(EXPLAINING)
    yield Watched(connection)
    await connection.close()


async def test_postgres_leases_and_settles_by_looking_at_few_rows(watched: Watched) -> None:
    how: Any = {"render": None, "order": Ordering(kept=True), "reading": "nothing", "pacing": UNPACED}
    leased = await outbox.lease(watched.connection, NOW, NOW, BATCH, "core", favour="new", **how)
    assert len(leased) == BATCH
    assert 0 < await watched.rows() < 2_000
    results = [DeliveryResult(each.id, each.attempt, done=True) for each in leased]
    assert await outbox.settle(watched.connection, results, None) == BATCH
    assert BATCH <= await watched.rows() < 2_000


@pytest.mark.parametrize("name", READS)
async def test_postgres_reads_an_outbox_by_looking_at_few_rows(watched: Watched, name: str) -> None:
    await watched.connection.fetch(SQL[name], *READS[name])
    assert 0 < await watched.rows() < 2_000


async def test_the_check_finds_a_statement_that_looks_at_all_rows(watched: Watched) -> None:
    await watched.connection.fetch("SELECT count(*) FROM deliveries WHERE status = 'due'")
    assert await watched.rows() >= SIZES[1]
