"""What a call to the checkout may hold: unknown members, wrong types, sums, bounds, an order again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checkout.orders import issued, order, shared
from tests.checkout.shop import Shop

ANN = {"source_id": "ann"}
PATHS = ("/v1/validations", "/v1/redemptions", "/v1/qualifications")
ODD_ORDERS: list[tuple[dict[str, Any], str, str]] = [
    ({"lines": [{"quantity": "two", "unit_price": "1"}]}, "lines[0].quantity", "invalid_quantity"),
    ({"lines": [{"quantity": True, "unit_price": "1"}]}, "lines[0].quantity", "invalid_type"),
    ({"lines": [{"unit_price": "1", "on_sale": "yes"}]}, "lines[0].on_sale", "invalid_type"),
    ({"lines": {"id": "1"}}, "lines", "invalid_type"),
    ({"shipping": [{"price": []}]}, "shipping[0].price", "invalid_type"),
    ({"currency": 978}, "currency", "invalid_currency"),
]
ODD_BODIES: list[tuple[dict[str, Any], str]] = [
    ({"codes": "MANY"}, "$.codes"),
    ({"codes": [7]}, "$.codes[0]"),
    ({"customer": "ann"}, "$.customer"),
    ({"customer": ANN, "source_id": "bob"}, "are not the same"),
    ({"source_id": 7}, "$.source_id"),
    ({"source_id": "\0"}, "id"),
    ({"order": []}, "$.order"),
    ({"strict": "yes"}, "$.strict"),
    ({"mode": "worst"}, "$.mode"),
    ({"reserve": {"ttl": "long"}}, "$.reserve.ttl"),
]


@pytest.fixture
def store_url() -> str:
    """What is asked and answered here is the same on both engines."""
    return "sqlite:///:memory:"


@pytest.fixture
def many(shop: Shop) -> Shop:
    shop.codes.put("MANY", shared("MANY", 99))
    return shop


async def redeem(shop: Shop, key: str | None = None, **more: Any) -> Any:
    asked = {"codes": ["MANY"], "customer": ANN, "order": order(), "order_id": "o1"}
    return await shop.post("/v1/redemptions", key, **(asked | more))


def error(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


async def test_wrong_types_are_refused_with_their_path(many: Shop) -> None:
    for path in PATHS:
        for more, place, code in ODD_ORDERS:
            response = await many.post(path, codes=["MANY"], order=order() | more)
            found = response.json()["error"]
            assert (response.status_code, found["code"]) == (400, "invalid_order"), (path, more)
            assert (place, code) in [(one["path"], one["code"]) for one in response.json()["problems"]]
        for body, place in ODD_BODIES:
            response = await many.post(path, **({"codes": ["MANY"], "order": order()} | body))
            assert (response.status_code, place in response.text) == (400, True), (path, body, response.text)


async def test_members_that_are_not_known_are_kept_as_attributes(many: Shop) -> None:
    sent = order(id="o1", gift=True)
    sent["lines"] = [sent["lines"][0] | {"colour": "red", "maker": {"name": "Acme"}}]
    response = await redeem(many, order=sent, loyalty={"points": 7}, customer=ANN | {"shoe_size": 42})
    assert response.status_code == 200
    kept = await many.app.store.redemption(response.json()["id"])
    assert kept is not None
    assert (kept.order["gift"], kept.order["lines"][0]["maker"]) == (True, {"name": "Acme"})
    assert (await many.http.get("/v1/customers/ann")).json()["traits"] == {"shoe_size": 42}


async def test_a_source_id_beside_the_customer_is_that_of_the_customer(shop: Shop) -> None:
    await shop.issue(issued("A1", "ann"))
    asked = {"codes": ["A1"], "order": order()}
    for customer, valid in (("ann", True), ("bob", False)):
        inside = await shop.post("/v1/validations", **asked, customer={"source_id": customer})
        beside = await shop.post("/v1/validations", **asked, source_id=customer)
        assert (beside.json(), beside.json()["valid"]) == (inside.json(), valid)


@pytest.mark.parametrize("path", PATHS)
async def test_an_order_that_does_not_add_up_is_warned_of_or_refused_where_it_is_strict(
    many: Shop, path: str
) -> None:
    asked: dict[str, Any] = {"codes": ["MANY"], "order": order(total="99.99")}
    warned = await many.post(path, **asked)
    assert warned.status_code == 200
    assert [one["code"] for one in warned.json()["warnings"]] == ["total_mismatch"]
    assert error(await many.post(path, **asked, strict=True)) == (422, "total_mismatch")
    exact = await many.post(path, codes=["MANY"], order=order(total="100"), strict=True, order_id="o9")
    assert (exact.status_code, "warnings" in exact.json()) == (200, False)


async def test_a_time_out_of_bounds_is_refused(many: Shop) -> None:
    for ttl in (0, -1, 86_401):
        asked: dict[str, Any] = {"codes": ["MANY"], "order": order(), "reserve": {"ttl": ttl}}
        assert error(await many.post("/v1/validations", **asked)) == (422, "invalid_ttl")
    assert (await many.http.get("/v1/holds")).json()["holds"] == []


async def test_the_bounds_of_a_time_are_in_it(many: Shop) -> None:
    for ttl in (1, 86_400):
        held = await many.post("/v1/validations", codes=["MANY"], order=order(), reserve={"ttl": ttl})
        assert held.json()["state"] == "held"


async def test_an_order_with_other_lines_is_not_the_same_order_again(many: Shop) -> None:
    first = (await redeem(many)).json()
    again = order(note="the same lines", lines=[{"id": "1", "quantity": "1.0", "unit_price": 100}])
    assert (await redeem(many, order=again)).json()["id"] == first["id"]
    for other in (order("90.00"), order() | {"currency": "USD"}, order(shipping=[{"price": "5.00"}])):
        differs = await redeem(many, order=other)
        assert error(differs) == (409, "order_differs")
        assert differs.json()["redemption"] == first["id"]
    other_customer = await redeem(many, customer={"source_id": "bob"})
    assert other_customer.json()["error"]["reason"] == "already_redeemed"
    await many.post(f"/v1/redemptions/{first['id']}/rollbacks")
    assert (await redeem(many, order=order("90.00"))).status_code == 200


async def test_a_part_that_came_back_does_not_make_it_another_order(many: Shop) -> None:
    lines = [{"id": "1", "quantity": 2, "unit_price": "30.00"}]
    first = (await redeem(many, order=order(lines=lines))).json()
    await many.post(f"/v1/redemptions/{first['id']}/rollbacks", lines=[{"id": "1", "quantity": 1}])
    assert (await redeem(many, order=order(lines=lines))).json()["id"] == first["id"]


async def test_one_product_on_two_lines_without_ids_has_two_lines(many: Shop) -> None:
    lines = [
        {"sku": "A", "unit_price": "6.00"},
        {"sku": "A", "unit_price": "6.00"},
        {"id": "line-1", "unit_price": 8},
    ]
    response = await redeem(many, order={"currency": "EUR", "lines": lines})
    assert response.status_code == 200, response.text
    ids = [line["id"] for line in response.json()["lines"]]
    assert (len(set(ids)), ids[2]) == (3, "line-1")


async def test_a_qualification_prices_a_bounded_number_of_codes_and_says_so(shop: Shop) -> None:
    await shop.issue(*(issued(f"A{at:03}") for at in range(130)))
    found = (await shop.post("/v1/qualifications", customer=ANN, order=order("5000.00"))).json()
    assert len(found["qualifications"]) == 100
    assert [(one["code"], one["path"]) for one in found["warnings"]] == [
        ("codes_left_out", "qualifications"),
        ("codes_left_out", "best"),
    ]
    assert found["best"]["totals"]["discount"] == "300.00"


async def test_discounts_behind_many_used_ones_are_found(shop: Shop) -> None:
    old = issued("OLD")
    await shop.issue(old)
    await shop.issue(*(issued(f"A{at:03}") for at in range(110)))
    await shop.issue(*(one_used(f"A{at:03}") for at in range(110)))
    found = (await shop.post("/v1/qualifications", customer=ANN, order=order())).json()
    assert [one["code"] for one in found["qualifications"]] == ["OLD"]
    best = (await shop.post("/v1/validations", best=True, customer=ANN, order=order())).json()
    assert [one["code"] for one in best["codes"]] == ["OLD"]


def one_used(code: str) -> Any:
    from msgspec.structs import replace

    made = issued(code)
    return replace(made, discount=replace(made.discount, status="redeemed"))
