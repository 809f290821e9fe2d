"""Redemptions, holds, rollbacks and code pools, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from adapter.model.counter_key import CounterKey
from adapter.model.erasures import fingerprint
from adapter.store.checkout_values import BookingRequest, Pool
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.postgres.connection import SETTINGS
from adapter.store.transaction_contract import Transaction
from adapter.store.values import LoadRequest
from tests.store.conftest import NOW, Run


async def test_a_redemption_is_found_by_its_id_customer_order_and_code(
    store: Store, run: Any, make: Any
) -> None:
    first = make.redemption("r1", order_id="o1", codes=("A-1", "B2"))
    second = make.redemption("r2", order_id="o2", at=make.at(hours=1))
    await run.save(customers=[make.customer("c1")], redemptions=[first, second])
    assert await store.redemption("r1") == first
    assert await store.redemption("r3") is None
    assert await store.redemptions("customer", "c1") == [second, first]
    assert await store.redemptions("order", "o1") == [first]
    assert await store.redemptions("code", "a1") == [second, first]
    assert await store.redemptions("code", "b2") == [first]
    assert await store.redemptions("all") == [second, first]


async def test_redemptions_come_in_pages(store: Store, run: Any, make: Any) -> None:
    kept = [make.redemption(f"r{n}", order_id="", at=NOW) for n in range(5)]
    await run.save(redemptions=kept)
    found, before = [], None
    for _ in range(3):
        page = await store.redemptions("customer", "c1", 2, before)
        found += [each.id for each in page]
        before = page.next
    assert (found, before) == (["r4", "r3", "r2", "r1", "r0"], None)


async def test_booked_state_has_the_redemption_that_uses_a_code_on_an_order(run: Any, make: Any) -> None:
    await run.save(redemptions=[make.redemption("r1", codes=("A-1", "B2"))])
    booked = await run.booked(redemptions=["r1", "r9"], orders=["o1", "o2"])
    assert list(booked.redemptions) == ["r1"]
    assert booked.on_orders == {("o1", "A-1"): "r1", ("o1", "B2"): "r1"}
    await run.save(redemptions=[make.redemption("r1", codes=("A-1", "B2"), state="rolled_back")])
    assert (await run.booked(orders=["o1"])).on_orders == {}


async def test_a_second_transaction_that_uses_a_code_on_the_same_order_runs_again(
    store: Store, make: Any
) -> None:
    """Two scripts that both look before they book: one of them must see the other's booking."""

    async def book(name: str) -> str:
        async def script(transaction: Transaction) -> str:
            await transaction.load(LoadRequest(), NOW)
            booked = await transaction.booked(BookingRequest(orders=["o1"]))
            if ("o1", "A1") in booked.on_orders:
                return "refused"
            await transaction.save(make.changes(redemptions=[make.redemption(name, source_id="")]))
            return "booked"

        return await store.transact(script)

    assert sorted(await asyncio.gather(book("r1"), book("r2"))) == ["booked", "refused"]


async def test_a_second_rollback_of_one_number_is_never_kept(store: Store, run: Any, make: Any) -> None:
    await run.save(redemptions=[make.redemption()], rollbacks=[make.rollback("b1", 1)])
    with pytest.raises(Exception, match=r"busy|UNIQUE"):
        await run.save(rollbacks=[make.rollback("b2", 1)])
    await run.save(rollbacks=[make.rollback("b3", 2)])
    assert [each.id for each in await store.rollbacks("r1")] == ["b1", "b3"]


async def test_a_merge_moves_redemptions_to_the_surviving_customer(store: Store, run: Any, make: Any) -> None:
    await run.save(
        customers=[make.customer("c1"), make.customer("c2")],
        redemptions=[make.redemption("r1", "c2")],
        rollbacks=[make.rollback(source_id="c2")],
    )
    await run.save(moved=[("c2", "c1")], customers=[make.customer("c1")])
    found = await store.redemption("r1")
    assert found is not None
    assert found.source_id == "c1"
    assert [each.source_id for each in await store.rollbacks("r1")] == ["c1"]
    assert [each.id for each in await store.redemptions("customer", "c2")] == ["r1"]
    assert (await run.booked(orders=["o1"])).on_orders == {("o1", "A1"): "r1"}


async def test_an_erasure_keeps_the_amounts_alone(store: Store, run: Any, make: Any, figures: Any) -> None:
    order = {"note": "for Ada"}
    await run.save(
        customers=[make.customer("c1")],
        redemptions=[make.redemption("r1", order=order), make.redemption("r2", "c2", order_id="o2")],
        rollbacks=[make.rollback()],
    )
    await run.save(erased=["c1"])
    assert await store.redemption("r1") is None
    assert await store.rollbacks("r1") == []
    assert (await run.booked(orders=["o1", "o2"])).on_orders == {("o2", "A1"): "r2"}
    assert sorted(await figures()) == [("", "", "high-cart", 1_000), ("c2", "a1", "high-cart", 1_000)]
    [receipt] = await store.receipts("c1")
    assert (receipt.removed["redemptions"], receipt.removed["rollbacks"]) == (1, 1)


async def test_an_export_has_redemptions_and_rollbacks(store: Store, run: Any, make: Any) -> None:
    kept, back = make.redemption(), make.rollback()
    await run.save(customers=[make.customer("c1")], redemptions=[kept], rollbacks=[back])
    held = await store.held("c1")
    assert (held.redemptions, held.rollbacks) == ([kept], [back])


async def test_holds_whose_time_is_over_are_found_and_dropped_when_they_are_old(
    store: Store, run: Any, make: Any
) -> None:
    over = make.redemption("h1", state="held", until=make.at(minutes=-1), order_id="")
    open_ = make.redemption("h2", state="held", until=make.at(minutes=1), order_id="", codes=("B2",))
    endless = make.redemption("h3", state="held", order_id="")
    await run.save(redemptions=[over, open_, endless])
    assert await store.lapsed_holds(NOW, 9) == ["h1"]
    assert await store.lapsed_holds(NOW, 9, ["a1"]) == ["h1"]
    assert await store.lapsed_holds(NOW, 9, ["b2"]) == []
    await run.save(redemptions=[replace(over, state="expired")])
    assert await store.lapsed_holds(NOW, 9) == []
    assert await store.purge("holds", make.at(days=1)) == 1
    assert await store.redemption("h1") is None
    assert await store.redemption("h2") == open_


async def test_codes_of_a_pool_are_drawn_in_their_order_and_never_twice(
    store: Store, run: Any, make: Any
) -> None:
    assert await store.add_pool_codes("p", ["P-1", "P-2", "p 1", "P-3"], NOW) == ["P-1", "P-2", "P-3"]
    booked = await run.booked(pools={"p": 2, "other": 1})
    assert booked.codes == {"p": ["P-1", "P-2"], "other": []}
    await run.save(drawn=["P-1"])
    assert (await run.booked(pools={"p": 9})).codes == {"p": ["P-2", "P-3"]}
    assert await store.pools() == [Pool("p", 2, 1)]
    assert await store.pool_levels(["p", "other"], 9) == {"p": 2, "other": 0}
    assert await store.pool_levels(["p"], 1) == {"p": 1}


async def test_two_transactions_draw_two_codes(store: Store, make: Any) -> None:
    await store.add_pool_codes("p", ["P-1", "P-2"], NOW)

    async def script(transaction: Transaction) -> str:
        await transaction.load(LoadRequest(), NOW)
        [code] = (await transaction.booked(BookingRequest(pools={"p": 1}))).codes["p"]
        await transaction.save(make.changes(drawn=[code]))
        return code

    drawn = await asyncio.gather(store.transact(script), store.transact(script))
    assert sorted(drawn) == ["P-1", "P-2"]


async def test_a_code_that_a_discount_has_is_not_added_to_a_pool(store: Store, run: Any, make: Any) -> None:
    await run.save(customers=[make.customer("c1")], discounts=[make.held("SUM-MER")])
    assert await store.add_pool_codes("p", ["summer", "WINTER"], NOW) == ["WINTER"]


async def test_discounts_and_counters_are_read_without_a_transaction(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(
        customers=[make.customer("c1")],
        discounts=[make.held("A-1"), make.held("B2")],
        counters={("", "k"): 3, ("c1", "k"): 2},
    )
    assert [held.discount.code for held in await store.meant(["a1", "C3"])] == ["A-1"]
    key = CounterKey("k")
    assert await store.used([("", key), ("c1", key), ("c2", key)]) == {("", key): 3, ("c1", key): 2}


async def test_programs_of_the_version_before_merge_and_erase_redemptions(
    postgres_url: str, postgres_run: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await postgres_run.save(
        redemptions=[make.redemption("r1", "old"), make.redemption("r2", "gone", order_id="o2")]
    )
    monkeypatch.delitem(SETTINGS, "adapter.keeps_redemptions")
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("INSERT INTO identities VALUES ('source_id', 'old', 'new')")
    await connection.execute(
        "INSERT INTO receipts (customer, erased_at, origin, request, removed) "
        "VALUES ($1, 1, 'api', '', '{}')",
        fingerprint("gone"),
    )
    await connection.close()
    booked = await postgres_run.booked(redemptions=["r1", "r2"])
    assert {id_: each.source_id for id_, each in booked.redemptions.items()} == {"r1": "new"}


@pytest.fixture
async def postgres_run(postgres_url: str, make: Any) -> AsyncIterator[Run]:
    store = open_store(postgres_url)
    await store.open()
    yield Run(store, make)
    await store.close()


@pytest.fixture
def figures(store: Store) -> Any:
    """Returns customer, code, rule and amount of all uses, as the table has them."""
    sql = "SELECT source_id, code, rule, amount FROM redemption_uses"

    async def read() -> list[tuple[Any, ...]]:
        if hasattr(store, "_write"):
            rows = await store._write(lambda connection: connection.execute(sql).fetchall())
        else:
            rows = await store._read(lambda connection: connection.fetch(sql))  # type: ignore[attr-defined]
        return [tuple(row) for row in rows]

    return read
