"""Shared codes of rules: conditions, limits, and the record of a claim."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.checkout.orders import order
from tests.checkout.shop import Shop

RULES = """
rules:
  - name: summer
    conditions: [cart_value >= 50, user.tier == "gold"]
    action: {type: percentage_off, value: 10, max_amount: 20, currency: EUR, code: SUMMER10}
    guardrails: {per_user_limit: 1, max_total_redemptions: 2}
"""


@pytest.fixture
async def summer(store_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with Shop(store_url, tmp_path / "rules", RULES).open() as shop:
        yield shop


def gold(name: str) -> dict[str, str]:
    return {"source_id": name, "tier": "gold"}


async def test_a_shared_code_is_redeemed_once_per_customer_and_leaves_a_record(summer: Shop) -> None:
    first = await summer.post("/v1/redemptions", codes=["summer 10"], customer=gold("ann"), order=order())
    found = first.json()
    assert (first.status_code, found["totals"]["discount"]) == (200, "10.00")
    record = found["redeemed"][0]["discount"]
    assert (record["code"], record["status"]) == ("SUMMER10", "redeemed")
    assert record["metadata"] == {
        "rule": "summer", "issued_for_event_id": f"claim_{found['id']}", "user_id": "ann",
    }  # fmt: skip
    again = await summer.post("/v1/redemptions", codes=["SUMMER10"], customer=gold("ann"), order=order())
    assert again.json()["error"]["reason"] == "usage_limit_reached_for_this_customer"
    others = [await summer.post("/v1/redemptions", codes=["SUMMER10"], customer=gold(name), order=order())
              for name in ("bob", "eve")]  # fmt: skip
    assert [response.status_code for response in others] == [200, 409]
    assert others[1].json()["error"]["reason"] == "usage_limit_reached"
    await summer.post(f"/v1/redemptions/{found['id']}/rollbacks")
    back = await summer.post("/v1/redemptions", codes=["SUMMER10"], customer=gold("ann"), order=order())
    assert back.status_code == 200


async def test_conditions_see_the_order_and_the_customer_that_are_sent(summer: Shop) -> None:
    async def reason(customer: dict[str, str], total: str) -> str:
        response = await summer.post(
            "/v1/validations", codes=["SUMMER10"], customer=customer, order=order(total)
        )
        return str(response.json()["codes"][0].get("reason"))

    assert await reason(gold("ann"), "50.00") == "None"
    assert await reason(gold("ann"), "49.99") == "conditions_not_met"
    assert await reason({"source_id": "ann"}, "50.00") == "conditions_not_met"
    assert await reason({}, "50.00") == "customer_needed"


async def test_a_qualification_lists_shared_codes_and_writes_nothing(summer: Shop) -> None:
    response = await summer.post("/v1/qualifications", customer=gold("ann"), order=order())
    found = response.json()
    assert [one["code"] for one in found["qualifications"]] == ["SUMMER10"]
    assert found["best"]["totals"]["discount"] == "10.00"
    assert (await summer.app.store.counts())["customers"] == 0


async def test_what_was_sent_of_a_customer_is_kept_with_a_redemption_alone(summer: Shop) -> None:
    asked: dict[str, Any] = {
        "codes": ["SUMMER10"],
        "customer": gold("ann") | {"email": "ann@x.test"},
        "order": order(),
    }
    await summer.post("/v1/validations", **asked)
    assert (await summer.http.get("/v1/customers/ann")).status_code == 404
    await summer.post("/v1/redemptions", **asked)
    kept = (await summer.http.get("/v1/customers/ann")).json()
    assert (kept["email"], kept["traits"]) == ("ann@x.test", {"tier": "gold"})


VALUES = """
rules:
  - name: tiers
    action:
      type: amount_off
      value: {tiers: [{from: 50, value: 5}, {from: 100, value: 15}], of: cart_value}
      code: TIERS
  - name: tenth
    action: {type: amount_off, value: attributes.weight / 3, max_value: 9, code: WEIGHT}
  - name: shoes
    action:
      type: percentage_off
      value: 50
      applies_to: {items: item.category == "shoes"}
      max_units: 1
      code: SHOES
  - name: partial
    action: {type: amount_off, value: 15, code: PARTIAL}
    guardrails: {budget: {currency: EUR, total: 20, on_exceed: partial}}
"""


@pytest.fixture
async def valued(store_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with Shop(store_url, tmp_path / "rules", VALUES).open() as shop:
        yield shop


@pytest.mark.parametrize(
    ("code", "total", "more", "discount"),
    [
        ("TIERS", "99.99", {}, "5.00"),
        ("TIERS", "100.00", {}, "15.00"),
        ("TIERS", "49.99", {}, "not_available"),
        ("WEIGHT", "60.00", {"weight": 10}, "3.33"),
        ("WEIGHT", "60.00", {"weight": 1000}, "9.00"),
        ("WEIGHT", "60.00", {"weight": "heavy"}, "not_available"),
        ("WEIGHT", "60.00", {}, "not_available"),
    ],
)
async def test_the_value_of_a_shared_code_is_computed_of_the_order(
    valued: Shop, code: str, total: str, more: dict[str, Any], discount: str
) -> None:
    response = await valued.post(
        "/v1/validations", codes=[code], customer=gold("ann"), order=order(total) | more
    )
    found = response.json()
    reason = found["codes"][0].get("reason")
    assert (reason or found["totals"]["discount"]) == discount


async def test_a_shared_code_takes_from_the_items_that_its_condition_names(valued: Shop) -> None:
    lines = [
        {"id": "a", "category": "shoes", "quantity": 1, "unit_price": "40.00"},
        {"id": "b", "category": "shoes", "quantity": 2, "unit_price": "60.00"},
        {"id": "c", "category": "socks", "quantity": 1, "unit_price": "99.00"},
    ]
    sent = {"currency": "EUR", "lines": lines}
    response = await valued.post("/v1/redemptions", codes=["shoes"], customer=gold("ann"), order=sent)
    found = response.json()
    assert (response.status_code, found["codes"][0]["lines"]) == (200, {"b": "30.00"})


async def test_a_budget_that_is_nearly_used_up_grants_what_is_left_where_the_rule_says_so(
    valued: Shop,
) -> None:
    async def redeemed(name: str) -> tuple[int, str | None]:
        response = await valued.post(
            "/v1/redemptions", codes=["PARTIAL"], customer=gold(name), order=order("60.00")
        )
        return response.status_code, response.json().get("totals", {}).get("discount")

    assert [await redeemed(name) for name in ("ann", "bob")] == [(200, "15.00"), (200, "5.00")]
    assert (await redeemed("eve"))[0] == 409
