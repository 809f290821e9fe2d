"""Several benefits under one code: each is used, held and given back by itself."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from adapter.model.actions import AmountOff, FreeShipping, StoreCredit
from adapter.model.discounts import CounterReservation
from tests.checkout.benefits import MINUTES, UNLOCK, bundle, give_back, read, redeem
from tests.checkout.orders import budget, issued, order, percent, uses
from tests.checkout.shop import NOON, Shop

SHIPPING = {"shipping": [{"id": "post", "price": "5.00"}]}
BUDGET, USES = ("", budget(1, 1).key), ("", uses("thanks", 1).key)
TEN = AmountOff(Decimal(10), currency="EUR", max_amount=Decimal(10))
#: At most 10.00 and 6.00.
PRICED = (TEN, FreeShipping(max_amount=Decimal(6)))


def claims(amount: int = 1_600) -> tuple[CounterReservation, ...]:
    return uses("thanks", 5), budget(100_000, amount)


async def issue_priced(shop: Shop, **more: Any) -> None:
    held = bundle(*PRICED, claims=claims(), **more)
    assert [claim.amount for claim in held.claims] == [1, 1_000, 600]  # the use, and each benefit's part
    await shop.issue(held, counters={BUDGET: 1_600, USES: 1})


async def test_an_order_uses_all_benefits_that_have_an_effect(shop: Shop) -> None:
    await issue_priced(shop)
    found = await redeem(shop, order(**SHIPPING))
    assert (found["totals"]["discount"], await read(shop)) == ("15.00", ("redeemed", ["redeemed"] * 2))
    [code] = found["codes"]
    assert (code["code"], code["amount"], code["lines"]) == ("A1", "15.00", {"1": "10.00", "post": "5.00"})
    assert [(one["benefit"], one["amount"]) for one in code["benefits"]] == [(0, "10.00"), (1, "5.00")]
    [use] = found["redeemed"]
    assert (use["code"], use["amount"], [one["amount"] for one in use["benefits"]]) == (
        "A1", "15.00", ["10.00", "5.00"],
    )  # fmt: skip
    assert await shop.used(BUDGET, USES) == {BUDGET: 1_500, USES: 1}
    back = await give_back(shop, found)
    assert (back["returned"], back["lines"]) == (
        {"A1": "15.00"}, {"1": {"A1": "10.00"}, "post": {"A1": "5.00"}},
    )  # fmt: skip
    assert await read(shop) == ("issued", ["issued", "issued"])
    assert await shop.used(BUDGET, USES) == {BUDGET: 1_600, USES: 1}


async def test_a_benefit_without_an_effect_is_used_on_another_order(shop: Shop) -> None:
    await issue_priced(shop)
    first = await redeem(shop, order())
    assert first["totals"]["discount"] == "10.00"
    assert await read(shop) == ("issued", ["redeemed", "issued"])
    validated = (await shop.post("/v1/validations", codes=["A1"], order=order(**SHIPPING))).json()
    assert (validated["valid"], validated["totals"]["discount"]) == (True, "5.00")
    second = await redeem(shop, order(**SHIPPING))
    assert (second["totals"]["discount"], await read(shop)) == ("5.00", ("redeemed", ["redeemed"] * 2))
    assert await shop.used(BUDGET) == {BUDGET: 1_500}
    assert (await redeem(shop, order(**SHIPPING)))["error"]["reason"] == "usage_limit_reached"
    await give_back(shop, first)
    assert await read(shop) == ("issued", ["issued", "redeemed"])
    rules = (await shop.http.get("/v1/rules/thanks/figures")).json()["totals"]
    assert [(one["issued"], one["open"], one["liability"], one["redeemed"]) for one in rules] == [
        (1, 1, "10.00", 2)
    ]


async def test_one_rejected_benefit_does_not_refuse_the_other_and_two_do(shop: Shop) -> None:
    far = AmountOff(Decimal(20), currency="EUR", min_cart_value=Decimal(500))
    await shop.issue(bundle(percent(10), far))
    found = await redeem(shop, order())
    assert found["totals"]["discount"] == "10.00"
    [code] = found["codes"]
    assert code["status"] == "applied"
    assert [one.get("reason") for one in code["benefits"]] == [None, "minimum_not_reached"]
    assert (await redeem(shop, order()))["error"]["reason"] == "minimum_not_reached"


async def test_benefits_stack_with_each_other_and_not_with_other_codes(shop: Shop) -> None:
    alone = bundle(*PRICED)
    await shop.issue(
        replace(alone, discount=replace(alone.discount, stackable=False)), issued("B2", action=percent(90))
    )
    both = await shop.post("/v1/redemptions", codes=["A1", "B2"], order=order(**SHIPPING))
    assert both.json()["error"]["reason"] == "not_combinable"
    best = (
        await shop.post("/v1/qualifications", customer={"source_id": "ann"}, order=order(**SHIPPING))
    ).json()
    assert [one["code"] for one in best["best"]["codes"] if one["applicable"]] == ["B2"]
    assert sorted((one["code"], one["amount"]) for one in best["qualifications"]) == [
        ("A1", "15.00"), ("B2", "90.00"),
    ]  # fmt: skip
    assert (await redeem(shop, order(**SHIPPING)))["totals"]["discount"] == "15.00"


async def test_a_hold_takes_its_benefits_alone_and_gives_them_back(shop: Shop) -> None:
    await issue_priced(shop)
    hold = (await shop.post("/v1/validations", codes=["A1"], order=order(), reserve={"ttl": 60})).json()
    assert await read(shop) == ("applied", ["applied", "issued"])
    assert (await redeem(shop, order()))["error"]["reason"] == "no_effect"
    await shop.http.delete(f"/v1/holds/{hold['id']}")
    assert await read(shop) == ("issued", ["issued", "issued"])
    hold = (
        await shop.post("/v1/validations", codes=["A1"], order=order(**SHIPPING), reserve={"ttl": 60})
    ).json()
    done = (await shop.post("/v1/redemptions", hold=hold["id"])).json()
    assert (done["state"], len(done["redeemed"])) == ("redeemed", 1)
    assert await read(shop) == ("redeemed", ["redeemed", "redeemed"])


async def test_minutes_and_an_unlock_are_spent_by_their_types(shop: Shop) -> None:
    await shop.issue(bundle(MINUTES, UNLOCK))

    async def spend(**asked: Any) -> Any:
        return (await shop.post("/v1/discounts/A1/redeem", **asked)).json()

    refused = await spend(units=5)
    assert refused["error"]["code"] == "wrong_move"
    assert "`minutes` or `unlocks`" in refused["error"]["message"]
    assert (await spend(units=5, unit_type="coins"))["error"]["code"] == "wrong_move"
    ride = await spend(units=5, unit_type="minutes", order_id="ride-1")
    assert (ride["status"], ride["action"]["left"], ride["actions"][0]["action"]["left"]) == (
        "issued",
        10,
        10,
    )
    assert (await spend(units=5, unit_type="minutes", order_id="ride-1"))["action"]["left"] == 10  # repeated
    ride = await spend(units=1, unit_type="unlocks", order_id="ride-1")
    assert await read(shop) == ("issued", ["issued", "redeemed"])
    [booked] = (await shop.http.get("/v1/redemptions?order_id=ride-1")).json()["redemptions"]
    assert [one["benefit"] for one in booked["redeemed"][0]["benefits"]] == [0, 1]
    await give_back(shop, booked)
    assert await read(shop) == ("issued", ["issued", "issued"])
    assert (await shop.http.get("/v1/discounts/A1")).json()["action"]["left"] == 15
    whole = await spend(order_id="ride-2")
    assert (whole["status"], [one["status"] for one in whole["actions"]]) == ("redeemed", ["redeemed"] * 2)
    assert (await spend(order_id="ride-2"))["status"] == "redeemed"
    assert (await spend(order_id="ride-3"))["error"]["code"] == "wrong_move"


async def test_an_application_covers_all_benefits_until_one_is_used(shop: Shop) -> None:
    await shop.issue(bundle(MINUTES, UNLOCK))
    await shop.post("/v1/discounts/A1/apply", order_id="o1")
    assert await read(shop) == ("applied", ["applied", "applied"])
    await shop.post("/v1/discounts/A1/redeem", order_id="o1", units=1, unit_type="unlocks")
    assert await read(shop) == ("issued", ["issued", "redeemed"])
    assert (await shop.http.get("/v1/holds?code=A1")).json()["holds"] == []
    await shop.post("/v1/discounts/A1/apply", order_id="o2")
    assert await read(shop) == ("applied", ["applied", "redeemed"])
    assert (await shop.post("/v1/discounts/A1/release")).json()["status"] == "issued"
    assert await read(shop) == ("issued", ["issued", "redeemed"])


async def test_lines_end_the_application_of_benefits_that_they_do_not_use(shop: Shop) -> None:
    await issue_priced(shop)
    await shop.post("/v1/discounts/A1/apply", order_id="o1")
    assert (await redeem(shop, order(id="o1")))["totals"]["discount"] == "10.00"
    assert await read(shop) == ("issued", ["redeemed", "issued"])
    assert (await redeem(shop, order(**SHIPPING)))["totals"]["discount"] == "5.00"


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("revoked", [False, True])
async def test_what_ends_unused_frees_its_budget_and_an_unused_code_its_use(
    shop: Shop, used: bool, revoked: bool
) -> None:
    end = NOON + timedelta(hours=1)
    await issue_priced(shop, expires_at=end)
    first = await redeem(shop, order()) if used else None
    if revoked:
        await shop.post("/v1/discounts/A1/revoke", reason="abuse")
    else:
        shop.now = end
        await shop.app.checkout.expire(["A1"])
    over = "revoked" if revoked else "expired"
    assert await read(shop) == (over, ["redeemed" if used else over, over])
    assert await shop.used(BUDGET, USES) == ({BUDGET: 1_000, USES: 1} if used else {})
    if first is not None:
        await give_back(shop, first)
        assert (await read(shop))[0] == over
        assert await shop.used(BUDGET, USES) == {}


async def test_a_part_of_one_benefit_comes_back_by_itself(shop: Shop) -> None:
    await issue_priced(shop, on_refund="prorate")
    first = await redeem(shop, order(**SHIPPING))
    await give_back(shop, first, "3.00")
    assert (await read(shop))[0] == "issued"
    again = await redeem(shop, order(**SHIPPING))
    assert again["totals"]["discount"] == "3.00"
    assert (await redeem(shop, order(**SHIPPING)))["error"]["reason"] == "usage_limit_reached"


async def test_credit_beside_a_percentage_is_spent_in_parts(shop: Shop) -> None:
    await shop.issue(bundle(percent(10), StoreCredit(Decimal(30), currency="EUR")))
    found = await redeem(shop, order("20.00"))
    assert (found["totals"]["discount"], found["totals"]["credit"]) == ("2.00", "18.00")
    assert await read(shop) == ("issued", ["redeemed", "issued"])
    found = await redeem(shop, order("20.00"))
    assert (found["totals"]["discount"], found["totals"]["credit"]) == ("0.00", "12.00")
    assert await read(shop) == ("redeemed", ["redeemed", "redeemed"])
