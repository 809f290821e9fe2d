"""Lists by pages: as many rows as are asked for, of so many bytes, and none twice or left out."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from adapter.errors import Unreadable
from adapter.model.encoding import encode
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.values import PAGE_BYTES

LISTS = ("events", "decisions", "discounts")
#: So many rows that a page of one megabyte cannot hold them.
LARGE, SIZE = 25, 100_000


async def fill(run: Any, make: Any, count: int, text: str = "") -> None:
    """Store rows of every list of the customer c1, several of each moment."""
    at = [make.now + timedelta(seconds=number // 3) for number in range(count)]
    decisions = [make.decision(at=moment) for moment in at]
    helds = [make.held(f"C{number:04}", issued_at=moment) for number, moment in enumerate(at)]
    await run.save(
        customers=[make.customer("c1")],
        events=[("c1", make.event(f"e{number:04}", moment, text=text)) for number, moment in enumerate(at)],
        decisions=[replace(each, seen={"text": text, "n": number}) for number, each in enumerate(decisions)],
        discounts=[replace(each, reason=text) for each in helds],
    )


async def pages(store: Store, name: str, limit: int) -> list[list[Any]]:
    listing = getattr(store, name)
    found = [await listing("c1", limit)]
    while found[-1].next is not None:
        found.append(await listing("c1", limit, found[-1].next))
    return found


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("limit", [1, 2, 7, 100])
async def test_pages_hold_every_row_once_in_the_order_of_the_list(
    store: Store, run: Any, make: Any, name: str, limit: int
) -> None:
    await fill(run, make, 20)
    whole = list(await getattr(store, name)("c1", 1_000))
    found = await pages(store, name, limit)
    assert len(whole) == 20
    assert [row for page in found for row in page] == whole
    assert [len(page) for page in found] == [limit] * (20 // limit) + [20 % limit] * (20 % limit > 0)


@pytest.mark.parametrize("name", LISTS)
async def test_a_page_ends_when_its_rows_have_a_megabyte(
    store: Store, run: Any, make: Any, name: str
) -> None:
    await fill(run, make, LARGE, "x" * SIZE)
    found = await pages(store, name, 100)
    assert sum(map(len, found)) == LARGE
    assert max(len(encode(list(page))) for page in found) < PAGE_BYTES + 2 * SIZE
    assert len(found) >= LARGE * SIZE // PAGE_BYTES


@pytest.mark.parametrize("name", LISTS)
async def test_a_row_larger_than_a_page_is_a_page(store: Store, run: Any, make: Any, name: str) -> None:
    await fill(run, make, 3, "x" * 2 * PAGE_BYTES)
    assert [len(page) for page in await pages(store, name, 100) if page] == [1, 1, 1]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "before",
    ["", "x", "é", "W10", *(urlsafe_b64encode(json.dumps(each).encode()).decode() for each in (
        [1, None, 0], [1, "a", -1], [10**30, 1, 0], [1, [], 0], {"moment": 1},
    ))],
)  # fmt: skip
async def test_an_unknown_cursor_is_refused(store: Store, name: str, before: str) -> None:
    with pytest.raises(Unreadable):
        await getattr(store, name)("c1", 10, before)


@pytest.mark.parametrize("kind", ["events", "decisions"])
async def test_the_oldest_come_first_where_that_is_asked(
    store: Store, run: Any, make: Any, kind: Any
) -> None:
    await fill(run, make, LARGE, "x" * SIZE)
    page = await store.oldest(kind, "c1")
    found: list[Any] = [page]
    while page.next is not None:
        page = await store.oldest(kind, "c1", page.next)
        found.append(page)
    whole = [row for page in await pages(store, kind, 100) for row in page]
    assert [row for page in found for row in page] == whole[::-1]
    assert max(len(encode(list(page))) for page in found) < PAGE_BYTES + 2 * SIZE


async def test_pasts_come_for_as_many_customers_as_have_some_megabytes(
    store: Store, run: Any, make: Any
) -> None:
    names = [f"c{number}" for number in range(9)]
    long = [
        (name, make.event(f"e{number}", text="x" * PAGE_BYTES)) for name in names[:6] for number in range(3)
    ]
    await run.save(customers=[make.customer(name) for name in names], events=long)
    found = [await store.customer_histories("", 100)]
    while found[-1]:
        found.append(await store.customer_histories(found[-1][-1].source_id, 100))
    assert [past.source_id for page in found for past in page] == names
    assert [len(page) for page in found] == [3, 3, 3, 0]
    assert [len(past.events) for past in found[0]] == [3, 3, 3]


async def test_rows_added_between_pages_repeat_none(store: Store, run: Any, make: Any) -> None:
    await fill(run, make, 6)
    first = await store.events("c1", 2)
    await run.save(events=[("c1", make.event("new", make.now + timedelta(days=1)))])
    rest = await store.events("c1", 10, first.next)
    assert [each.id for each in (*first, *rest)] == [f"e{number:04}" for number in reversed(range(6))]


async def test_a_read_of_sqlite_that_is_given_up_ends_and_frees_the_next(
    tmp_path: Any,
) -> None:
    store: Any = open_store(f"sqlite:///{tmp_path / 'a.db'}")
    await store.open()
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    begun: list[str] = []

    def read(name: str) -> Any:
        def work(reads: Any) -> Any:
            begun.append(name)
            return reads._connection.execute(endless).fetchall() if name != "last" else name

        return store._read(work)

    tasks = [asyncio.create_task(read(name)) for name in ("first", "second")]
    await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    assert await asyncio.wait_for(read("last"), 20) == "last"
    assert begun == ["first", "last"]
    await asyncio.wait_for(store.close(), 20)
