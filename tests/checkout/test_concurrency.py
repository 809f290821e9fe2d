"""Many checkouts at once, from two processes' stores: each use is given once; broken stores are caught.

Two shops over one PostgreSQL database have nothing in common but the database, as two processes have.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from adapter.model.actions import StoreCredit
from adapter.model.discounts import DiscountRecord
from adapter.store.checkout_values import BookedState, BookingRequest
from adapter.store.contract import Store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, LoadedState, LoadRequest
from tests.acceptance.variants import Passing, StaleTransaction, through
from tests.checkout.orders import issued, order, shared
from tests.checkout.shop import NOON, OpenShops, Shop

pytestmark = pytest.mark.slow


async def at_once(shops: list[Shop], count: int, path: str, **body: Any) -> Counter[str]:
    """Return how the calls came out: `200`, or their reason."""
    calls = [shops[n % len(shops)].post(path, **body) for n in range(count)]
    found = Counter[str]()
    for response in await asyncio.gather(*calls):
        error = response.json().get("error", {})
        found["200" if response.status_code == 200 else error.get("reason", error.get("code"))] += 1
    return found


async def test_of_fifty_checkouts_with_one_single_use_code_one_wins(open_shops: OpenShops) -> None:
    await one_wins(await open_shops())


async def one_wins(shops: list[Shop]) -> None:
    await shops[0].issue(issued("ONE"))
    found = await at_once(shops, 50, "/v1/redemptions", codes=["ONE"], order=order())
    assert found == {"200": 1, "usage_limit_reached": 49}


async def test_a_shared_code_is_used_as_often_as_its_cap_says(open_shops: OpenShops) -> None:
    shops = await open_shops()
    await capped(shops, 20, 60)
    booked = (await shops[0].http.get("/v1/redemptions?code=many")).json()["redemptions"]
    assert len(booked) == 20


async def capped(shops: list[Shop], cap: int, calls: int) -> None:
    for shop in shops:
        shop.codes.put("MANY", shared("MANY", cap))
    found = await at_once(shops, calls, "/v1/redemptions", codes=["MANY"], order=order())
    assert found == {"200": cap, "usage_limit_reached": calls - cap}


async def test_rollbacks_at_once_give_back_once(open_shops: OpenShops) -> None:
    shops = await open_shops()
    await rolled_back(shops)
    assert (await shops[0].http.get("/v1/discounts/CREDIT")).json()["action"].get("left", 10) == 10


async def rolled_back(shops: list[Shop]) -> None:
    await shops[0].issue(issued("CREDIT", action=StoreCredit(value=Decimal(10), currency="EUR")))
    done = (await shops[0].post("/v1/redemptions", codes=["CREDIT"], order=order())).json()
    found = await at_once(shops, 12, f"/v1/redemptions/{done['id']}/rollbacks")
    assert found == {"200": 1, "already_refunded": 11}


async def test_a_later_code_that_fails_leaves_nothing_taken(open_shops: OpenShops) -> None:
    """Each checkout brings one code that all want and one of its own: who loses keeps their own."""
    await all_or_none(await open_shops())


async def all_or_none(shops: list[Shop]) -> None:
    await shops[0].issue(issued("WANTED"), *(issued(f"OWN{n}") for n in range(12)))
    calls = [
        shops[n % len(shops)].post("/v1/redemptions", codes=[f"OWN{n}", "WANTED"], order=order())
        for n in range(12)
    ]
    statuses = Counter(response.status_code for response in await asyncio.gather(*calls))
    assert statuses == {200: 1, 409: 11}
    kept = [(await shops[0].http.get(f"/v1/discounts/OWN{n}")).json()["status"] for n in range(12)]
    assert Counter(kept) == {"issued": 11, "redeemed": 1}


async def test_one_order_is_booked_once_whoever_books_it(open_shops: OpenShops) -> None:
    shops = await open_shops()
    for shop in shops:
        shop.codes.put("MANY", shared("MANY", 99))
    found = await at_once(shops, 20, "/v1/redemptions", codes=["MANY"], order=order(), order_id="o1")
    assert found == {"200": 20}
    assert len((await shops[0].http.get("/v1/redemptions?order_id=o1")).json()["redemptions"]) == 1


class Earlier(Passing):
    """Reads discounts as another transaction found them first."""

    def __init__(self, inner: Any, seen: dict[str, Any]) -> None:
        super().__init__(inner)
        self._seen = seen

    async def load(self, wanted: LoadRequest, now: Any) -> LoadedState:
        found = await self._inner.load(wanted, now)
        first = {code: self._seen.setdefault(code, held) for code, held in found.discounts.items()}
        return replace(found, discounts=first)


class Noting(Passing):
    """Notes the discounts that were read, and whether anything was saved."""

    saved = False
    discounts: Mapping[str, DiscountRecord] = {}

    async def load(self, wanted: LoadRequest, now: Any) -> LoadedState:
        found = await self._inner.load(wanted, now)
        self.discounts = found.discounts
        return found

    async def save(self, changes: Changes) -> None:
        self.saved = True
        await self._inner.save(changes)


def piecemeal(store: Store) -> Store:
    """Return the store that takes codes one by one: where a checkout is refused its own code stays taken."""
    transact = store.transact

    async def wrapped(script: Any, on_locks_acquired: Any = None) -> Any:
        async def run(inner: Transaction) -> Any:
            noting = Noting(inner)
            result = await script(noting)
            own = [held for code, held in noting.discounts.items() if code.startswith("OWN")]
            if own and not noting.saved:
                taken = [replace(one, discount=replace(one.discount, status="redeemed")) for one in own]
                await inner.save(Changes(seen_at=NOON, discounts=taken))
            return result

        return await transact(run, on_locks_acquired)

    store.transact = wrapped  # type: ignore[method-assign]
    return store


class Unlocked(Passing):
    """Reads what is booked as another transaction found it, and numbers rollbacks as it likes."""

    def __init__(self, inner: Any, seen: dict[str, Any]) -> None:
        super().__init__(inner)
        self._seen = seen

    async def booked(self, wanted: BookingRequest) -> BookedState:
        found = await self._inner.booked(wanted)
        kept = {id_: self._seen.setdefault(id_, each) for id_, each in found.redemptions.items()}
        return replace(found, redemptions=kept)

    async def save(self, changes: Changes) -> None:
        numbered = [
            replace(each, number=len(self._seen) + hash(each.id) % 10**9) for each in changes.rollbacks
        ]
        await self._inner.save(replace(changes, rollbacks=numbered))


async def test_a_store_that_reads_counters_before_it_writes_them_is_caught(open_shops: OpenShops) -> None:
    remembered: dict[Any, int] = {}
    shops = await open_shops(lambda store: through(store, lambda one: StaleTransaction(one, remembered)))
    with pytest.raises(AssertionError):
        await capped(shops, 3, 12)


@pytest.mark.parametrize("race", ["one_wins", "all_or_none"])
async def test_a_store_that_does_not_lock_discounts_is_caught(open_shops: OpenShops, race: str) -> None:
    seen: dict[str, Any] = {}
    shops = await open_shops(lambda store: through(store, lambda one: Earlier(one, seen)))
    with pytest.raises(AssertionError):
        await {"one_wins": one_wins, "all_or_none": all_or_none}[race](shops)


async def test_a_store_that_takes_codes_one_by_one_is_caught(open_shops: OpenShops) -> None:
    shops = await open_shops(piecemeal)
    with pytest.raises(AssertionError):
        await all_or_none(shops)


async def test_a_store_that_does_not_lock_redemptions_is_caught(open_shops: OpenShops) -> None:
    seen: dict[str, Any] = {}
    shops = await open_shops(lambda store: through(store, lambda one: Unlocked(one, seen)))
    with pytest.raises(AssertionError):
        await rolled_back(shops)
