"""Reads of all discounts and of what was booked by rule, on both engines, and by which indexes they go."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import apsw
import asyncpg
import pytest

from adapter.model.redemptions import CodeUse
from adapter.store.checkout_values import BookedFigures, Issued
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.postgres.statements import SQL as POSTGRES
from adapter.store.sqlite.statements import SQL as SQLITE
from tests.databases import SharedServer

READS = {"issued": ("B", 10), "booked_rule": ("high-cart",), "booked_figures": ("high-cart",)}
#: The indexes that a read may walk.
INDEXES = {
    "issued": ("codes_pkey", "discounts_", "redemption_uses_of_code", "sqlite_autoindex_discounts_1"),
    "booked_rule": ("redemption_uses_by_rule",),
    "booked_figures": ("redemption_uses_by_rule",),
}


async def test_all_discounts_come_in_pages_of_their_codes_and_say_whether_they_are_booked(
    store: Store, run: Any, make: Any
) -> None:
    codes = ["A-1", "B2", "C3", "D4"]
    held = [make.held(code, who) for code, who in zip(codes, ("c1", "c2", "c1", "c2"), strict=True)]
    await run.save(
        customers=[make.customer("c1"), make.customer("c2")],
        discounts=held,
        redemptions=[
            make.redemption("r1"),
            make.redemption("r2", codes=("C3",), order_id="o2", state="held"),
        ],
    )
    first = await store.issued("", 3)
    assert list(first) == [Issued(held[0], True), Issued(held[1], False), Issued(held[2], False)]
    second = await store.issued(first.next or "", 3)
    assert (list(second), second.next) == ([Issued(held[3], False)], None)


async def test_what_was_booked_is_summed_by_rule_day_and_currency(store: Store, run: Any, make: Any) -> None:
    unknown, other = CodeUse(code="U1", rule="high-cart"), CodeUse(code="O1", rule="other", amount=5)
    returned = CodeUse(code="X1", rule="high-cart", amount=300, returned=200)
    await run.save(
        redemptions=[
            make.redemption("r1", codes=("A1", "B1")),
            make.redemption("r2", order_id="o2", uses=(returned, other)),
            make.redemption("r3", order_id="o3", uses=(unknown,), currency=None, at=make.at(days=1)),
            make.redemption("r4", order_id="o4", codes=("C1",), state="rolled_back", currency="JPY"),
            make.redemption("r5", order_id="o5", codes=("D1",), state="held"),
            make.redemption("r6", order_id="o6", codes=("E1",), state="released"),
        ]
    )
    day = date(2026, 11, 21)
    assert await store.booked_figures("high-cart") == [
        BookedFigures(day, "EUR", 3, 0, 0, 2_300, 200),
        BookedFigures(day, "JPY", 1, 0, 1, 1_000, 0),
        BookedFigures(date(2026, 11, 22), "", 1, 1, 0, 0, 0),
    ]
    assert await store.booked_figures("none") == []
    assert [await store.booked_rule(after) for after in ("", "high-cart", "other")] == [
        "high-cart", "other", None
    ]  # fmt: skip


@pytest.mark.parametrize("name", READS)
async def test_a_read_of_a_sqlite_store_goes_by_an_index(tmp_path: Path, name: str) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'adapter.db'}")
    await store.open()
    await store.close()
    plan = apsw.Connection(str(tmp_path / "adapter.db")).execute(
        f"EXPLAIN QUERY PLAN {SQLITE[name]}", READS[name]
    )
    steps = [row[3] for row in plan if row[3].startswith(("SEARCH", "SCAN"))]
    assert [step for step in steps if step != "SCAN CONSTANT ROW"]
    assert all(any(index in step for index in INDEXES[name]) for step in steps)
    assert not [step for step in steps if step.startswith("SCAN") and "INDEX" not in step]


@pytest.mark.parametrize("name", READS)
async def test_a_read_of_a_postgres_store_goes_by_an_index(postgres_server: SharedServer, name: str) -> None:
    with postgres_server.store() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(FILL)
        values = ", ".join(f"'{each}'" if isinstance(each, str) else str(each) for each in READS[name])
        await connection.execute(f"PREPARE reading AS {POSTGRES[name]}")
        plan = [row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE reading ({values})")]
        await connection.close()
    scans = [line for line in plan if "Scan" in line and "Subquery" not in line]
    assert any(index in scan for scan in scans for index in INDEXES[name])
    assert not [scan for scan in scans if "Seq Scan" in scan]


FILL = """
INSERT INTO codes SELECT 'code-' || n, 'c' || n FROM generate_series(1, 20000) AS n;
INSERT INTO discounts SELECT 'c' || n, 'code-' || n, n, 'e' || n, n, n, true, '{}'
FROM generate_series(1, 20000) AS n;
INSERT INTO redemption_uses
SELECT 'c' || n, 'r' || n, 0, 'code' || n, 'rule' || n % 100, 'EUR', 1, 0, 'redeemed', n
FROM generate_series(1, 20000) AS n;
ANALYZE;
"""
