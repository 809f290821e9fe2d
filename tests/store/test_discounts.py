"""Discounts: found by code, customer, event and expiry."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapter.model.codes import folded
from adapter.rules.files.code_keys import _PREFIX
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.sqlite import connection as sqlite
from adapter.store.sqlite.statements import SQL
from adapter.store.values import LoadRequest


async def test_a_discount_is_returned_as_saved(store: Store, run: Any, make: Any) -> None:
    held = replace(
        make.held("A\0é", expires_at=make.at(hours=1), claims=(make.claim("c1"),)), order_id="o1", reason="r"
    )
    await run.save(discounts=[held])
    assert await store.discount("A\0é") == held
    assert str(held.discount.action) == str((await store.discounts("c1"))[0].discount.action)
    assert await store.discount("B") is None


async def test_a_loaded_discount_is_replaced(store: Store, run: Any, make: Any) -> None:
    await run.save(discounts=[make.held("A1", expires_at=make.at(hours=1))])
    moved = make.held("A1", status="redeemed", expires_at=make.at(hours=1))
    await run.save(LoadRequest(codes=["A1"]), discounts=[moved])
    assert await store.discount("A1") == moved
    assert await store.lapsed(make.at(days=1), 10) == []
    assert (await store.counts())["discounts"] == 1


async def test_of_one_code_saved_twice_the_last_is_kept(store: Store, run: Any, make: Any) -> None:
    await run.save(discounts=[make.held("A1"), make.held("A1", status="applied")])
    assert await store.discounts("c1") == [make.held("A1", status="applied")]


async def test_loading_brings_codes_asked_for_their_owners_and_what_owners_hold(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(
        customers=[make.customer("c1"), make.customer("c2")],
        discounts=[
            make.held("OPEN"),
            make.held("APPLIED", status="applied", expires_at=make.at(seconds=1)),
            make.held("LATE", expires_at=make.now),
            make.held("SPENT", status="redeemed"),
            make.held("OTHER", "c2"),
        ],
    )
    loaded = await run.load(codes=["SPENT", "NONE"])
    assert set(loaded.discounts) == {"OPEN", "APPLIED", "SPENT"}
    assert set(loaded.customers) == {"c1"}


async def test_a_customer_has_discounts_newest_first(store: Store, run: Any, make: Any) -> None:
    saved = [make.held(f"A{day}", issued_at=make.at(days=day)) for day in (2, 1, 3)]
    await run.save(discounts=saved)
    assert [held.discount.code for held in await store.discounts("c1", limit=2)] == ["A3", "A2"]


@pytest.mark.parametrize("status", ["issued", "applied"])
async def test_lapsed_discounts_are_open_and_past_their_end(
    store: Store, run: Any, make: Any, status: Any
) -> None:
    await run.save(
        discounts=[
            make.held("NOW", status=status, expires_at=make.now),
            make.held("PAST", status=status, expires_at=make.at(days=-1)),
            make.held("NEXT", status=status, expires_at=make.now + timedelta(microseconds=1)),
            make.held("EVER", status=status),
            make.held("GONE", status="expired", expires_at=make.now),
        ]
    )
    assert await store.lapsed(make.now, 10) == ["PAST", "NOW"]
    assert await store.lapsed(make.now, 1) == ["PAST"]


async def test_reserving_says_which_codes_are_taken(store: Store, run: Any, make: Any) -> None:
    await run.save(discounts=[make.held("A1")])

    async def script(transaction: Any) -> Any:
        return await transaction.reserve([], ["A1", "A2"])

    assert (await store.transact(script)).taken == {"A1"}


@given(st.from_regex(r"[A-Za-z0-9._-]{1,40}", fullmatch=True))
def test_sql_folds_a_stored_code_as_python_folds_a_typed_one(code: str) -> None:
    rows = apsw.Connection(":memory:").execute("SELECT lower(replace(?, '-', ''))", (code,))
    assert list(rows) == [(folded(code),)]


async def test_every_character_of_a_code_is_folded_alike_by_the_store(
    store: Store, run: Any, make: Any
) -> None:
    code = "".join(character for character in map(chr, range(33, 127)) if _PREFIX.fullmatch(character))
    await run.save(discounts=[make.held(code)])
    typed = folded(code)
    assert typed != code
    assert (await store.discount(typed)) == make.held(code)
    assert set((await run.load(codes=[typed])).discounts) == {code}


async def test_sqlite_finds_typed_codes_by_indexes(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'plans.db'}")
    await store.open()
    await store.close()
    file = sqlite.connect(str(tmp_path / "plans.db"))
    asked = apsw.carray((b"a",))
    for name, values in [
        ("discounts_alike", ("A", "a")),
        ("discounts_by_code", (asked, asked)),
        ("taken_codes", (asked,)),
    ]:
        plan = [row[3] for row in file.execute(f"EXPLAIN QUERY PLAN {SQL[name]}", values)]
        assert any("discounts_by_folded_code" in step for step in plan)
        assert not [step for step in plan if step.startswith("SCAN discounts")]
    file.close()
