"""Orders that come over the stream in odd ways: without lines, before the identify, twice, beside the API."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from adapter.model.actions import StoreCredit
from tests.checkout.orders import budget, issued, order
from tests.checkout.shop import Shop

ROOT = Path(__file__).parents[2]
ANN = {"source_id": "ann"}
RULES = """
rules:
  - name: summer
    conditions: [cart_value >= 50]
    action: {type: percentage_off, value: 10, max_amount: 20, currency: EUR, code: SUMMER}
    guardrails:
      stackable: true
      per_user_limit: 9
      max_total_redemptions: 99
      budget: {currency: EUR, total: 1000}
  - name: alone
    exclusive: true
    action: {type: percentage_off, value: 10, code: ALONE}
  - name: gift
    trigger: checkout_started
    action: {type: amount_off, value: 10, currency: EUR, code_prefix: GIFT-}
"""
CART = {"value": 145.75, "currency": "USD", "shipping_country": "US"}
NEVER = "rules: [{name: never, trigger: never_sent, action: {type: free_shipping}}]"
LINES = [{"product_id": "p1", "price": 30.0, "quantity": 2}, {"product_id": "p2", "price": 40.0}]


@pytest.fixture
async def stream(store_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with Shop(store_url, tmp_path / "rules", RULES).open() as shop:
        yield shop


@pytest.fixture
async def starters(store_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop with the rules that come with the program."""
    shutil.copytree(ROOT / "rules", tmp_path / "rules", ignore=shutil.ignore_patterns("*.test.yaml"))
    async with Shop(store_url, tmp_path / "rules", NEVER).open() as shop:
        yield shop


async def send(shop: Shop, message: str, event: str = "", user: str = "ann", **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "track" if event else "identify", "messageId": message, "timestamp": shop.now.isoformat(),
        **({"userId": user} if user else {}), **more,
    }  # fmt: skip
    if event:
        body["event"] = event
    response = await shop.http.post("/webhooks/segment", json=body)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["results"][0]
    return found


async def completed(
    shop: Shop, message: str, coupon: Any, order_id: str = "o1", **more: Any
) -> dict[str, Any]:
    properties = {"order_id": order_id, "currency": "EUR", "coupon": coupon, "total": 100, **more}
    return await send(shop, message, "Order Completed", properties=properties)


async def booked(shop: Shop, order_id: str = "o1") -> list[tuple[str, str, Any]]:
    rows = (await shop.http.get(f"/v1/redemptions?order_id={order_id}")).json()["redemptions"]
    return sorted((use["code"], one["state"], use["amount"]) for one in rows for use in one["redeemed"])


async def status(shop: Shop, code: str) -> str:
    return str((await shop.http.get(f"/v1/discounts/{code}")).json()["status"])


async def test_a_cancelled_order_gives_its_code_back(starters: Shop) -> None:
    [gift] = (await send(starters, "1", "Checkout Started", "u1", properties=CART))["discounts"]
    code = gift["code"]
    done = {"order_id": "o1", "total": 124, "coupon": code}
    await send(starters, "2", "Order Completed", "u1", properties=done)
    assert await status(starters, code) == "redeemed"
    await send(starters, "3", "Order Cancelled", "u1", properties=done)
    assert await status(starters, code) == "issued"


async def test_a_refunded_order_loses_what_it_earned(starters: Shop) -> None:
    paid = {"order_id": "o1", "total": 150, "currency": "USD"}
    earned = (await send(starters, "1", "Order Completed", "u1", properties=paid))["discounts"]
    assert earned
    await send(starters, "2", "Order Refunded", "u1", properties=paid)
    assert {await status(starters, one["code"]) for one in earned} == {"revoked"}


async def test_an_order_before_its_identify_is_redeemed_with_it_and_its_code_is_spent(starters: Shop) -> None:
    [gift] = (await send(starters, "1", "Checkout Started", "", anonymousId="a-1f", properties=CART))[
        "discounts"
    ]
    code = gift["code"]
    paid = {"order_id": "o1", "total": 124, "coupon": code}
    await send(starters, "2", "Order Completed", "u1", properties=paid)
    await send(starters, "3", user="u1", anonymousId="a-1f")
    assert await status(starters, code) == "redeemed"
    assert (await starters.http.get("/v1/quarantine")).json()["quarantined"] == []
    again = await send(starters, "5", "Order Completed", "u1", properties=paid | {"order_id": "o2"})
    assert code not in [one["code"] for one in again.get("discounts", [])]
    assert await booked(starters) == [(code, "redeemed", None)]
    assert await booked(starters, "o2") == []


async def test_a_shared_code_of_an_order_without_lines_is_redeemed_without_amount(stream: Shop) -> None:
    result = await completed(stream, "m1", ["summer"])
    assert result.get("error") is None
    assert await booked(stream) == [("SUMMER", "redeemed", None)]
    [money] = [key for key in await counters(stream) if "budget" in key]
    assert (await counters(stream))[money] == 2_000  # the most that it can cost
    await completed(stream, "m1", ["summer"])
    await completed(stream, "m2", ["summer"])
    asked: dict[str, Any] = {"codes": ["SUMMER"], "customer": ANN, "order": order(), "order_id": "o1"}
    assert (await stream.post("/v1/redemptions", **asked)).status_code == 200
    assert await booked(stream) == [("SUMMER", "redeemed", None)]
    await send(stream, "m3", "Order Cancelled", properties={"order_id": "o1"})
    assert await booked(stream) == [("SUMMER", "rolled_back", None)]
    assert set((await counters(stream)).values()) <= {0}


async def test_a_shared_code_without_lines_must_meet_its_conditions_and_stack(stream: Shop) -> None:
    low = await completed(stream, "m1", "SUMMER", total=49)
    assert "cart_value is 49" in low["reason"]
    await stream.issue(issued("A1"))
    result = await completed(stream, "m2", ["A1", "ALONE"], "o2")
    assert len(await booked(stream, "o2")) == 1, result


async def counters(shop: Shop) -> dict[str, int]:
    claims = [
        use for row in await shop.app.store.redemptions("all") for each in row.uses for use in each.claims
    ]
    used = await shop.used(*sorted({(claim.scope, claim.key) for claim in claims}))
    return {str(claim.key): used.get((claim.scope, claim.key), 0) for claim in claims}


async def test_moves_of_a_message_do_not_pass_codes_that_do_not_stack(stream: Shop) -> None:
    for code in ("A1", "B2"):
        made = issued(code)
        await stream.issue(replace(made, discount=replace(made.discount, stackable=False)))
    for at, more in enumerate(({}, {"products": LINES})):
        result = await completed(stream, f"m{at}", ["A1", "B2"], f"o{at}", **more)
        [(code, _, _)] = await booked(stream, f"o{at}")
        assert "cannot be combined" in result["reason"]
        await stream.post(f"/v1/discounts/{'B2' if code == 'A1' else 'A1'}/redeem", order_id="other")
        await send(stream, f"c{at}", "Order Cancelled", properties={"order_id": f"o{at}"})
        await send(stream, f"d{at}", "Order Cancelled", properties={"order_id": "other"})


async def test_a_product_on_two_lines_has_two_amounts_and_comes_back_in_parts(stream: Shop) -> None:
    await stream.issue(issued("A1"))
    await completed(stream, "m1", "A1", products=[LINES[0], LINES[0] | {"quantity": 1}])
    [row] = (await stream.http.get("/v1/redemptions?order_id=o1")).json()["redemptions"]
    assert row["codes"][0]["lines"] == {"p1": "6.67", "p1#2": "3.33"}
    back = {"order_id": "o1", "products": [{"product_id": "p1", "quantity": 3}]}
    await send(stream, "m2", "Order Refunded", properties=back)
    assert await booked(stream) == [("A1", "rolled_back", "10.00")]
    assert await status(stream, "A1") == "issued"


async def test_products_that_were_not_redeemed_give_nothing_back(stream: Shop) -> None:
    await stream.issue(issued("A1"))
    await completed(stream, "m1", "A1", products=LINES)
    back = {"order_id": "o1", "products": [{"product_id": "other", "quantity": 1}]}
    await send(stream, "m2", "Order Refunded", properties=back)
    assert await booked(stream) == [("A1", "redeemed", "10.00")]


@pytest.mark.parametrize("seed", range(4))
async def test_one_order_is_booked_once_in_whatever_order_its_calls_and_messages_come(
    stream: Shop, seed: int
) -> None:
    """Whoever comes first books: the API, the stream with or without lines, or a move."""
    random = Random(seed)
    claim = budget(100_000, 4_000)
    money = {(claim.scope, claim.key): 4_000}
    credit = StoreCredit(value=Decimal(500), currency="EUR")
    await stream.issue(issued("A1", claims=(claim,)), issued("CREDIT", action=credit), counters=money)
    codes = random.choice([["A1"], ["SUMMER"], ["CREDIT"], ["A1", "SUMMER"], ["A1", "SUMMER", "CREDIT"]])
    message = itertools.count()

    async def api() -> None:
        asked: dict[str, Any] = {"codes": codes, "customer": ANN, "order": order(), "order_id": "o1"}
        response = await stream.post("/v1/redemptions", f"k{next(message)}", **asked)
        assert response.status_code in (200, 409), response.text

    async def with_lines() -> None:
        await completed(stream, f"m{next(message)}", codes, products=LINES)

    async def without_lines() -> None:
        await completed(stream, f"m{next(message)}", codes)

    async def move() -> None:
        if "A1" in codes:
            await stream.post("/v1/discounts/A1/redeem", order_id="o1", **ANN)

    async def apply() -> None:
        if "A1" in codes:
            await stream.post("/v1/discounts/A1/apply", order_id="o1", **ANN)

    steps = [api, with_lines, without_lines, move, apply, api, with_lines]
    random.shuffle(steps)
    for step in steps:
        await step()
    assert [(code, state) for code, state, _ in await booked(stream)] == [
        (code, "redeemed") for code in sorted(codes)
    ]
    once = {each: 1 for each in await counters(stream) if "budget" not in each}
    assert {each: used for each, used in (await counters(stream)).items() if each in once} == once
    assert (await stream.http.get("/v1/holds")).json()["holds"] == [] or "A1" in codes
    await send(stream, "last", "Order Cancelled", properties={"order_id": "o1"})
    assert {state for _, state, _ in await booked(stream)} == {"rolled_back"}
    assert await stream.used(*money) == money
    assert (await stream.http.get("/v1/discounts/CREDIT")).json()["action"].get("left", 500) == 500
    assert await status(stream, "A1") == "issued"
