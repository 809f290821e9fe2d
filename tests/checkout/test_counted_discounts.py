"""`discounts.count` over HTTP: what happened before the event, in whatever transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.checkout.decisions import happens, holds, outcomes
from tests.checkout.shop import Shop

RULES = """
rules:
  - name: step-1
    trigger: viewed
    conditions: ['discounts.count("step-1", "redeemed") == 0']
    action: {type: amount_off, value: 5, currency: EUR}
    guardrails: {stackable: true}
  - name: step-2
    trigger: viewed
    conditions: ['discounts.count("step-1", "redeemed", "30d") == 1', 'discounts.count("step-2") < 2']
    action: {type: amount_off, value: 10, currency: EUR}
    guardrails: {stackable: true}
"""


@pytest.fixture
async def shop(store_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with Shop(store_url, tmp_path / "rules", rules=RULES).open() as shop:
        yield shop


async def test_the_second_discount_follows_the_redemption_of_the_first(shop: Shop) -> None:
    first = (await happens(shop, "ann", "viewed"))["discounts"][0]["code"]
    assert outcomes(await happens(shop, "bob", "viewed"))["step-2"] == ("not_met", None)
    await shop.post(f"/v1/discounts/{first}/redeem", order_id="o1")
    assert outcomes(await happens(shop, "ann", "viewed")) == {
        "step-1": ("not_met", None), "step-2": ("issued", None),
    }  # fmt: skip
    assert await holds(shop, "ann") == {"step-1": "redeemed", "step-2": "issued"}


async def test_one_request_decides_each_event_after_what_came_before_it(shop: Shop) -> None:
    code = (await happens(shop, "ann", "viewed"))["discounts"][0]["code"]
    view = {"action": "event", "source_id": "ann", "event": {"name": "viewed"}}
    operations = [
        {"id": "1", **view},
        {"id": "2", "action": "discount.redeem", "code": code, "order_id": "o1"},
        {"id": "3", **view},
        {"id": "4", **view},
        {"id": "5", **view},
    ]
    results = (await shop.post("/v1/evaluate", operations=operations)).json()["results"]
    issued = [[each["metadata"]["rule"] for each in result.get("discounts", [])] for result in results]
    assert issued == [["step-1"], ["step-1"], ["step-2"], ["step-2"], []]


async def test_a_visitors_discounts_count_once_they_are_merged(shop: Shop) -> None:
    code = (await happens(shop, "v1", "viewed"))["discounts"][0]["code"]
    await shop.post(f"/v1/discounts/{code}/redeem", order_id="o1")
    operations = [
        {"id": "m", "action": "message", "operations": [
            {"action": "customer.merge", "source_id": "ann", "previous_id": "v1"},
            {"action": "event", "source_id": "ann", "event": {"name": "viewed"}},
        ]},
    ]  # fmt: skip
    [result] = (await shop.post("/v1/evaluate", operations=operations)).json()["results"]
    assert [each["metadata"]["rule"] for each in result["discounts"]] == ["step-2"]
