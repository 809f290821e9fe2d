"""A discount that holds back all others until it is used, over HTTP and in both stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.checkout.decisions import happens, holds, outcomes
from tests.checkout.shop import Shop

RULES = """
rules:
  - name: link
    trigger: linked
    exclusive: until_used
    action: {type: amount_off, value: 5, currency: EUR}
  - name: better
    trigger: [linked, visited, order_completed]
    priority: 9
    action: {type: amount_off, value: 50, currency: EUR}
  - name: thanks
    trigger: [linked, visited, order_completed]
    conflicts: none
    action: {type: store_credit, value: 1, currency: EUR}
    guardrails: {per_user_limit: 2}
"""


@pytest.fixture
async def shop(store_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with Shop(store_url, tmp_path / "rules", rules=RULES).open() as shop:
        yield shop


async def test_others_are_issued_once_it_was_used(shop: Shop) -> None:
    held_back = {"better": ("withheld", "stackable"), "thanks": ("issued", None)}
    first = await happens(shop, "ann", "linked")
    assert outcomes(first) == {"link": ("issued", None), **held_back}
    assert outcomes(await happens(shop, "ann", "visited")) == held_back
    [code] = [each["code"] for each in first["discounts"] if each["metadata"]["rule"] == "link"]
    await shop.post(f"/v1/discounts/{code}/apply", order_id="o1")
    assert outcomes(await happens(shop, "ann", "visited"))["better"] == ("withheld", "stackable")
    await shop.post(f"/v1/discounts/{code}/redeem", order_id="o1")
    assert outcomes(await happens(shop, "ann", "visited"))["better"] == ("issued", None)
    assert await holds(shop, "ann") == {"link": "redeemed", "better": "issued", "thanks": "issued"}


async def test_the_order_that_uses_it_earns_only_what_conflicts_with_none(shop: Shop) -> None:
    [code] = [
        each["code"] for each in (await happens(shop, "ann", "linked"))["discounts"]
        if each["metadata"]["rule"] == "link"
    ]  # fmt: skip
    properties = {"order_id": "o1", "total": 50, "currency": "EUR", "coupon": code}
    order = {"type": "track", "event": "Order Completed", "userId": "ann", "messageId": "m1"}
    response = await shop.http.post("/webhooks/segment", json={**order, "properties": properties})
    assert response.status_code == 200
    decisions = (await shop.http.get("/v1/decisions?source_id=ann&event_id=m1")).json()
    assert outcomes(decisions) == {"better": ("withheld", "stackable"), "thanks": ("issued", None)}
    assert (await holds(shop, "ann"))["link"] == "redeemed"
    assert outcomes(await happens(shop, "ann", "visited"))["better"] == ("issued", None)


async def test_a_revoked_one_holds_back_nothing_and_credit_is_no_reason_against_others(shop: Shop) -> None:
    assert outcomes(await happens(shop, "bob", "visited")) == {
        "better": ("issued", None), "thanks": ("issued", None),
    }  # fmt: skip
    assert outcomes(await happens(shop, "eve", "linked"))["better"] == ("withheld", "stackable")
    found = (await shop.http.get("/v1/customers/eve/discounts")).json()["discounts"]
    [code] = [each["code"] for each in found if each["metadata"]["rule"] == "link"]
    await shop.post(f"/v1/discounts/{code}/revoke", reason="a mistake")
    assert outcomes(await happens(shop, "eve", "visited"))["better"] == ("issued", None)
