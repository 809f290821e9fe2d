"""What a redemption takes, and what a rollback gives back: statuses, counters, balances and budgets."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapter.model.actions import AmountOff, StoreCredit, UnitOff
from adapter.model.discounts import CheckoutTerms
from tests.checkout.orders import budget, issued, order, percent, shared
from tests.checkout.shop import NOON, Shop


async def redeem(shop: Shop, *codes: str, key: str | None = None, **more: Any) -> Any:
    return await shop.post("/v1/redemptions", key, **({"codes": codes, "order": order()} | more))


async def test_the_real_amount_replaces_what_a_budget_had_reserved_and_comes_back(shop: Shop) -> None:
    claim = budget(10_000, 4_000)
    counter = claim.scope, claim.key
    await shop.issue(issued(action=percent(15), claims=(claim,)), counters={counter: 9_000})
    found = (await redeem(shop, "A1")).json()
    assert await shop.used(counter) == {counter: 9_000 - 4_000 + 1_500}
    await shop.post(f"/v1/redemptions/{found['id']}/rollbacks", amount="5.00")
    assert await shop.used(counter) == {counter: 6_000}
    await shop.post(f"/v1/redemptions/{found['id']}/rollbacks")
    assert await shop.used(counter) == {counter: 9_000}
    assert (await shop.http.get("/v1/discounts/A1")).json()["status"] == "issued"


async def test_an_amount_above_the_reservation_is_reserved_too_or_refused(shop: Shop) -> None:
    claim = budget(1_000, 500)
    counter = claim.scope, claim.key
    await shop.issue(
        issued("A1", action=percent(9), claims=(claim,)), issued("B2", action=percent(9), claims=(claim,)),
        counters={counter: 1_000},
    )  # fmt: skip
    assert (await redeem(shop, "A1")).json()["error"]["reason"] == "budget_exhausted"
    partial = CheckoutTerms(partial_budget=True)
    await shop.issue(issued("A1", action=percent(9), claims=(claim,), terms=partial))
    assert (await redeem(shop, "A1")).json()["totals"]["discount"] == "5.00"
    assert await shop.used(counter) == {counter: 1_000}


async def test_an_expired_code_stays_expired_when_it_is_rolled_back_and_frees_its_budget(shop: Shop) -> None:
    claim = budget(10_000, 4_000)
    counter = claim.scope, claim.key
    end = NOON + timedelta(hours=1)
    await shop.issue(issued(action=percent(15), claims=(claim,), expires_at=end), counters={counter: 4_000})
    found = (await redeem(shop, "A1")).json()
    shop.now = end
    await shop.post(f"/v1/redemptions/{found['id']}/rollbacks")
    assert (await shop.http.get("/v1/discounts/A1")).json()["status"] == "expired"
    assert await shop.used(counter) == {}


async def test_on_refund_keep_gives_amounts_back_and_not_the_use(shop: Shop) -> None:
    await shop.issue(issued(terms=CheckoutTerms(on_refund="keep")))
    found = (await redeem(shop, "A1")).json()
    back = (await shop.post(f"/v1/redemptions/{found['id']}/rollbacks")).json()
    assert (back["returned"], back["whole"]) == ({"A1": "10.00"}, True)
    assert (await redeem(shop, "A1")).json()["error"]["reason"] == "usage_limit_reached"


async def test_store_credit_is_spent_in_two_orders_and_then_nothing_is_left(shop: Shop) -> None:
    credit = StoreCredit(value=Decimal(25), currency="EUR")
    await shop.issue(issued("CREDIT", action=credit))
    first = (await redeem(shop, "CREDIT", order=order("15.00"))).json()
    assert first["totals"]["due"] == "0.00"
    assert (await shop.http.get("/v1/discounts/CREDIT")).json()["action"]["left"] == 10
    assert (await redeem(shop, "CREDIT")).json()["totals"]["credit"] == "10.00"
    assert (await redeem(shop, "CREDIT")).json()["error"]["reason"] == "no_effect"


async def test_units_are_spent_on_lines_of_their_type_and_come_back(shop: Shop) -> None:
    await shop.issue(issued("RIDE", action=UnitOff(value=Decimal(30), unit_type="minutes")))
    line = {"id": "1", "quantity": 20, "unit_price": "0.25", "unit_type": "minutes"}
    found = (await redeem(shop, "RIDE", order=order(lines=[line]), order_id="trip-1")).json()
    assert found["totals"]["discount"] == "5.00"
    action = (await shop.http.get("/v1/discounts/RIDE")).json()["action"]
    assert (action["left"], action["uses"][0]["order_id"]) == (10, "trip-1")
    await shop.post(f"/v1/redemptions/{found['id']}/rollbacks", lines=[{"id": "1", "quantity": 8}])
    action = (await shop.http.get("/v1/discounts/RIDE")).json()["action"]
    assert (action["left"], action["uses"][0]["units"]) == (18, 12)
    await shop.post(f"/v1/redemptions/{found['id']}/rollbacks", amount="3.00")
    action = (await shop.http.get("/v1/discounts/RIDE")).json()["action"]
    assert (action["left"], action.get("uses", [])) == (30, [])


async def test_a_code_is_booked_on_an_order_once(shop: Shop) -> None:
    shop.codes.put("MANY", shared("MANY", 9))
    first = await redeem(shop, "MANY", order_id="o1")
    second = await redeem(shop, "many", order_id="o1")
    assert second.status_code == 200
    assert first.json()["id"] == second.json()["id"]
    await shop.issue(issued("B2"))
    both = await redeem(shop, "MANY", "B2", order_id="o1")
    assert both.json()["error"] | {"message": ""} == {
        "code": "not_redeemable", "message": "", "reason": "already_redeemed", "discount_code": "MANY",
    }  # fmt: skip
    assert (await redeem(shop, "MANY", order_id="o2")).json()["id"] != first.json()["id"]


async def test_nothing_is_taken_when_a_later_code_fails(shop: Shop) -> None:
    shop.codes.put("GOOD", shared("GOOD", 9))
    await shop.issue(issued("Z9", expires_at=NOON))
    refused = await redeem(shop, "GOOD", "Z9")
    assert (refused.status_code, refused.json()["error"]["reason"]) == (409, "expired")
    assert (await shop.http.get("/v1/redemptions")).json()["redemptions"] == []
    assert (await redeem(shop, "GOOD")).status_code == 200


async def test_the_same_key_gives_the_same_answer_and_another_request_is_refused(shop: Shop) -> None:
    await shop.issue(issued("A1"), issued("B2"))
    first = await redeem(shop, "A1", key="k1")
    assert (await redeem(shop, "A1", key="k1")).content == first.content
    assert (await redeem(shop, "B2", key="k1")).json()["error"]["code"] == "idempotency_key_reused"
    refused = await redeem(shop, "A1", key="k2")
    assert refused.status_code == 409
    await shop.post(f"/v1/redemptions/{first.json()['id']}/rollbacks", "k3")
    assert (await redeem(shop, "A1", key="k2")).content == refused.content


async def test_a_held_discount_is_for_one_checkout_until_its_time_is_over(shop: Shop) -> None:
    await shop.issue(issued("A1"))
    asked: dict[str, Any] = {"codes": ["A1"], "order": order(), "reserve": {"ttl": 60}}
    hold = (await shop.post("/v1/validations", **asked)).json()
    assert (hold["state"], hold["totals"]["discount"]) == ("held", "10.00")
    assert (await redeem(shop, "A1")).json()["error"]["reason"] == "usage_limit_reached"
    done = await shop.post("/v1/redemptions", hold=hold["id"], order=order("5.00"), order_id="o1")
    assert done.json()["totals"]["discount"] == "5.00"
    await shop.issue(issued("B2"))
    hold = (await shop.post("/v1/validations", **(asked | {"codes": ["B2"]}))).json()
    shop.now += timedelta(seconds=60)
    late = await shop.post("/v1/redemptions", hold=hold["id"])
    assert late.json()["error"]["code"] == "hold_expired"
    assert (await redeem(shop, "B2")).status_code == 200


async def test_a_shared_code_has_its_use_back_when_its_hold_is_released(shop: Shop) -> None:
    shop.codes.put("ONE", shared("ONE", 1))
    hold = (await shop.post("/v1/validations", codes=["ONE"], order=order(), reserve={"ttl": 60})).json()
    assert (await redeem(shop, "ONE")).status_code == 409
    assert (await shop.http.delete(f"/v1/holds/{hold['id']}")).json()["state"] == "released"
    assert (await shop.http.delete(f"/v1/holds/{hold['id']}")).json()["state"] == "released"
    assert (await redeem(shop, "ONE")).status_code == 200


async def test_wrong_codes_are_limited_per_customer(shop: Shop) -> None:
    ann = {"source_id": "ann"}
    tries = [await shop.post("/v1/validations", codes=[f"GUESS{n}"], customer=ann, order=order())
             for n in range(21)]  # fmt: skip
    assert [response.status_code for response in tries] == [200] * 20 + [429]
    assert int(tries[-1].headers["retry-after"]) > 0
    other = await shop.post("/v1/validations", codes=["GUESS"], customer={"source_id": "bob"}, order=order())
    assert other.status_code == 200
    shop.now += timedelta(minutes=10)
    assert (await shop.post("/v1/validations", codes=["X"], customer=ann, order=order())).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"codes": ["A"] * 31, "order": order()}, 422, "too_many_codes"),
        ({"codes": ["A"], "order": order(lines=[{"unit_price": 1}] * 501)}, 422, "invalid_order"),
        ({"codes": ["A"], "order": {"lines": []}}, 400, "invalid_order"),
        ({"codes": ["A"], "order": order(total="99.99"), "strict": True}, 422, "total_mismatch"),
        ({"codes": "A", "order": order()}, 400, "unreadable"),
        ({"codes": ["A"], "customer": {"source_id": 7}, "order": order()}, 400, "unreadable"),
    ],
)
async def test_requests_that_cannot_be_served_are_refused(
    shop: Shop, body: dict[str, Any], status: int, code: str
) -> None:
    for path in ("/v1/validations", "/v1/redemptions"):
        response = await shop.post(path, **body)
        assert (response.status_code, response.json()["error"]["code"]) == (status, code)


async def test_an_order_that_does_not_add_up_is_warned_of(shop: Shop) -> None:
    shop.codes.put("MANY", shared("MANY", 9))
    response = await shop.post("/v1/validations", codes=["MANY"], order=order(total="99.99"))
    assert [one["code"] for one in response.json()["warnings"]] == ["total_mismatch"]


async def test_an_amount_without_a_currency_is_refused(shop: Shop) -> None:
    await shop.issue(issued("A1", action=AmountOff(value=Decimal(10))))
    assert (await redeem(shop, "A1")).json()["error"]["reason"] == "currency_unknown"


async def test_bookings_and_holds_are_listed_apart(shop: Shop) -> None:
    shop.codes.put("MANY", shared("MANY", 9))
    ann = {"source_id": "ann"}
    done = (await redeem(shop, "MANY", customer=ann)).json()
    held = await shop.post("/v1/validations", codes=["MANY"], order=order(), reserve={}, customer=ann)
    listed = (await shop.http.get("/v1/redemptions?source_id=ann")).json()["redemptions"]
    assert [one["id"] for one in listed] == [done["id"]]
    listed = (await shop.http.get("/v1/holds?code=many")).json()["holds"]
    assert [one["id"] for one in listed] == [held.json()["id"]]
    await shop.post(f"/v1/redemptions/{done['id']}/rollbacks", reason="too small")
    backs = (await shop.http.get(f"/v1/redemptions/{done['id']}/rollbacks")).json()["rollbacks"]
    assert [(one["reason"], one["whole"]) for one in backs] == [("too small", True)]
    assert (await shop.http.get("/v1/redemptions/none")).status_code == 404
