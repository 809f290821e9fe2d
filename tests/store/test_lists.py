"""Lists that people page through, newest first, on both engines, and by which indexes they go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import apsw
import asyncpg
import pytest
from msgspec.structs import replace

from adapter.model.deliveries import Delivery
from adapter.model.discounts import DiscountRecord
from adapter.model.pages import Page
from adapter.model.quarantine import Reason
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.page_starts import cursor_at
from adapter.store.postgres.statements import SQL as POSTGRES
from adapter.store.sqlite.statements import SQL as SQLITE
from adapter.store.values import DeliveryResult, QueueLevel

#: Values of each statement: for SQLite, and as text for PostgreSQL.
READS: dict[str, tuple[tuple[Any, ...], str]] = {
    "discounts_by_time": ((None, 50, 1, 1, 0), "NULL, 50, 1, 1, 0"),
    "discounts_of_rule": (("r", 50, 1, 1, 0), "'r', 50, 1, 1, 0"),
    "deliveries_of": (("c1", 50, 1, "d", 0, 100), "'c1', 50, 1, 'd', 0, 100"),
    "deliveries_to": (("d", 50, 1, 1, 0), "'d', 50, 1, 1, 0"),
    "dead_levels": ((100,), "100"),
    "quarantine_reasons": ((9, 100), "9, 100"),
    "oldest_quarantine_reasons": ((9, 100), "9, 100"),
}
#: These sort, because they look at a bounded number of rows.
SORTED = ("deliveries_of", "dead_levels")
#: The index that each walks, as the plan of each engine names it.
INDEXES = {
    "discounts_by_time": ("discounts_by_time", "discounts_0_by_time"),
    "discounts_of_rule": ("discounts_by_rule", "discounts_0_by_rule"),
    "deliveries_of": ("deliveries_by_customer", "_pkey"),
    "deliveries_to": ("deliveries_by_destination", "deliveries_0_by_destination"),
    "dead_levels": ("dead_deliveries", "deliveries_0_number_idx"),
    "quarantine_reasons": ("INTEGER PRIMARY KEY", "quarantine_pkey"),
    "oldest_quarantine_reasons": ("INTEGER PRIMARY KEY", "quarantine_pkey"),
}


async def pages(read: Callable[[str | None], Awaitable[Page[Any]]]) -> AsyncIterator[Any]:
    before: str | None = None
    while True:
        found = await read(before)
        for each in found:
            yield each
        if found.next is None:
            return
        before = found.next


def codes(found: list[DiscountRecord]) -> list[str]:
    return [each.discount.code for each in found]


async def test_all_discounts_come_newest_first_in_pages(store: Store, run: Any, make: Any) -> None:
    held = [make.held(f"A{at}", f"c{at % 3}", issued_at=make.at(minutes=at // 2)) for at in range(7)]
    await run.save(customers=[make.customer(f"c{at}") for at in range(3)], discounts=held)
    found = [each async for each in pages(lambda before: store.discounts_by_time(None, 2, before))]
    assert codes(found) == ["A6", "A5", "A4", "A3", "A2", "A1", "A0"]


async def test_the_discounts_of_a_rule_are_found_among_others_also_after_a_nul(
    store: Store, run: Any, make: Any
) -> None:
    held = [make.held(f"A{at}", issued_at=make.at(minutes=at)) for at in range(6)]
    odd = [replace(each, rule="other", reason='\0 "rule":"high-cart" \\\0') for each in held[::2]]
    await run.save(customers=[make.customer("c1")], discounts=[*odd, *held[1::2]])
    found = [each async for each in pages(lambda before: store.discounts_by_time("other", 2, before))]
    assert codes(found) == ["A4", "A2", "A0"]
    assert await store.discounts_by_time("none") == []


async def test_a_list_goes_on_behind_any_row(store: Store, run: Any, make: Any) -> None:
    held = [make.held(f"A{at}", issued_at=make.at(minutes=at // 3)) for at in range(6)]
    await run.save(customers=[make.customer("c1")], discounts=held)
    found = await store.discounts_by_time(before=cursor_at("discounts", make.at(minutes=1), 2))
    assert codes(found) == ["A3", "A2", "A1", "A0"]


async def test_the_deliveries_of_a_customer_come_latest_first(store: Store, run: Any, make: Any) -> None:
    made = [replace(make.delivery(f"d{at}"), created_at=make.at(minutes=at // 2)) for at in range(5)]
    await run.save(customers=[make.customer("c1")], deliveries=[*made, make.delivery("other", "c2")])
    found = [each async for each in pages(lambda before: store.deliveries_of("c1", 2, before))]
    assert [each.id for each in found if isinstance(each, Delivery)] == ["d4", "d3", "d2", "d1", "d0"]


async def test_the_deliveries_to_a_destination_come_latest_first_whatever_became_of_them(
    store: Store, run: Any, make: Any
) -> None:
    made = [
        replace(make.delivery(f"d{at}", f"c{at % 2}"), created_at=make.at(minutes=at // 3)) for at in range(7)
    ]
    await run.save(
        customers=[make.customer("c0")], deliveries=[*made, make.delivery("other", destination="else")]
    )
    leased = await store.lease(make.now, make.at(minutes=1), 3, "shop")
    await store.settle([DeliveryResult(each.id, each.attempt, each.id != "d0") for each in leased])
    found = [each async for each in pages(lambda before: store.deliveries_to("shop", 2, before))]
    assert [each.id for each in found] == ["d6", "d5", "d4", "d3", "d2", "d1", "d0"]
    assert {each.status for each in found} == {"due", "done", "dead"}
    since = await store.deliveries_to("shop", before=cursor_at("deliveries_to", make.at(minutes=1), 1))
    assert [each.id for each in since] == ["d4", "d3", "d2", "d1", "d0"]


async def test_what_waits_and_what_was_given_up_is_counted_by_destination(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(
        deliveries=[make.delivery(f"d{at}") for at in range(4)] + [make.delivery("e", destination="b")]
    )
    leased = await store.lease(make.now, make.at(minutes=1), 1, "b")
    await store.settle([DeliveryResult(each.id, each.attempt, False) for each in leased])
    assert await store.queue_levels(3) == [
        QueueLevel("shop", "due", 3, make.now),
        QueueLevel("b", "dead", 1, make.now),
    ]


async def test_reasons_of_the_quarantine_come_latest_first_without_documents(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(quarantine=[make.quarantined(f"m{at}", f"reason {at}") for at in range(3)])
    found = await store.quarantine_reasons(limit=2)
    assert [each.reason for each in found] == ["reason 2", "reason 1"]
    assert await store.oldest_quarantine_reasons(found[-1].id) == [found[0]]
    assert await store.quarantine_reasons(found[-1].id) == [
        Reason(found[-1].id - 1, "segment", "reason 0", make.now)
    ]


@pytest.mark.parametrize("name", READS)
async def test_a_list_of_a_sqlite_store_goes_by_an_index(tmp_path: Path, name: str) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'adapter.db'}")
    await store.open()
    await store.close()
    plan = apsw.Connection(str(tmp_path / "adapter.db")).execute(
        f"EXPLAIN QUERY PLAN {SQLITE[name]}", READS[name][0]
    )
    steps = [row[3] for row in plan]
    reads = [
        step for step in steps if step.startswith(("SCAN deliveries", "SCAN discounts", "SCAN q", "SEARCH"))
    ]
    assert any(INDEXES[name][0] in step for step in reads), steps
    assert all("INDEX" in step or "PRIMARY KEY" in step for step in reads), steps
    if name not in SORTED:
        assert not any("ORDER BY" in step for step in steps), steps


@pytest.mark.parametrize("name", READS)
async def test_a_list_of_a_postgresql_store_goes_by_an_index(postgres_url: str, name: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("SET enable_seqscan = off")
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute(f"PREPARE listed AS {POSTGRES[name]}")
    plan = [row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE listed ({READS[name][1]})")]
    await connection.close()
    assert any(INDEXES[name][1] in line for line in plan), plan
    assert not any("Seq Scan" in line for line in plan), plan
    if name not in SORTED:
        assert not any("->  Sort " in line for line in plan), plan
