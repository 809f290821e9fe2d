"""Several calls for one order: each code once, only codes that stack, and never more than its total."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from adapter.model.actions import StoreCredit
from adapter.model.discounts import DiscountRecord
from tests.checkout.orders import issued, order
from tests.checkout.shop import Shop


async def redeem(shop: Shop, *codes: str, **more: Any) -> Any:
    asked = {"codes": codes, "order": order("25.00"), "order_id": "o1", "customer": {"source_id": "ann"}}
    return await shop.post("/v1/redemptions", **(asked | more))


def single(code: str) -> DiscountRecord:
    made = issued(code)
    return replace(made, discount=replace(made.discount, stackable=False))


def reason(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"].get("reason")


async def test_codes_that_come_one_by_one_take_no_more_than_the_order_costs(shop: Shop) -> None:
    await shop.issue(issued("A1"), issued("B2"), issued("C3"))
    assert [(await redeem(shop, code)).status_code for code in ("A1", "B2")] == [200, 200]
    assert reason(await redeem(shop, "C3")) == (409, "not_combinable")


async def test_codes_that_come_one_by_one_must_stack(shop: Shop) -> None:
    await shop.issue(single("A1"), single("B2"), issued("C3"))
    first = (await redeem(shop, "A1")).json()
    assert reason(await redeem(shop, "B2")) == (409, "not_combinable")
    assert reason(await redeem(shop, "C3")) == (409, "not_combinable")
    await shop.post(f"/v1/redemptions/{first['id']}/rollbacks")
    assert (await redeem(shop, "B2")).status_code == 200


async def test_the_best_set_of_an_order_is_booked_once(shop: Shop) -> None:
    credit = StoreCredit(value=Decimal(50), currency="EUR")
    await shop.issue(issued("A1", action=credit), issued("B2"))
    first, again = [await redeem(shop, best=True) for _ in range(2)]
    assert first.json()["id"] == again.json()["id"]
    held = await shop.app.store.discount("A1")
    assert held is not None
    assert held.discount.status == "issued"


async def test_a_hold_of_a_code_that_is_booked_on_the_order_is_refused(shop: Shop) -> None:
    await shop.issue(issued("A1", action=StoreCredit(value=Decimal(50), currency="EUR")))
    hold = (await shop.post("/v1/validations", codes=["A1"], order=order("5.00"), reserve={"ttl": 60})).json()
    assert (await redeem(shop, "A1", order=order("6.00"))).status_code == 200
    confirmed = await shop.post("/v1/redemptions", hold=hold["id"], order_id="o1")
    assert reason(confirmed) == (409, "already_redeemed")


async def test_wrong_codes_of_holds_are_limited_too(shop: Shop) -> None:
    async def guess(at: int) -> int:
        codes = [f"NO{at}-{each}" for each in range(10)]
        asked = {"codes": codes, "customer": {"source_id": "ann"}, "order": order(), "reserve": {"ttl": 60}}
        return (await shop.post("/v1/validations", **asked)).status_code

    assert [await guess(at) for at in range(3)] == [409, 409, 429]


async def test_the_best_set_counts_a_code_once_in_whatever_spelling_it_is_given(shop: Shop) -> None:
    await shop.issue(issued("CR-ED1"))
    response = await redeem(shop, "cred 1", best=True)
    assert response.status_code == 200
    assert [use["code"] for use in response.json()["codes"]] == ["CR-ED1"]


async def test_a_rollback_of_no_lines_is_refused_and_writes_nothing(shop: Shop) -> None:
    await shop.issue(issued("A1"))
    redemption = (await redeem(shop, "A1")).json()["id"]
    response = await shop.post(f"/v1/redemptions/{redemption}/rollbacks", lines=[])
    assert response.status_code == 400
    assert await shop.app.store.rollbacks(redemption) == []
