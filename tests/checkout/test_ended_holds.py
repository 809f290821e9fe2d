"""Holds that end otherwise than by their own redemption: released, revoked, or redeemed by another call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapter.model.actions import StoreCredit
from adapter.model.discounts import CheckoutTerms
from tests.checkout.orders import budget, issued, order
from tests.checkout.shop import Shop

RULES = """
rules:
  - name: kept
    on_refund: keep
    action: {type: percentage_off, value: 10, code: KEEP10}
    guardrails: {per_user_limit: 1}
  - name: once
    action: {type: percentage_off, value: 10, code: ONCE}
    guardrails: {per_user_limit: 1}
"""
ANN = {"source_id": "ann"}
BUDGET = ("", budget(1, 1).key)


@pytest.fixture
async def promoted(store_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with Shop(store_url, tmp_path / "rules", RULES).open() as shop:
        yield shop


async def held(shop: Shop, code: str) -> str:
    asked: dict[str, Any] = {"codes": [code], "customer": ANN, "order": order(), "reserve": {"ttl": 60}}
    return str((await shop.post("/v1/validations", **asked)).json()["id"])


async def redeem(shop: Shop, code: str, customer: str = "ann") -> int:
    asked = {"codes": [code], "customer": {"source_id": customer}, "order": order()}
    return (await shop.post("/v1/redemptions", **asked)).status_code


async def test_a_shared_code_that_refunds_keep_comes_back_from_a_hold(promoted: Shop) -> None:
    hold = await held(promoted, "KEEP10")
    await promoted.http.delete(f"/v1/holds/{hold}")
    assert await redeem(promoted, "KEEP10") == 200


async def test_a_discount_that_refunds_keep_comes_back_from_a_hold(shop: Shop) -> None:
    await shop.issue(issued(terms=CheckoutTerms(on_refund="keep")))
    await held(shop, "A1")
    shop.now += timedelta(seconds=60)
    assert await redeem(shop, "A1") == 200


async def test_a_hold_is_redeemed_by_its_own_customer_alone(promoted: Shop) -> None:
    hold = await held(promoted, "ONCE")
    taken = await promoted.post("/v1/redemptions", hold=hold, customer={"source_id": "bob"})
    again = await promoted.post("/v1/redemptions", hold=hold, customer={"source_id": "bob"}, order=order())
    assert [each.json()["error"]["reason"] for each in (taken, again)] == ["wrong_customer"] * 2
    assert (await promoted.post("/v1/redemptions", hold=hold, customer=ANN)).status_code == 200
    assert [await redeem(promoted, "ONCE", "bob") for _ in range(2)] == [200, 409]


@pytest.mark.parametrize(("verb", "reason"), [("revoke", "revoked"), ("redeem", "usage_limit_reached")])
async def test_a_hold_does_not_revive_a_discount_that_ended_meanwhile(
    shop: Shop, verb: str, reason: str
) -> None:
    await shop.issue(issued(claims=(budget(10_000, 1_000),)), counters={BUDGET: 1_000})
    hold = await held(shop, "A1")
    assert (await shop.post(f"/v1/discounts/A1/{verb}", **ANN)).status_code == 200
    after = await shop.used(BUDGET)
    refused = await shop.post("/v1/redemptions", hold=hold)
    assert (refused.status_code, refused.json()["error"]["reason"]) == (409, reason)
    await shop.http.delete(f"/v1/holds/{hold}")
    assert await shop.used(BUDGET) == after
    assert await redeem(shop, "A1") == 409


async def test_a_discount_that_was_released_apart_is_free_when_its_hold_is_over(shop: Shop) -> None:
    await shop.issue(issued())
    hold = await held(shop, "A1")
    assert (await shop.post("/v1/discounts/A1/release", **ANN)).status_code == 200
    await shop.http.delete(f"/v1/holds/{hold}")
    assert await redeem(shop, "A1") == 200


async def test_a_revoked_credit_frees_in_its_budget_what_is_rolled_back_later(shop: Shop) -> None:
    credit = StoreCredit(value=Decimal(50), currency="EUR")
    claim = budget(10_000, 5_000)
    await shop.issue(issued(action=credit, claims=(claim,)), counters={BUDGET: 5_000})
    spent = await shop.post("/v1/redemptions", codes=["A1"], customer=ANN, order=order("20.00"))
    await shop.post("/v1/discounts/A1/revoke", **ANN)
    assert await shop.used(BUDGET) == {BUDGET: 2_000}
    await shop.post(f"/v1/redemptions/{spent.json()['id']}/rollbacks")
    assert await shop.used(BUDGET) in ({}, {BUDGET: 0})


async def test_codes_that_a_hold_had_and_its_redemption_leaves_out_have_no_figures(shop: Shop) -> None:
    await shop.issue(issued("A1"), issued("B2"))
    asked: dict[str, Any] = {"codes": ["A1", "B2"], "customer": ANN, "order": order(), "reserve": {"ttl": 60}}
    hold = (await shop.post("/v1/validations", **asked)).json()["id"]
    await shop.post("/v1/redemptions", hold=hold, codes=["A1"], customer=ANN, order=order())
    found = (await shop.http.get("/v1/redemptions?code=B2")).json()
    assert found["redemptions"] == []
