"""Whose a hold, a code and an answer are: visitors who sign in, guests, and customers who are erased."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.checkout.orders import issued, order, shared, uses
from tests.checkout.shop import Shop

RULES = """
rules:
  - name: once
    action: {type: percentage_off, value: 10, code: ONCE}
    guardrails: {per_user_limit: 1, max_total_redemptions: 5}
  - name: gift
    trigger: page_viewed
    action: {type: amount_off, value: 10, currency: EUR, code_prefix: GIFT-}
"""
VISITOR, ANN, BOB = {"source_id": "v-7f3a"}, {"source_id": "ann"}, {"source_id": "bob"}


@pytest.fixture
async def promoted(store_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with Shop(store_url, tmp_path / "rules", RULES).open() as shop:
        yield shop


async def call(shop: Shop, message: str, **more: Any) -> Any:
    body = {"type": "identify", "messageId": message, "timestamp": shop.now.isoformat(), **more}
    response = await shop.http.post("/webhooks/segment", json=body)
    assert response.status_code == 200, response.text
    return response.json()["results"][0]


async def hold(shop: Shop, code: str, **more: Any) -> Any:
    asked: dict[str, Any] = {"codes": [code], "order": order(), "reserve": {"ttl": 600}}
    return await shop.post("/v1/validations", **(asked | more))


async def redeem(shop: Shop, code: str, key: str | None = None, **more: Any) -> Any:
    return await shop.post("/v1/redemptions", key, **({"codes": [code], "order": order()} | more))


def reason(response: Any) -> tuple[int, str]:
    return response.status_code, response.json().get("error", {}).get("reason", "")


@pytest.mark.parametrize(("known", "priced"), [(True, True), (False, False), (False, True)])
async def test_a_hold_of_a_visitor_is_redeemed_by_the_customer_they_turn_out_to_be(
    promoted: Shop, known: bool, priced: bool
) -> None:
    """A visitor without a record is not merged: only an identity leads to them."""
    if known:
        await call(promoted, "m1", anonymousId="v-7f3a")
    held = (await hold(promoted, "ONCE", customer=VISITOR)).json()
    await call(promoted, "m2", anonymousId="v-7f3a", userId="ann")
    more = {"order": order()} if priced else {}
    assert reason(await promoted.post("/v1/redemptions", hold=held["id"], customer=BOB)) == (
        409,
        "wrong_customer",
    )
    done = await promoted.post("/v1/redemptions", hold=held["id"], customer=ANN, **more)
    assert (done.status_code, done.json().get("source_id")) == (200, "ann")
    again = "usage_limit_reached_for_this_customer"
    assert [reason(await redeem(promoted, "ONCE", customer=one)) for one in (ANN, VISITOR)] == [
        (409, again)
    ] * 2
    listed = (await promoted.http.get("/v1/redemptions?code=once")).json()["redemptions"]
    assert [one["id"] for one in listed] == [held["id"]]
    await promoted.post(f"/v1/redemptions/{held['id']}/rollbacks")
    assert (await redeem(promoted, "ONCE", customer=ANN)).status_code == 200


async def test_a_visitors_hold_is_refused_where_the_customer_has_had_all_uses(promoted: Shop) -> None:
    held = (await hold(promoted, "ONCE", customer=VISITOR)).json()
    assert (await redeem(promoted, "ONCE", customer=ANN)).status_code == 200
    await call(promoted, "m1", anonymousId="v-7f3a", userId="ann")
    refused = await promoted.post("/v1/redemptions", hold=held["id"], customer=ANN)
    assert reason(refused) == (409, "usage_limit_reached_for_this_customer")


async def test_codes_of_a_visitor_are_validated_under_either_id_after_they_sign_in(promoted: Shop) -> None:
    body = {
        "type": "page", "name": "Home", "messageId": "m1", "anonymousId": "v-7f3a",
        "timestamp": promoted.now.isoformat(),
    }  # fmt: skip
    result = (await promoted.http.post("/webhooks/segment", json=body)).json()["results"][0]
    [code] = [each["code"] for each in result["discounts"]]
    await call(promoted, "m2", anonymousId="v-7f3a", userId="ann")
    for customer in (VISITOR, ANN):
        found = await promoted.post("/v1/validations", codes=[code], customer=customer, order=order())
        assert found.json()["valid"], found.text


async def test_an_answer_is_repeated_for_the_same_customer_under_another_id(promoted: Shop) -> None:
    await call(promoted, "m1", anonymousId="v-7f3a")
    first = await redeem(promoted, "ONCE", "k1", customer=VISITOR)
    await call(promoted, "m2", anonymousId="v-7f3a", userId="ann")
    assert (await redeem(promoted, "ONCE", "k1", customer=ANN)).content == first.content
    for other in (BOB, {}):
        answer = await redeem(promoted, "ONCE", "k1", customer=other)
        assert answer.json()["error"]["code"] == "idempotency_key_reused"


async def test_a_hold_without_a_customer_is_redeemed_by_its_id_alone(shop: Shop) -> None:
    shop.codes.put("MANY", shared("MANY", 9))
    held = (await hold(shop, "MANY", order_id="o1")).json()
    for customer in ({}, BOB):
        taken = await redeem(shop, "MANY", order_id="o1", customer=customer)
        assert reason(taken) == (409, "code_held")
    done = await shop.post("/v1/redemptions", hold=held["id"], customer=BOB)
    assert (done.status_code, done.json()["source_id"]) == (200, "bob")
    listed = (await shop.http.get("/v1/redemptions?source_id=bob")).json()["redemptions"]
    assert [one["id"] for one in listed] == [held["id"]]


async def test_a_hold_is_found_by_its_order_for_its_own_customer_alone(shop: Shop) -> None:
    shop.codes.put("MANY", shared("MANY", 9))
    held = (await hold(shop, "MANY", order_id="o1", customer=ANN)).json()
    assert reason(await redeem(shop, "MANY", order_id="o1", customer=BOB)) == (409, "code_held")
    done = await redeem(shop, "MANY", order_id="o1", customer=ANN)
    assert (done.status_code, done.json()["id"]) == (200, held["id"])


async def test_a_code_without_a_customer_is_used_for_its_own(shop: Shop) -> None:
    await shop.issue(issued("A1", "ann"), issued("B2", "bob"))
    mixed = await redeem(shop, "A1", codes=["A1", "B2"])
    assert reason(mixed) == (409, "wrong_customer")
    found = (await shop.post("/v1/validations", codes=["A1", "B2"], order=order())).json()
    assert {one["code"]: one.get("reason") for one in found["codes"]} == {"A1": None, "B2": "wrong_customer"}
    held = (await hold(shop, "A1")).json()
    assert held["source_id"] == "ann"
    assert (await redeem(shop, "B2")).json()["source_id"] == "bob"


async def test_a_hold_stores_nothing_that_was_sent_of_the_customer_and_the_order(promoted: Shop) -> None:
    sent: dict[str, Any] = {
        "customer": ANN | {"email": "ann@x.test", "tier": "gold"},
        "context": {"page": "secret-page"},
        "order": order(note="secret-note"),
    }
    held = (await hold(promoted, "ONCE", **sent)).json()
    kept = await promoted.app.store.redemption(held["id"])
    assert kept is not None
    assert (kept.customer, kept.order, kept.context) == (None, None, None)
    assert "secret" not in repr(kept)
    assert (await promoted.http.get("/v1/customers/ann")).status_code == 404
    await promoted.post("/v1/redemptions", hold=held["id"], **sent)
    kept = await promoted.app.store.redemption(held["id"])
    assert kept is not None
    assert (kept.customer["tier"], kept.order["note"], kept.context) == (
        "gold",
        "secret-note",
        sent["context"],
    )
    assert (await promoted.http.get("/v1/customers/ann")).json()["email"] == "ann@x.test"


async def test_a_guest_is_not_stored_with_a_redemption(shop: Shop) -> None:
    shop.codes.put("MANY", shared("MANY", 9))
    done = await redeem(shop, "MANY", customer={"email": "guest@x.test"})
    kept = await shop.app.store.redemption(done.json()["id"])
    assert kept is not None
    assert (kept.source_id, kept.customer) == ("", None)


async def test_an_erasure_gives_back_what_a_hold_of_a_shared_code_counts_for_the_shop(shop: Shop) -> None:
    claim = uses("ONE", 1)
    shop.codes.put("ONE", shared("ONE", 1))
    await call(shop, "m1", userId="ann")
    held = (await hold(shop, "ONE", customer=ANN)).json()
    assert reason(await redeem(shop, "ONE", customer=BOB)) == (409, "usage_limit_reached")
    assert (await shop.http.delete("/v1/customers/ann")).status_code in (200, 202, 204)
    assert await shop.used((claim.scope, claim.key)) in ({}, {(claim.scope, claim.key): 0})
    assert (await shop.http.get(f"/v1/holds/{held['id']}")).status_code == 404
    assert (await redeem(shop, "ONE", customer=BOB)).status_code == 200
    assert (await shop.http.delete("/v1/customers/bob")).status_code in (200, 202, 204)
    assert reason(await redeem(shop, "ONE", customer=ANN)) == (409, "usage_limit_reached")


async def test_an_answer_that_was_erased_is_said_to_be(shop: Shop) -> None:
    shop.codes.put("MANY", shared("MANY", 9))
    await redeem(shop, "MANY", "k1", customer=ANN)
    await shop.http.delete("/v1/customers/ann")
    again = await redeem(shop, "MANY", "k1", customer=ANN)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "answer_erased")
    assert (await shop.http.get("/v1/redemptions?code=many")).json()["redemptions"] == []
