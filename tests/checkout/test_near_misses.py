"""What is missing for a shared code: the distance of each comparison with a number."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.checkout.orders import order
from tests.checkout.shop import Shop

RULES = """
rules:
  - name: cart
    conditions: [cart_value >= 100]
    action: {type: percentage_off, value: 10, code: CART}
  - name: above
    conditions: [cart_value > 100]
    action: {type: percentage_off, value: 10, code: ABOVE}
  - name: regular
    conditions: [history.count("order_completed") >= 3, user.points >= 50, user.tier == "gold"]
    action: {type: percentage_off, value: 10, code: REGULAR}
  - name: either
    conditions:
      any:
        - user.tier == "gold"
        - cart_value >= 90 && item_count >= 2
    action: {type: percentage_off, value: 10, code: EITHER}
  - name: none
    conditions:
      none: [attributes.returns > 1]
    action: {type: percentage_off, value: 10, code: NONE}
  - name: minimum
    action: {type: percentage_off, value: 10, min_cart_value: 99, currency: EUR, code: MINIMUM}
  - name: paused
    status: paused
    conditions: [cart_value >= 100]
    action: {type: percentage_off, value: 10, code: PAUSED}
  - name: applies
    action: {type: percentage_off, value: 10, code: APPLIES}
"""


@pytest.fixture
def store_url() -> str:
    """What is asked and answered here is the same on both engines."""
    return "sqlite:///:memory:"


@pytest.fixture
async def promoted(store_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with Shop(store_url, tmp_path / "rules", RULES).open() as shop:
        yield shop


async def qualified(shop: Shop, price: str, **attributes: Any) -> dict[str, dict[str, Any]]:
    asked = {"customer": {"source_id": "ann", "points": 20}, "order": order(price, **attributes)}
    found = (await shop.post("/v1/qualifications", **asked)).json()
    return {one["code"]: one for one in found["qualifications"]}


async def test_each_comparison_with_a_number_says_what_is_missing(promoted: Shop) -> None:
    for at in range(2):
        body = {
            "type": "track", "event": "Order Completed", "messageId": f"m{at}", "userId": "ann",
            "timestamp": promoted.now.isoformat(), "properties": {"order_id": f"o{at}", "total": 5},
        }  # fmt: skip
        await promoted.http.post("/webhooks/segment", json=body)
    found = await qualified(promoted, "87.50", item_count=1, returns=4)
    assert "PAUSED" not in found
    assert found["APPLIES"]["applicable"]
    cart = found["CART"]
    assert (cart["applicable"], cart["reason"]) == (False, "conditions_not_met")
    assert cart["message"].endswith("cart_value is 87.50, needs at least 100 (12.50 EUR more)")
    assert cart["missing"] == {
        "amount": "12.50",
        "conditions": [{"name": "cart_value", "at_least": "100", "value": "87.5", "missing": "12.5"}],
    }
    assert found["ABOVE"]["missing"]["amount"] == "12.51"
    regular = found["REGULAR"]
    assert regular["missing"]["conditions"] == [
        {"name": "number of order_completed", "at_least": "3", "value": "2", "missing": "1"},
        {"name": "user.points", "at_least": "50", "value": "20", "missing": "30"},
    ]
    assert "2 of 3: number of order_completed" in regular["message"]
    assert found["EITHER"]["missing"] == {
        "amount": "2.50",
        "conditions": [
            {"name": "cart_value", "at_least": "90", "value": "87.5", "missing": "2.5"},
            {"name": "item_count", "at_least": "2", "value": "1", "missing": "1"},
        ],
    }
    assert found["NONE"]["missing"]["conditions"] == [
        {"name": "attributes.returns", "at_most": "1", "value": "4", "missing": "3"}
    ]
    assert found["MINIMUM"]["missing"] == {"amount": "11.50"}


async def test_what_is_not_known_has_no_distance(promoted: Shop) -> None:
    found = await qualified(promoted, "100.00")
    assert found["CART"]["applicable"]
    assert found["NONE"]["missing"]["conditions"] == [
        {"name": "attributes.returns", "at_most": "1", "value": None}
    ]
    assert found["ABOVE"]["missing"]["amount"] == "0.01"


async def test_a_validation_says_it_too(promoted: Shop) -> None:
    found = (await promoted.post("/v1/validations", codes=["CART"], order=order("99.99"))).json()
    assert found["codes"][0]["missing"]["amount"] == "0.01"
