"""`on_refund: prorate`: what came back of a code may be used again, and never more than that."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapter.model.discounts import CheckoutTerms, DiscountRecord
from tests.checkout.orders import budget, issued, order, percent
from tests.checkout.shop import NOON, Shop

PRORATE = CheckoutTerms(on_refund="prorate")
BUDGET = ("", budget(1, 1).key)


def code(**more: Any) -> DiscountRecord:
    return issued(terms=PRORATE, claims=(budget(100_000, 4_000),), **more)


async def redeem(shop: Shop, price: str = "100.00", **more: Any) -> Any:
    return await shop.post("/v1/redemptions", **{"codes": ["A1"], "order": order(price), **more})


async def give_back(shop: Shop, redemption: Any, amount: str | None = None) -> Any:
    asked = {} if amount is None else {"amount": amount}
    response = await shop.post(f"/v1/redemptions/{redemption.json()['id']}/rollbacks", **asked)
    assert response.status_code == 200, response.text
    return response.json()


async def test_the_part_that_came_back_is_used_again_and_no_more(shop: Shop) -> None:
    await shop.issue(code(), counters={BUDGET: 4_000})
    first = await redeem(shop)
    assert await shop.used(BUDGET) == {BUDGET: 1_000}
    assert (await redeem(shop)).json()["error"]["reason"] == "usage_limit_reached"
    await give_back(shop, first, "4.00")
    assert (await shop.http.get("/v1/discounts/A1")).json()["status"] == "issued"
    assert await shop.used(BUDGET) == {BUDGET: 1_000}  # 6.00 are spent, 4.00 reserved
    second = await redeem(shop, "3.00")
    assert second.json()["totals"]["discount"] == "3.00"
    third = await redeem(shop)
    assert third.json()["totals"]["discount"] == "1.00"
    assert (await redeem(shop)).json()["error"]["reason"] == "usage_limit_reached"
    for each in (first, third, second):
        await give_back(shop, each)
    assert await shop.used(BUDGET) == {BUDGET: 4_000}
    assert (await redeem(shop)).json()["totals"]["discount"] == "10.00"


async def test_a_hold_of_the_rest_gives_the_rest_back(shop: Shop) -> None:
    await shop.issue(code(), counters={BUDGET: 4_000})
    await give_back(shop, await redeem(shop), "4.00")
    asked: dict[str, Any] = {"codes": ["A1"], "order": order(), "reserve": {"ttl": 60}}
    hold = (await shop.post("/v1/validations", **asked)).json()
    assert hold["totals"]["discount"] == "4.00"
    assert (await redeem(shop)).json()["error"]["reason"] == "usage_limit_reached"
    await shop.http.delete(f"/v1/holds/{hold['id']}")
    hold = (await shop.post("/v1/validations", **asked)).json()
    done = await shop.post("/v1/redemptions", hold=hold["id"])
    assert done.json()["totals"]["discount"] == "4.00"
    assert (await shop.http.get("/v1/discounts/A1")).json()["status"] == "redeemed"
    assert await shop.used(BUDGET) == {BUDGET: 1_000}


async def test_the_rest_is_redeemed_with_lines_alone(shop: Shop) -> None:
    await shop.issue(code())
    await give_back(shop, await redeem(shop), "4.00")
    refused = await shop.post("/v1/discounts/A1/redeem", order_id="o2")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "wrong_move")
    assert (await shop.post("/v1/discounts/A1/redeem", order=order())).status_code == 200


@pytest.mark.parametrize("revoked", [True, False])
async def test_a_rest_that_ends_unused_frees_its_own_reservation(shop: Shop, revoked: bool) -> None:
    end = NOON + timedelta(hours=1)
    await shop.issue(code(expires_at=end), counters={BUDGET: 4_000})
    first = await redeem(shop)
    await give_back(shop, first, "4.00")
    if revoked:
        await shop.post("/v1/discounts/A1/revoke")
    else:
        shop.now = end
        await shop.app.checkout.expire(["A1"])
    assert await shop.used(BUDGET) == {BUDGET: 600}
    await give_back(shop, first)
    assert await shop.used(BUDGET) in ({}, {BUDGET: 0})
    assert (await redeem(shop)).status_code == 409


@pytest.mark.parametrize("seed", range(4))
async def test_rollbacks_in_any_split_add_up_whatever_is_used_between_them(seed: int, tmp_path: Path) -> None:
    """In use are at no time more than the first amount, and the budget has what is used and what is left."""
    random = Random(seed)
    async with Shop("sqlite:///:memory:", tmp_path / "rules").open() as shop:
        await shop.issue(
            issued(terms=PRORATE, action=percent(random.randint(5, 90)), claims=(budget(1_000_000, 30_000),)),
            counters={BUDGET: 30_000},
        )
        first = await redeem(shop, "200.00")
        amount = whole = Decimal(first.json()["totals"]["discount"])
        booked = {first.json()["id"]: amount}
        for _ in range(12):
            if random.random() < 0.4:
                again = await redeem(shop, f"{random.randint(1, 9_000) / 100:.2f}")
                if again.status_code == 200:
                    taken = Decimal(again.json()["totals"]["discount"])
                    if not sum(booked.values()):
                        amount = taken  # all of it had come back: it is used anew
                    booked[again.json()["id"]] = taken
            else:
                id_ = random.choice([id_ for id_, rest in booked.items() if rest] or [""])
                part = min(booked.get(id_, Decimal(0)), Decimal(random.randint(1, 4_000)) / 100)
                if part:
                    back = await shop.post(f"/v1/redemptions/{id_}/rollbacks", amount=f"{part:.2f}")
                    assert sum(map(Decimal, back.json()["returned"].values())) == part
                    booked[id_] -= part
            assert sum(booked.values()) <= amount
            if sum(booked.values()):
                assert (await shop.used(BUDGET)).get(BUDGET, 0) == int(amount * 100)
        for id_, rest in booked.items():
            if rest:
                await shop.post(f"/v1/redemptions/{id_}/rollbacks")
        assert await shop.used(BUDGET) == {BUDGET: 30_000}
        assert (await redeem(shop, "200.00")).json()["totals"]["discount"] == f"{whole:.2f}"
