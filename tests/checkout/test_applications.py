"""The discount API's apply, release and redeem: the same holds and redemptions as the checkout's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from adapter.model.actions import StoreCredit
from adapter.model.discounts import DiscountRecord
from tests.checkout.orders import budget, issued, order, percent, shared
from tests.checkout.shop import Shop

ANN = {"source_id": "ann"}
BUDGET = ("", budget(1, 1).key)


async def move(shop: Shop, verb: str, code: str = "A1", **more: Any) -> Any:
    return await shop.post(f"/v1/discounts/{code}/{verb}", **more)


async def listed(shop: Shop, what: str, code: str = "A1") -> list[tuple[str, Any]]:
    rows = (await shop.http.get(f"/v1/{what}?code={code}")).json()[what]
    return [(one["state"], one["redeemed"][0]["amount"]) for one in rows]


async def status(shop: Shop, code: str = "A1") -> str:
    return str((await shop.http.get(f"/v1/discounts/{code}")).json()["status"])


def single(code: str, source_id: str = "ann") -> DiscountRecord:
    made = issued(code, source_id)
    return replace(made, discount=replace(made.discount, stackable=False))


async def test_an_application_is_a_hold_that_its_release_ends(shop: Shop) -> None:
    await shop.issue(issued())
    assert (await move(shop, "apply", order_id="o1")).json()["status"] == "applied"
    assert await listed(shop, "holds") == [("held", None)]
    assert (await move(shop, "release")).json()["status"] == "issued"
    found = (await shop.http.get("/v1/holds?source_id=ann")).json()["holds"]
    assert [one["state"] for one in found] == ["released"]


async def test_a_redemption_takes_over_the_hold_of_its_application(shop: Shop) -> None:
    await shop.issue(issued(claims=(budget(10_000, 4_000),)), counters={BUDGET: 4_000})
    await move(shop, "apply", order_id="o1")
    [hold] = (await shop.http.get("/v1/holds?code=A1")).json()["holds"]
    assert (await move(shop, "redeem", order_id="o1")).json()["status"] == "redeemed"
    found = (await shop.http.get("/v1/redemptions?order_id=o1")).json()["redemptions"]
    assert [(one["id"], one["redeemed"][0]["amount"]) for one in found] == [(hold["id"], None)]
    assert await shop.used(BUDGET) == {BUDGET: 4_000}
    assert await listed(shop, "holds") == []


async def test_the_hold_of_an_application_can_be_released_by_its_id(shop: Shop) -> None:
    credit = StoreCredit(value=Decimal(50), currency="EUR")
    await shop.issue(
        issued(claims=(budget(10_000, 4_000),)), issued("B2", action=credit), counters={BUDGET: 4_000}
    )
    for code in ("A1", "B2"):
        await move(shop, "apply", code)
        [hold] = (await shop.http.get(f"/v1/holds?code={code}")).json()["holds"]
        assert (await shop.http.delete(f"/v1/holds/{hold['id']}")).json()["state"] == "released"
        assert await status(shop, code) == "issued"
        assert (await move(shop, "apply", code)).json()["status"] == "applied"
    assert await shop.used(BUDGET) == {BUDGET: 4_000}


async def test_a_revocation_ends_the_hold_of_an_application(shop: Shop) -> None:
    await shop.issue(issued())
    await move(shop, "apply")
    await move(shop, "revoke")
    found = (await shop.http.get("/v1/holds?source_id=ann")).json()["holds"]
    assert [one["state"] for one in found] == ["released"]


async def test_a_checkout_redeems_an_applied_discount_with_its_amount(shop: Shop) -> None:
    await shop.issue(issued())
    await move(shop, "apply")
    asked: dict[str, Any] = {"codes": ["A1"], "customer": ANN, "order": order()}
    assert (await shop.post("/v1/validations", **asked)).json()["valid"]
    assert (await shop.post("/v1/redemptions", **asked)).status_code == 200
    assert await listed(shop, "redemptions") == [("redeemed", "10.00")]
    assert await listed(shop, "holds") == []


async def test_the_hold_of_an_application_is_redeemed_with_an_order_alone(shop: Shop) -> None:
    await shop.issue(issued())
    await move(shop, "apply")
    [hold] = (await shop.http.get("/v1/holds?code=A1")).json()["holds"]
    refused = await shop.post("/v1/redemptions", hold=hold["id"])
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "order_needed")
    done = await shop.post("/v1/redemptions", hold=hold["id"], order=order())
    assert (done.status_code, done.json()["id"]) == (200, hold["id"])
    assert await status(shop) == "redeemed"


async def test_a_redemption_with_lines_books_the_amount(shop: Shop) -> None:
    await shop.issue(issued(action=percent(15), claims=(budget(10_000, 4_000),)), counters={BUDGET: 4_000})
    done = await move(shop, "redeem", order=order(id="o1"), **ANN)
    assert (done.status_code, done.json()["status"]) == (200, "redeemed")
    assert await listed(shop, "redemptions") == [("redeemed", "15.00")]
    assert await shop.used(BUDGET) == {BUDGET: 1_500}
    again = await move(shop, "redeem", order=order(id="o1"), **ANN)
    assert (again.status_code, again.json()) == (200, done.json())
    assert (await move(shop, "redeem", order=order(id="o2"))).json()["error"][
        "reason"
    ] == "usage_limit_reached"


async def test_a_shared_code_is_redeemed_with_lines(shop: Shop) -> None:
    shop.codes.put("MANY", shared("MANY", 9))
    done = await move(shop, "redeem", "many", order=order(), **ANN)
    assert (done.json()["code"], done.json()["status"]) == ("MANY", "redeemed")
    assert await listed(shop, "redemptions", "MANY") == [("redeemed", "10.00")]


async def test_lines_are_for_redemptions_and_say_how_many_units(shop: Shop) -> None:
    await shop.issue(issued())
    given: list[tuple[str, dict[str, Any]]] = [("apply", {}), ("release", {}), ("redeem", {"units": 2})]
    for verb, more in given:
        assert (await move(shop, verb, order=order(), **more)).status_code == 400
    assert (await move(shop, "redeem", "NONE", order=order())).status_code == 404
    wrong = await move(shop, "redeem", order=order(lines=[{"quantity": "x"}]))
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "invalid_order")


async def test_a_move_cannot_book_a_code_beside_one_that_it_does_not_stack_with(shop: Shop) -> None:
    await shop.issue(single("A1"), single("B2"), issued("C3"))
    asked: dict[str, Any] = {"codes": ["A1"], "customer": ANN, "order": order(), "order_id": "o1"}
    assert (await shop.post("/v1/redemptions", **asked)).status_code == 200
    for code, verb in (("B2", "redeem"), ("C3", "redeem"), ("B2", "apply")):
        refused = await move(shop, verb, code, order_id="o1")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "wrong_move")
        assert "cannot be combined with `A1`" in refused.json()["error"]["message"]
        assert await status(shop, code) == "issued"
    assert (await move(shop, "redeem", "B2", order_id="o2")).status_code == 200


async def test_moves_cannot_book_codes_beside_each_other_that_do_not_stack(shop: Shop) -> None:
    await shop.issue(single("A1"), single("B2"))
    assert (await move(shop, "redeem", "A1", order_id="o1")).status_code == 200
    assert (await move(shop, "redeem", "B2", order_id="o1")).status_code == 409
    refused = await shop.post("/v1/redemptions", codes=["B2"], order=order(), order_id="o1")
    assert refused.json()["error"]["reason"] == "not_combinable"


async def test_an_application_does_not_keep_other_codes_from_its_order(shop: Shop) -> None:
    """A cart may have been left with the code in it; what is redeemed counts."""
    await shop.issue(single("A1"), single("B2"))
    await move(shop, "apply", "A1", order_id="o1")
    assert (await move(shop, "redeem", "B2", order_id="o1")).status_code == 200
    assert (await move(shop, "redeem", "A1", order_id="o1")).status_code == 409


async def test_a_release_ends_the_hold_of_a_checkout(shop: Shop) -> None:
    await shop.issue(issued(), issued("B2"))
    asked: dict[str, Any] = {"codes": ["A1", "B2"], "customer": ANN, "order": order(), "reserve": {"ttl": 60}}
    hold = (await shop.post("/v1/validations", **asked)).json()
    assert (await move(shop, "release", **ANN)).json()["status"] == "issued"
    assert (await shop.http.get(f"/v1/holds/{hold['id']}")).json()["state"] == "released"
    assert [await status(shop, code) for code in ("A1", "B2")] == ["issued", "issued"]
    assert (await shop.post("/v1/redemptions", codes=["A1", "B2"], order=order())).status_code == 200


async def test_a_move_for_an_order_that_has_the_code_already_changes_nothing(shop: Shop) -> None:
    credit = StoreCredit(value=Decimal(50), currency="EUR")
    await shop.issue(issued(action=credit))
    asked: dict[str, Any] = {"codes": ["A1"], "customer": ANN, "order": order("5.00"), "order_id": "o1"}
    assert (await shop.post("/v1/redemptions", **asked)).status_code == 200
    again = await move(shop, "redeem", order_id="o1")
    assert (again.status_code, again.json()["action"]["left"]) == (200, 45)
    assert await listed(shop, "redemptions") == [("redeemed", "5.00")]
