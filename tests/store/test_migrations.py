"""A program that is started again after a newer one has migrated the store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from msgspec.structs import replace

from adapter.errors import Unavailable
from adapter.model.customers import Customer
from adapter.model.encoding import encode
from adapter.model.events import Event, User
from adapter.store import migrations
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.migrations import Migration
from adapter.store.postgres import connection as postgres
from adapter.store.postgres import migrate as migrate_postgres
from adapter.store.postgres.statements import MIGRATIONS as OF_POSTGRES
from adapter.store.sqlite import connection as sqlite
from adapter.store.sqlite import migrate as migrate_sqlite
from adapter.store.sqlite.statements import MIGRATIONS as OF_SQLITE
from adapter.store.timestamps import micros
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, CustomerRecord, LoadRequest, NewEvent

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
#: How the first programs wrote down what they applied.
_FIRST_PROGRAMS = "INSERT INTO schema_version (number, name) VALUES (999, 'of tomorrow')"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new, empty store of each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'adapter.db'}"
    return str(request.getfixturevalue("new_postgres"))


async def execute(url: str, statement: str) -> None:
    if url.startswith("sqlite"):
        file = sqlite.connect(url.removeprefix("sqlite:///"))
        file.execute(statement)
        file.close()
        return
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def upgrade(url: str, *spares_older: bool) -> None:
    """Migrate as a newer program would that has one more migration for each of `spares_older`."""
    if url.startswith("sqlite"):
        file = sqlite.connect(url.removeprefix("sqlite:///"))
        migrate_sqlite.migrate(file, extended(OF_SQLITE, spares_older), url)
        file.close()
        return
    connection = await postgres.connect(url, {})
    await migrate_postgres.migrate(connection, extended(OF_POSTGRES, spares_older), url)
    await connection.close()


def extended(known: Sequence[Migration], spares_older: Sequence[bool]) -> list[Migration]:
    first = len(known) + 1
    later = [
        Migration(number, "later", f"ALTER TABLE customers ADD COLUMN later_{number} text", spares)
        for number, spares in enumerate(spares_older, first)
    ]
    return [*known, *later]


async def served(url: str) -> None:
    """Start this program on a store, keep a customer and read them, and stop."""

    async def script(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(customers=["c1"]), NOW)
        record = CustomerRecord(Customer("c1"))
        await transaction.save(Changes(NOW, {}, [record], {}, [], [], [], [], {}, [], [], []))

    store: Store = open_store(url)
    await store.open()
    try:
        await store.transact(script)
        assert await store.customer("c1") == Customer("c1")
    finally:
        await store.close()


@pytest.mark.parametrize("spares_older", [[True], [True, True]])
async def test_an_older_program_starts_if_every_unknown_migration_allows_it(
    url: str, spares_older: list[bool]
) -> None:
    await served(url)
    await upgrade(url, *spares_older)
    await served(url)
    schema = await open_store(url).schema()
    assert (schema.applied, schema.usable) == (schema.latest + len(spares_older), True)


@pytest.mark.parametrize("spares_older", [[False], [True, False], [False, True]])
async def test_an_older_program_is_refused_where_one_that_it_does_not_know_forbids_it(
    url: str, spares_older: list[bool]
) -> None:
    await served(url)
    await upgrade(url, *spares_older)
    with pytest.raises(
        Unavailable, match=r"has schema \d+, and this program knows \d+: start the newer program"
    ):
        await served(url)
    assert not (await open_store(url).schema()).usable


async def test_a_store_is_new_the_first_time_only(url: str) -> None:
    found = []
    for _ in range(2):
        store = open_store(url)
        await store.open()
        await store.close()
        found.append(store.made)
    assert found == [True, False]


async def test_an_unmarked_migration_is_not_for_older_programs(url: str) -> None:
    await served(url)
    await execute(url, _FIRST_PROGRAMS)
    with pytest.raises(Unavailable, match="has schema 999"):
        await served(url)


async def test_a_store_of_the_first_programs_opens_and_learns_to_remember(url: str) -> None:
    await served(url)
    await execute(url, "ALTER TABLE schema_version DROP COLUMN spares_older")
    await served(url)
    await upgrade(url, True)
    await served(url)


#: The migrations of the version before events had identities.
_BEFORE = {"sqlite": 1, "postgres": 3}


async def test_events_that_an_earlier_version_stored_are_kept_and_merged(url: str) -> None:
    """Under the earlier version one id at two times was two events."""
    old, new = "event of old", Event("e", "order_completed", NOW, User(id="c1"), {}, {})
    rows = [("c1", NOW - timedelta(days=days)) for days in (1, 2)] + [("c2", NOW - timedelta(days=1))]
    await made_by_earlier_version(url)
    for owner, moment in rows:
        body = encode(replace(new, occurred_at=moment, attributes={"note": old})).decode()
        await execute(url, f"INSERT INTO events VALUES {row(url, owner, micros(moment), body)}")
    store: Store = open_store(url)
    await store.open()
    added = changes(NewEvent("c1", "segment", new, 0))
    try:
        for _ in range(2):
            await store.transact(lambda transaction: transaction.save(added))
        assert len(await store.events("c1")) == 3
        merged = replace(changes(), moved=[("c2", "c1")])
        await store.transact(lambda transaction: transaction.save(merged))
        found = await store.events("c1")
    finally:
        await store.close()
    assert [event.attributes.get("note") for event in found] == [None, old, old, old]


async def made_by_earlier_version(url: str) -> None:
    if url.startswith("sqlite"):
        file = sqlite.connect(url.removeprefix("sqlite:///"))
        migrate_sqlite.migrate(file, OF_SQLITE[: _BEFORE["sqlite"]], url)
        # Events are counted as they are appended.
        file.execute("UPDATE totals SET n = 3 WHERE name = 'events'")
        file.close()
        return
    connection = await postgres.connect(url, {})
    await migrate_postgres.migrate(connection, OF_POSTGRES[: _BEFORE["postgres"]], url)
    await connection.close()


def row(url: str, owner: str, moment: int, body: str) -> str:
    """Return an event's row as the earlier version wrote it."""
    if url.startswith("sqlite"):
        return f"(NULL, '{owner}', {moment}, 'e', CAST('{body}' AS BLOB))"
    return f"('{owner}', {moment}, 'e', convert_to('{body}', 'UTF8'))"


def changes(*events: NewEvent) -> Changes:
    return Changes(NOW, {}, [], {}, [], [], list(events), [], {}, [], [], [])


async def test_reading_the_schema_does_not_wait_for_a_migration(new_postgres: str) -> None:
    """A migration may take minutes, and an older program that is started meanwhile asks."""
    url = new_postgres
    await served(url)
    await execute(url, "ALTER TABLE schema_version DROP COLUMN spares_older")
    slow = Migration(len(OF_POSTGRES) + 1, "slow", "SELECT pg_advisory_xact_lock(42)", spares_older=True)
    gate, connection = await asyncpg.connect(url), await postgres.connect(url, {})
    await gate.execute("SELECT pg_advisory_lock(42)")
    migrating = asyncio.create_task(migrate_postgres.migrate(connection, [*OF_POSTGRES, slow], url))
    waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted"
    async with asyncio.timeout(30):
        while not await gate.fetchval(waiting):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await served(url)
    assert not migrating.done()
    await gate.close()
    await migrating
    await connection.close()


@pytest.mark.parametrize(
    ("said", "spares_older"),
    [("may go on", True), ("must not start", False)],
)
def test_a_migration_says_what_older_programs_may_do(tmp_path: Path, said: str, spares_older: bool) -> None:
    (tmp_path / "0001_initial.sql").write_text("SELECT 1")
    (tmp_path / "0002_more.sql").write_text(f"-- Why.\n-- older programs: {said}\nSELECT 2")
    assert [each.spares_older for each in migrations.read(tmp_path)] == [False, spares_older]


@pytest.mark.parametrize("said", ["SELECT 2", "-- older programs: perhaps", "-- older programs: may go on?"])
def test_a_migration_without_that_line_is_refused(tmp_path: Path, said: str) -> None:
    (tmp_path / "0001_initial.sql").write_text("SELECT 1")
    (tmp_path / "0002_more.sql").write_text(said)
    with pytest.raises(ValueError, match="migration 2 does not say `-- older programs: may go on`"):
        migrations.read(tmp_path)
