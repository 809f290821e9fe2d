"""Limits by a key, in both stores: for guests, over processes, erasures and revocations."""

from __future__ import annotations

from typing import Any

from adapter.model.operations import CustomerErase, DiscountMove
from adapter.store.engines import open_store

RULE = """
name: welcome
trigger: checkout_started
conditions: [cart_value >= 50]
action: {type: percentage_off, value: 10, max_amount: 20}
guardrails: {limits: [{key: email, count: 1}]}
"""


def cart(desk: Any, who: str, minutes: int, email: str = "g@x.test") -> Any:
    return desk.event("checkout_started", who, minutes, cart_value=60, email=email)


async def test_two_guests_with_one_address_get_one_discount(open_desk: Any) -> None:
    desk = await open_desk(RULE)
    first = await desk.take(cart(desk, "a1", 1))
    second = await desk.take(cart(desk, "a2", 2, " G@X.TEST "))
    other = await desk.take(cart(desk, "a3", 3, "h@x.test"))
    assert [len(each.discounts) for each in (first, second, other)] == [1, 0, 1]


async def test_an_erasure_keeps_what_an_address_has_had(open_desk: Any) -> None:
    desk = await open_desk(RULE)
    await desk.take(cart(desk, "a1", 1))
    await desk.take(CustomerErase("a1"))
    assert (await desk.take(cart(desk, "a1", 2))).discounts == []


async def test_a_revoked_discount_gives_the_key_back(open_desk: Any) -> None:
    desk = await open_desk(RULE)
    [issued] = (await desk.take(cart(desk, "a1", 1))).discounts
    await desk.take(DiscountMove("revoke", issued.code))
    assert len((await desk.take(cart(desk, "a2", 2))).discounts) == 1


async def test_a_store_keeps_its_secret_and_no_address(open_desk: Any, store_url: str) -> None:
    desk = await open_desk(RULE)
    await desk.take(cart(desk, "a1", 1))
    assert len(desk.store.secret) == 32
    [held] = await desk.store.discounts("a1")
    assert not any("g@x.test" in claim.scope for claim in held.claims)
    first = desk.store.secret
    await desk.store.close()
    again = open_store(store_url)
    await again.open()
    try:
        assert again.secret == first
    finally:
        await again.close()
