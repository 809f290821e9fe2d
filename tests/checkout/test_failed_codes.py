"""Wrong codes are counted in the store: for all processes, for ten minutes, until the customer is erased."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.checkout.orders import issued, order
from tests.checkout.shop import NOON, Shop


async def guess(shop: Shop, count: int, by: str = "eve") -> Any:
    customer = {"customer": {"source_id": by}} if by else {}
    codes = [f"NO-{number}" for number in range(count)]
    return await shop.post("/v1/validations", codes=codes, order=order(), **customer)


async def redeem(shop: Shop, by: str = "eve") -> int:
    asked = {"codes": ["MINE-1"], "order": order(), "customer": {"source_id": by}}
    return int((await shop.post("/v1/redemptions", **asked)).status_code)


@pytest.fixture
async def processes(store_url: str, tmp_path: Path) -> AsyncIterator[list[Shop]]:
    """Two shops on PostgreSQL, as two processes; on SQLite one."""
    count = 2 if store_url.startswith("postgres") else 1
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(Shop(store_url, tmp_path / "rules").open()) for _ in range(count)
        ]


async def test_wrong_codes_that_one_process_has_seen_count_in_every_other(processes: list[Shop]) -> None:
    first, last = processes[0], processes[-1]
    await first.issue(issued("MINE-1", "eve"))
    assert [(await guess(first, 10)).status_code for _ in range(2)] == [200, 200]
    refused = await guess(last, 1)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "601")
    assert refused.json()["error"]["code"] == "too_many_failed_codes"
    assert await redeem(last) == 429, "a code that is right, too: it may be a guess"
    assert (await guess(last, 1, by="ann")).status_code == 200


async def test_wrong_codes_count_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'adapter.db'}"
    for expected in (200, 429):
        async with Shop(url, tmp_path / "rules").open() as shop:
            assert (await guess(shop, 20)).status_code == expected


async def test_wrong_codes_count_for_ten_minutes_from_the_first(shop: Shop) -> None:
    await guess(shop, 15)
    shop.now = NOON + timedelta(minutes=9)
    assert (await guess(shop, 5)).status_code == 200
    assert (await guess(shop, 1)).headers["retry-after"] == "61"
    shop.now = NOON + timedelta(minutes=10)
    assert [(await guess(shop, 20)).status_code for _ in range(2)] == [200, 429]


async def test_a_caller_without_a_customer_has_a_limit_too(shop: Shop) -> None:
    answers = [(await guess(shop, 30, by="")).status_code for _ in range(35)]
    assert answers == [200] * 34 + [429]


async def test_a_right_code_writes_no_count(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.issue(issued("MINE-1", "eve"))
    written: list[Any] = []

    async def add(*given: Any) -> None:
        written.append(given)

    monkeypatch.setattr(shop.app.store, "add_failed_codes", add)
    assert await redeem(shop) == 200
    assert await redeem(shop) == 409  # it is used, and no guess
    assert written == []
    await guess(shop, 1)
    assert len(written) == 1


async def test_an_erasure_forgets_the_wrong_codes_of_the_customer(shop: Shop) -> None:
    await shop.issue(issued("MINE-1", "eve"))
    await guess(shop, 20)
    assert (await guess(shop, 1)).status_code == 429
    assert (await shop.http.delete("/v1/customers/eve")).status_code == 200
    assert (await guess(shop, 1)).status_code == 200


async def test_counts_that_no_longer_count_are_deleted(shop: Shop) -> None:
    await guess(shop, 3)
    store = shop.app.store
    assert await store.purge("failed_codes", NOON) == 0
    assert await store.purge("failed_codes", NOON + timedelta(minutes=10)) == 2
