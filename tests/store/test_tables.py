"""The descriptions of tables: complete for the schema, and followed by erasure, merge, export and copy."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest

from adapter.model.erasures import CUSTOMER_ERASED, ForwardedErasure
from adapter.services.background.sweeps import Intervals
from adapter.services.privacy.export import export
from adapter.store import copy as copying
from adapter.store.copy import copy
from adapter.store.postgres import erasing as postgres_erasing
from adapter.store.postgres import merging as postgres_merging
from adapter.store.sqlite import erasing as sqlite_erasing
from adapter.store.sqlite import merging as sqlite_merging
from adapter.store.tables.customer_sql import counted_as, of_customers
from adapter.store.tables.customer_tables import TIMERS
from adapter.store.tables.description import (
    Anonymise,
    CustomerRows,
    DeletedWith,
    Fold,
    Listed,
    Member,
    Rewrite,
    Table,
)
from adapter.store.tables.registry import COPIED, LISTED, TABLES
from adapter.store.tables.retention_sql import purged
from adapter.store.values import DeliveryResult, Erasure, LoadRequest, RetentionKind
from tests.store.conftest import Run
from tests.store.planted_rows import ClosedStore, Rows, gaps, naming, opened

ANN, BOB = "ann.mark", "bob.sign"
#: On PostgreSQL one table is enough; triggers for older programs move and erase rows of some others.
KEYED = [("sqlite", table) for table, _ in of_customers(TABLES, "sqlite")] + [("postgres", TIMERS)]
#: The rows of the others are deleted with those of `customers`, so that leaving them out changes no erasure.
ERASED = [each for each in KEYED if not isinstance(getattr(each[1].rows, "erase", None), DeletedWith)]


#: Rows that no test plants: a trigger notes who is sent a customer, and each of these hears of the erasure.
ADDED = {"taken": 1, "deliveries": 2}


def ids(value: Any) -> str:
    return value.name if isinstance(value, Table) else str(value)


def without(left_out: Table | None, tables: Sequence[Table]) -> list[Table]:
    return [table for table in tables if table is not left_out]


@pytest.fixture
async def closed(store_url: str) -> ClosedStore:
    """A store with the latest schema, which is not open."""
    async with opened(store_url):
        pass
    return ClosedStore(store_url)


async def plant(closed: ClosedStore, make: Any) -> tuple[Rows, Rows]:
    """Plant rows of two customers, and a quarantined message of the first; return the rows."""
    planted = await closed.plant(TABLES, ANN, make, 1), await closed.plant(TABLES, BOB, make, 2)
    async with opened(closed.url) as store:
        await Run(store, make).save(quarantine=[make.quarantined("q", names={"userId": ANN})])
    return planted


async def erased(closed: ClosedStore, make: Any) -> Rows:
    """Plant, erase the first customer, and return all rows."""
    await plant(closed, make)
    async with opened(closed.url) as store:
        await Run(store, make).save(LoadRequest(customers=[ANN]), erased=[Erasure(ANN)])
        [left] = await store.forgotten(9)
        await store.finish_erasure(left, {})
        await forwarded(store, make)
    return await closed.rows()


async def forwarded(store: Any, make: Any) -> None:
    """Forward the erasure to each destination that was sent the customer."""
    for each in await store.lease(make.at(days=1), make.at(days=2), 9):
        if each.type == CUSTOMER_ERASED:
            state = ForwardedErasure(each.destination, "done", make.now)
            await store.settle([DeliveryResult(each.id, each.attempt, done=True, forwarded=state)])


async def stay_behind(closed: ClosedStore, make: Any) -> set[str]:
    """Plant, merge the first customer into the second, and return the tables in which a row did not move."""
    planted, _ = await plant(closed, make)
    async with opened(closed.url) as store:
        merged = [make.customer(BOB)]
        await Run(store, make).save(LoadRequest(customers=[ANN, BOB]), moved=[(ANN, BOB)], customers=merged)
    found = await closed.rows()
    behind = set()
    for table, rows in of_customers(TABLES, closed.engine):
        old = planted[table.name][0]
        same = old.keys() - {rows.column, "body"}
        if isinstance(rows.merge, Fold | Rewrite):
            same &= {"code"}
        owners = {row[rows.column] for row in found[table.name]}
        moved = [row for row in found[table.name] if all(row[column] == old[column] for column in same)]
        if ANN in owners or not any(row[rows.column] == BOB for row in moved):
            behind.add(table.name)
    return behind


async def copied(closed: ClosedStore, other_url: str, make: Any) -> tuple[Rows, Rows]:
    """Plant, copy to a store of the other engine, and return the rows of both."""
    await plant(closed, make)
    async with opened(closed.url) as store, opened(other_url) as other:
        await copy(store, other, lambda *_: None, "there")
    return await closed.rows(), await ClosedStore(other_url).rows()


def different(one: Rows, other: Rows) -> set[str]:
    """Return the tables that hold other rows in two stores."""
    return {table.name for table in COPIED if _described(table, one) != _described(table, other)}


def _described(table: Table, rows: Rows) -> list[list[Any]]:
    names = [column.name for column in table.columns]
    return sorted(([row[name] for name in names] for row in rows[table.name]), key=repr_of_numbers)


def repr_of_numbers(row: list[Any]) -> list[str]:
    return [repr(int(value) if isinstance(value, bool) else value) for value in row]


@pytest.fixture
def other_url(store_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of the other engine."""
    if store_url.startswith("sqlite"):
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'other.db'}"


async def test_the_description_agrees_with_the_schema(closed: ClosedStore) -> None:
    assert gaps(await closed.schema(), TABLES, closed.engine) == []


async def test_a_table_left_out_of_the_description_is_found_in_the_schema(closed: ClosedStore) -> None:
    schema = await closed.schema()
    tables = [table for table in TABLES if table.engine in (None, closed.engine)]
    for table in tables:
        assert gaps(schema, without(table, TABLES), closed.engine) == [f"{table.name} is not described"]


async def test_a_new_table_with_a_customers_key_is_found_in_the_schema(closed: ClosedStore) -> None:
    await closed.run("CREATE TABLE notes (source_id text NOT NULL, body text NOT NULL)")
    try:
        assert gaps(await closed.schema(), TABLES, closed.engine) == ["notes is not described"]
    finally:
        await closed.run("DROP TABLE notes")


async def test_an_erasure_leaves_nothing_that_names_the_customer(closed: ClosedStore, make: Any) -> None:
    before = await closed.rows()
    rows = await erased(closed, make)
    assert naming(rows, ANN) == set()
    for table, described in of_customers(TABLES, closed.engine):
        kept = 2 if isinstance(described.erase, Anonymise) else 1
        kept += ADDED.get(table.name, 0)
        assert (table.name, len(rows[table.name]) - len(before[table.name])) == (table.name, kept)
        assert any(row[described.column] == BOB for row in rows[table.name])


async def test_a_receipt_counts_what_the_description_says(closed: ClosedStore, make: Any) -> None:
    await erased(closed, make)
    async with opened(closed.url) as store:
        [receipt] = await store.receipts(ANN)
    counted = {counted_as(rows) for _, rows in of_customers(TABLES)} - {""}
    assert receipt.removed == dict.fromkeys(counted | {"quarantined"}, 1)


async def test_a_merge_moves_the_rows_of_every_table(closed: ClosedStore, make: Any) -> None:
    assert await stay_behind(closed, make) == set()


async def test_an_export_has_the_rows_of_every_exported_table(closed: ClosedStore, make: Any) -> None:
    async with opened(closed.url) as store:
        await Run(store, make).save(
            LoadRequest(customers=[ANN]),
            erased=[Erasure(ANN)],
            journal=[make.journal("m", ANN)],
        )
    await plant(closed, make)
    async with opened(closed.url) as store:
        whole = json.loads(b"".join([piece async for piece in export(store, ANN)]))
    for table in TABLES:
        exported = getattr(table.rows, "export", None)
        if isinstance(exported, Listed | Member):
            assert (table.name, bool(whole[exported.member])) == (table.name, True)
    for member in LISTED:
        assert (member, ANN in json.dumps(whole[member])) == (member, True)
    assert BOB not in json.dumps(whole)


async def test_a_copy_has_the_rows_of_every_table(closed: ClosedStore, other_url: str, make: Any) -> None:
    one, other = await copied(closed, other_url, make)
    assert different(one, other) == set()
    assert all(one[table.name] for table in COPIED if isinstance(table.rows, CustomerRows))


@pytest.fixture
def leave_out(monkeypatch: pytest.MonkeyPatch) -> Callable[[Table], None]:
    """Make erasures and merges of both engines, and copies, forget a table."""

    def leave_out(table: Table) -> None:
        tables = without(table, TABLES)
        for module in (sqlite_erasing, sqlite_merging):
            monkeypatch.setattr(module, "_TABLES", of_customers(tables, "sqlite"))
        for module in (postgres_erasing, postgres_merging):
            monkeypatch.setattr(module, "_TABLES", of_customers(tables, "postgres"))
        monkeypatch.setattr(copying, "COPIED", without(table, COPIED))

    return leave_out


@pytest.mark.parametrize(("store_url", "table"), ERASED, ids=ids, indirect=["store_url"])
async def test_a_table_left_out_of_erasures_is_found(
    closed: ClosedStore, make: Any, leave_out: Callable[[Table], None], table: Table
) -> None:
    leave_out(table)
    # With a customer's row goes what a trigger deletes.
    also = {"addresses", "dates", "unaddressed"} if table.name == "customers" else set()
    assert naming(await erased(closed, make), ANN) == {table.name} | also


@pytest.mark.parametrize(("store_url", "table"), KEYED, ids=ids, indirect=["store_url"])
async def test_a_table_left_out_of_merges_is_found(
    closed: ClosedStore, make: Any, leave_out: Callable[[Table], None], table: Table
) -> None:
    leave_out(table)
    found = await stay_behind(closed, make)
    # Unmoved rows of these are deleted by a trigger; the survivor of `unaddressed` has one already.
    assert table.name in found or table.name == "unaddressed"


async def test_a_table_left_out_of_copies_is_found(
    closed: ClosedStore, other_url: str, make: Any, leave_out: Callable[[Table], None]
) -> None:
    leave_out(TIMERS)
    assert different(*await copied(closed, other_url, make)) == {"timers"}


async def test_a_customer_who_came_back_after_an_erasure_is_copied(
    closed: ClosedStore, other_url: str, make: Any
) -> None:
    """In PostgreSQL a trigger deletes pending moves when a receipt is inserted: receipts come first."""
    async with opened(closed.url) as store:
        run = Run(store, make)
        await run.save(erased=[Erasure(ANN)])
        await run.save(pending=[make.pending(source_id=ANN)], redemptions=[make.redemption(source_id=ANN)])
        async with opened(other_url) as other:
            await copy(store, other, lambda *_: None, "there")
            assert await other.pending_moves(source_id=ANN) == [make.pending(source_id=ANN)]


def test_every_kind_of_retention_has_a_table_and_an_interval() -> None:
    kinds = [purge.kind for _, purge in purged(TABLES)]
    assert sorted(kinds) == sorted(get_args(RetentionKind)) == sorted(Intervals().kept())
