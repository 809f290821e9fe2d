"""Several calls for one order at once, from two stores: what does not stack is not booked together."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from adapter.store.checkout_values import BookedState, BookingRequest
from tests.acceptance.variants import Passing, through
from tests.checkout.orders import issued, order
from tests.checkout.shop import OpenShops, Shop

pytestmark = pytest.mark.slow
ORDERS = [f"o{at}" for at in range(8)]


async def at_once(shops: list[Shop], *, moves: bool) -> None:
    """Redeem two discounts of two customers on each order, both by the checkout, or one by a move."""
    for at in ORDERS:
        for code in ("M", "C"):
            made = issued(f"{code}{at}", f"{code}-{at}")
            await shops[0].issue(replace(made, discount=replace(made.discount, stackable=False)))
    calls: list[Any] = []
    for at in ORDERS:
        asked: dict[str, Any] = {"codes": [f"M{at}"], "order": order(), "order_id": at}
        move = f"/v1/discounts/M{at}/redeem"
        first = shops[0].post(move, order_id=at) if moves else shops[0].post("/v1/redemptions", **asked)
        calls.append(first)
        calls.append(shops[-1].post("/v1/redemptions", codes=[f"C{at}"], order=order(), order_id=at))
    statuses = [response.status_code for response in await asyncio.gather(*calls)]
    pairs = list(zip(statuses[::2], statuses[1::2], strict=True))
    assert all(sorted(pair) == [200, 409] for pair in pairs), pairs
    for at in ORDERS:
        rows = (await shops[0].http.get(f"/v1/redemptions?order_id={at}")).json()["redemptions"]
        assert len(rows) == 1


@pytest.mark.parametrize("moves", [True, False])
async def test_codes_that_do_not_stack_are_not_booked_by_two_calls(
    open_shops: OpenShops, moves: bool
) -> None:
    await at_once(await open_shops(), moves=moves)


class Blind(Passing):
    """Does not see what is booked on orders."""

    async def booked(self, wanted: BookingRequest) -> BookedState:
        return await self._inner.booked(replace(wanted, orders=()))


async def test_a_store_that_does_not_tell_what_is_on_an_order_is_caught(open_shops: OpenShops) -> None:
    shops = await open_shops(lambda store: through(store, Blind))
    with pytest.raises(AssertionError):
        await at_once(shops, moves=False)
