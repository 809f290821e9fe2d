"""A discount is moved only by its customer, under any id of the customer."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.model.customers import LINKING
from adapter.model.operations import CustomerUpsert, DiscountMove, EventOccurred

RULES = "rules: [{name: treat, trigger: started, action: {type: free_shipping}}]"


async def given_to(desk: Any, kind: str) -> str:
    """Return the code of eve, who was seen with `anon-e`, never a visitor of its own."""
    await desk.take(CustomerUpsert("eve", identities={kind: "anon-e"}))
    [issued] = (await desk.take(desk.event("started", "eve"))).discounts
    return str(issued.code)


@pytest.mark.parametrize("kind", LINKING)
async def test_a_customers_own_anonymous_id_moves_their_discount(kind: str, open_desk: Any) -> None:
    desk = await open_desk(RULES)
    code = await given_to(desk, kind)
    result = await desk.take(DiscountMove("redeem", code, "anon-e", "o1"))
    assert [discount.status for discount in result.discounts] == ["redeemed"]
    again = await desk.take(DiscountMove("redeem", code, "eve", "o2"))
    assert again.reason == f"cannot redeem `{code}`: it was redeemed with order `o1`"


async def test_a_message_that_links_the_anonymous_id_moves_the_discount_too(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    [issued] = (await desk.take(desk.event("started", "eve"))).discounts
    ordered = EventOccurred("eve", desk.event("ordered", "eve").event, {"anonymous_id": "anon-e"})
    result = await desk.take(DiscountMove("redeem", issued.code, "anon-e", "o1"), ordered)
    assert [discount.status for discount in result.discounts] == ["redeemed"]


@pytest.mark.parametrize("stranger", ["mallory", "anon-m"])
async def test_an_unknown_customer_moves_no_discount_and_is_not_created_by_trying(
    stranger: str, open_desk: Any
) -> None:
    desk = await open_desk(RULES)
    code = await given_to(desk, "anonymous_id")
    await desk.take(CustomerUpsert("mallory", identities={"anonymous_id": "eve"}))
    await desk.take(CustomerUpsert("mallory", identities={"anonymous_id": "anon-e"}))
    result = await desk.take(DiscountMove("redeem", code, stranger, "o1"))
    assert result.reason == f"`{code}` belongs to another customer"
    assert await desk.store.customer("anon-m") is None
