"""Orders of the event stream: redeemed with amounts, rolled back, and booked once with the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapter.model.actions import AmountOff
from tests.checkout.orders import budget, issued, order
from tests.checkout.shop import Shop

RULES = """
rules:
  - name: thanks
    trigger: order_completed
    action: {type: free_shipping, code_prefix: THX-}
    guardrails: {stackable: true}
"""
PRODUCTS = [
    {"product_id": "p1", "price": 30.0, "quantity": 2},
    {"product_id": "p2", "price": 40.0, "quantity": 1},
]


@pytest.fixture
async def stream(store_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with Shop(store_url, tmp_path / "rules", RULES).open() as shop:
        yield shop


async def track(shop: Shop, event: str, message: str, **properties: Any) -> dict[str, Any]:
    body = {
        "type": "track", "event": event, "messageId": message, "userId": "ann",
        "timestamp": shop.now.isoformat(), "properties": {"order_id": "o1", "currency": "EUR", **properties},
    }  # fmt: skip
    response = await shop.http.post("/webhooks/segment", json=body)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["results"][0]
    return found


async def booked(shop: Shop) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await shop.http.get("/v1/redemptions?order_id=o1")).json()["redemptions"]
    return found


async def status(shop: Shop, code: str) -> str:
    return str((await shop.http.get(f"/v1/discounts/{code}")).json()["status"])


def earned(result: dict[str, Any]) -> str:
    [code] = [one["code"] for one in result["discounts"] if one["code"].startswith("THX-")]
    return str(code)


async def test_an_order_redeems_its_coupon_with_the_amount_and_earns_thanks(
    stream: Shop,
) -> None:
    claim = budget(10_000, 4_000)
    counter = claim.scope, claim.key
    action = AmountOff(value=Decimal(10), currency="EUR")
    await stream.issue(issued("A1", action=action, claims=(claim,)), counters={counter: 4_000})
    result = await track(stream, "Order Completed", "m1", coupon="a1", products=PRODUCTS)
    assert [one["code"][:3] for one in result["discounts"]] == ["A1", "THX"]
    [found] = await booked(stream)
    assert found["redeemed"][0]["amount"] == "10.00"
    assert found["codes"][0]["lines"] == {"p1": "6.00", "p2": "4.00"}
    assert await stream.used(counter) == {counter: 1_000}
    again = await track(stream, "Order Completed", "m1", coupon="a1", products=PRODUCTS)
    assert (again["outcome"], len(await booked(stream))) == ("duplicate", 1)


async def test_the_stream_and_the_api_book_the_same_order_once(stream: Shop) -> None:
    await stream.issue(issued("A1"))
    asked: dict[str, Any] = {"codes": ["A1"], "order": order(), "order_id": "o1"}
    first = (await stream.post("/v1/redemptions", **asked)).json()
    result = await track(stream, "Order Completed", "m1", coupon="A1", products=PRODUCTS)
    assert result.get("error") is None
    assert [one["id"] for one in await booked(stream)] == [first["id"]]
    assert (await stream.post("/v1/redemptions", **asked)).json()["id"] == first["id"]


@pytest.mark.parametrize("products", [PRODUCTS, None])
async def test_a_cancelled_order_gives_its_coupon_back_and_loses_what_it_earned(
    stream: Shop, products: Any
) -> None:
    await stream.issue(issued("A1"))
    more = {"products": products} if products else {"total": 90}
    result = await track(stream, "Order Completed", "m1", coupon="A1", **more)
    thanks = earned(result)
    assert (await status(stream, "A1"), await status(stream, thanks)) == ("redeemed", "issued")
    await track(stream, "Order Cancelled", "m2", coupon="A1")
    assert (await status(stream, "A1"), await status(stream, thanks)) == ("issued", "revoked")
    await track(stream, "Order Cancelled", "m2", coupon="A1")
    assert [one["state"] for one in await booked(stream)] == ["rolled_back"]


async def test_a_partial_refund_returns_the_share_of_the_products_that_come_back(stream: Shop) -> None:
    await stream.issue(issued("A1"))
    await track(stream, "Order Completed", "m1", coupon="A1", products=PRODUCTS)
    for _ in range(2):
        await track(stream, "Order Refunded", "m2", products=[{"product_id": "p1", "quantity": 1}])
    [found] = await booked(stream)
    assert (found["state"], found["redeemed"][0]["returned"]) == ("redeemed", "3.00")
    assert await status(stream, "A1") == "redeemed"


async def test_a_used_reward_is_kept_and_a_coupon_of_others_is_left_alone(stream: Shop) -> None:
    await stream.issue(issued("A1"))
    result = await track(stream, "Order Completed", "m1", coupon=["A1", "OF-OTHERS"], products=PRODUCTS)
    thanks = earned(result)
    await stream.post(f"/v1/discounts/{thanks}/redeem", order_id="o2")
    assert [one["redeemed"][0]["amount"] for one in await booked(stream)] == ["10.00"]
    await track(stream, "Order Refunded", "m2")
    assert await status(stream, thanks) == "redeemed"


async def test_a_move_of_the_discount_api_is_a_redemption_of_unknown_amount(stream: Shop) -> None:
    await stream.issue(issued("A1"))
    await stream.post("/v1/discounts/A1/redeem", order_id="o1")
    [found] = await booked(stream)
    assert (found["redeemed"][0]["amount"], found["state"]) == (None, "redeemed")
    part = await stream.post(f"/v1/redemptions/{found['id']}/rollbacks", amount="1.00")
    assert part.json()["error"]["code"] == "amounts_unknown"
    assert (await stream.post(f"/v1/redemptions/{found['id']}/rollbacks")).json()["whole"]
    assert await status(stream, "A1") == "issued"
