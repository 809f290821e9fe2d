"""A discount that takes the place of earlier, unused ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.checkout.decisions import happens, holds, outcomes
from tests.checkout.orders import order
from tests.checkout.shop import Shop

RULES = """
rules:
  - name: visit-1
    trigger: first
    action: {type: amount_off, value: 10, currency: EUR}
    guardrails: {budget: {currency: EUR, total: 20}}
  - name: visit-3
    trigger: third
    action: {type: amount_off, value: 15, currency: EUR}
    replaces: [visit-1, visit-3]
    guardrails: {per_user_limit: 1, budget: {currency: EUR, total: 20}}
"""
BUDGETS = [("", f"visit-{at}|budget|EUR|total") for at in (1, 3)]


@pytest.fixture
async def shop(store_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with Shop(store_url, tmp_path / "rules", rules=RULES).open() as shop:
        yield shop


async def test_the_later_discount_replaces_the_earlier_and_frees_what_it_reserved(shop: Shop) -> None:
    await happens(shop, "ann", "first")
    [old] = (await shop.http.get("/v1/customers/ann/discounts")).json()["discounts"]
    result = await happens(shop, "ann", "third")
    assert [each["metadata"]["rule"] for each in result["discounts"]] == ["visit-3"]
    [told] = result["decisions"][0]["outcomes"]
    assert told["reason"] == f"every condition holds; it replaces {old['code']}"
    assert await holds(shop, "ann") == {"visit-1": "revoked", "visit-3": "issued"}
    assert await shop.used(*BUDGETS) == {BUDGETS[1]: 1_500}  # type: ignore[arg-type]
    refused = await shop.post(f"/v1/discounts/{old['code']}/redeem", order_id="o1")
    assert f"replaced by {result['discounts'][0]['code']} of visit-3" in refused.json()["error"]["message"]


async def test_a_discount_of_the_same_rule_makes_room_for_its_successor(shop: Shop) -> None:
    first = (await happens(shop, "ann", "third"))["discounts"][0]["code"]
    second = (await happens(shop, "ann", "third"))["discounts"][0]["code"]
    assert first != second
    assert (await shop.http.get(f"/v1/discounts/{first}")).json()["status"] == "revoked"
    assert await shop.used(*BUDGETS) == {BUDGETS[1]: 1_500}  # type: ignore[arg-type]
    await shop.post(f"/v1/discounts/{second}/redeem", order_id="o1")
    assert outcomes(await happens(shop, "ann", "third")) == {"visit-3": ("withheld", "per_user_limit")}


async def test_a_discount_that_a_checkout_holds_stays_and_one_in_a_cart_is_replaced(shop: Shop) -> None:
    code = (await happens(shop, "ann", "first"))["discounts"][0]["code"]
    held = await shop.post("/v1/validations", codes=[code], order=order(), reserve={"ttl": 60})
    assert held.status_code == 200
    assert outcomes(await happens(shop, "ann", "third")) == {"visit-3": ("withheld", "stackable")}
    await shop.http.delete(f"/v1/holds/{held.json()['id']}")
    await shop.post(f"/v1/discounts/{code}/apply", order_id="o1")
    assert outcomes(await happens(shop, "ann", "third")) == {"visit-3": ("issued", None)}
    assert await holds(shop, "ann") == {"visit-1": "revoked", "visit-3": "issued"}
    found = (await shop.http.get("/v1/holds?source_id=ann")).json()["holds"]
    assert {each["state"] for each in found} == {"released"}


async def test_of_events_at_once_the_last_discount_alone_is_left(shop: Shop) -> None:
    await asyncio.gather(*(happens(shop, "ann", name) for name in ("first", "third", "third", "first")))
    found = (await shop.http.get("/v1/customers/ann/discounts")).json()["discounts"]
    live = [each["metadata"]["rule"] for each in found if each["status"] == "issued"]
    assert live == ["visit-3"]
    assert await shop.used(*BUDGETS) == {BUDGETS[1]: 1_500}  # type: ignore[arg-type]


CAMPAIGN = """
rules:
  - {name: early, trigger: first, campaign: spring, action: {type: free_shipping}}
  - {name: outside, trigger: other, action: {type: free_shipping}, guardrails: {stackable: true}}
  - name: late
    trigger: third
    campaign: spring
    variants:
      - {share: 50, action: {type: amount_off, value: 5, currency: EUR}}
      - {share: 50, action: {type: amount_off, value: 6, currency: EUR}}
    replaces: campaign
    guardrails: {stackable: true}
"""


async def test_a_rule_replaces_what_its_campaign_has_given(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "definitions.yaml").write_text("campaigns: {spring: {guardrails: {per_user_limit: 1}}}")
    async with Shop(f"sqlite:///{tmp_path / 'a.db'}", folder, rules=CAMPAIGN).open() as shop:
        await happens(shop, "ann", "first")
        assert outcomes(await happens(shop, "ann", "third")) == {"late": ("issued", None)}
        await happens(shop, "ann", "other")
        assert outcomes(await happens(shop, "ann", "third")) == {"late": ("issued", None)}
        found = (await shop.http.get("/v1/customers/ann/discounts")).json()["discounts"]
        states = sorted((each["metadata"]["rule"], each["status"]) for each in found)
        assert states == [
            ("early", "revoked"),
            ("late", "issued"),
            ("late", "revoked"),
            ("outside", "issued"),
        ]
